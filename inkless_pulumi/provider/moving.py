"""Moving replicas: some partitions at a time, throttled, until none is left, with progress.

Nothing is remembered between two runs: what is left to do is planned anew of what the cluster
shows. So an interrupted move goes on with the next update, and what was begun ends by itself.
"""

import time
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import replace

from inkless_pulumi.core.errors import ClusterError, NotReady
from inkless_pulumi.provider.cluster_view import ClusterView, look_at
from inkless_pulumi.provider.kafka.model import Cluster, Partition, PartitionState, Refusal
from inkless_pulumi.provider.move_progress import MoveProgress, bytes_to_copy, readable
from inkless_pulumi.provider.reassignment import NodeIds, plan_drain
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.throttle import Move, Throttle

__all__ = ["MOST_AT_ONCE", "drain", "end_moves", "move_replicas"]

_PATIENCE_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
_SLOW_SECONDS = 60.0
"""Without progress, after which it is told what may be the matter."""
_AT_ONCE = 10
MOST_AT_ONCE = 500
"""The lists of throttled replicas of a topic have room for so many: a text that Kafka takes is no
longer than 32,767 bytes, and a request with a longer one ends the connection (seen on 4.2.1)."""

Plan = Callable[[ClusterView], Mapping[Partition, NodeIds]]
Refused = Callable[[Partition, Refusal], None]


def _raise_refusal(where: Partition, refusal: Refusal) -> None:
    raise ClusterError(f"{where[0]}-{where[1]} could not be moved. Kafka: {refusal}")


def move_replicas(
    cluster: Cluster,
    plan: Plan,
    what: str,
    *,
    throttle: str | None,
    context: Context,
    at_once: int = _AT_ONCE,
    patience: float | None = None,
    topics: Collection[str] | None = None,
    refused: Refused = _raise_refusal,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Move until the plan is empty and nothing moves any more.

    Args:
        cluster: to move in.
        plan: what is left to move, given what is seen.
        what: is done, for the progress: `node-14 is drained`.
        throttle: the most that a broker sends, and receives, of replicas that move in a second,
            as the service declares it. None: the default.
        context: of the operation. Its timeout is the patience, where none is given.
        at_once: the most partitions that move at the same time. Default: 10.
        patience: seconds without progress, in bytes, after which to give up. Default: 600.
        topics: whose moves are waited for. Default: all moves in the cluster.
        refused: is told of a move that Kafka refuses. Default: a refusal is an error.
        clock: seconds.

    Raises:
        ClusterError: Kafka refused a move.
        NotReady: the moves stand still.
        OperationCancelled: the user interrupted the update.
    """
    throttled, progress = Throttle(cluster, throttle, context), MoveProgress(clock)
    if patience is None:
        patience = context.timeout or _PATIENCE_SECONDS
    begun: dict[Partition, NodeIds] = {}
    pause = _FIRST_PAUSE
    if cluster.partitions.moving(topics):
        throttled.take_up()
    while True:
        moving = cluster.partitions.moving(topics)
        view = look_at(cluster)
        left = _left(plan(_as_arrived(view, moving, begun)), moving)
        if not moving and not left:
            throttled.lift()
            return
        remaining, to_copy = len(moving) + len(left), bytes_to_copy(cluster, moving, view)
        idle = progress.idle_seconds(remaining, moving, to_copy)
        state = f"{what}: {remaining} partition{'s' * (remaining != 1)} left, {len(moving)} moving"
        if to_copy:
            state += f", {readable(to_copy)} to copy at {throttled.text} a second at most"
        if idle >= min(_SLOW_SECONDS, patience):
            state += f". {_standstill(idle, throttled.text)}"
        if idle >= patience:
            raise NotReady(state)
        context.progress(state)
        batch = dict([*left.items()][: max(0, at_once - len(moving))])
        begun |= _begin(throttled, batch, view, refused)
        context.pause(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _left(
    planned: Mapping[Partition, NodeIds], moving: Container[Partition]
) -> dict[Partition, NodeIds]:
    return {where: new for where, new in planned.items() if where not in moving}


def _standstill(idle: float, throttle: str) -> str:
    return (
        f"No progress for {idle:.0f} s. Look at the brokers. If producers write as fast as "
        f"{throttle} a second lets replicas follow, raise reassignment_throttle and run the update "
        "again; what was begun goes on"
    )


def _as_arrived(
    seen: ClusterView, moving: Container[Partition], begun: Mapping[Partition, NodeIds]
) -> ClusterView:
    """The cluster as it is to be planned for.

    Until it has arrived, and the broker that was asked knows, a partition has the replicas of
    before beside the new ones, so it would seem to have too many. It counts as where it goes; what
    somebody else moves is left out.
    """

    def settled(partition: PartitionState) -> PartitionState | None:
        where = partition.topic, partition.partition
        goal = begun.get(where)
        if goal is None:
            return None if where in moving else partition
        on_its_way = where in moving or set(goal) < set(partition.replicas)
        return replace(partition, replicas=goal) if on_its_way else partition

    arrived = (settled(partition) for partition in seen.partitions)
    return replace(seen, partitions=tuple(one for one in arrived if one is not None))


def _begin(
    throttled: Throttle, wanted: Mapping[Partition, NodeIds], view: ClusterView, refused: Refused
) -> Mapping[Partition, NodeIds]:
    if not wanted:
        return {}
    present = {(one.topic, one.partition): one.replicas for one in view.partitions}
    moves = {
        # `min_in_sync` of a diskless topic is 0.
        where: Move(present[where], new, copies=view.min_in_sync.get(where[0]) != 0)
        for where, new in wanted.items()
    }
    answers = throttled.reassign(moves)
    for where, answer in answers.items():
        if answer is not None:
            refused(where, answer)
    return {where: wanted[where] for where, answer in answers.items() if answer is None}


def end_moves(cluster: Cluster, *, throttle: str | None, context: Context) -> None:
    """Wait for what was begun, and begin no more; errors as of `move_replicas`."""
    what = "begun moves end"
    move_replicas(cluster, lambda _: {}, what, throttle=throttle, context=context)


def drain(
    cluster: Cluster,
    node_id: int,
    declared: frozenset[int],
    *,
    throttle: str | None,
    patience: float,
    context: Context,
) -> None:
    """Move all replicas away from a broker that leaves.

    None goes to a broker that leaves as well. Nothing is moved unless everything can be, of all
    brokers that leave: a service that grows smaller step by step must not stop half way.

    Args:
        cluster: that it leaves.
        node_id: of the broker.
        declared: the nodes that stay.
        throttle: as of `move_replicas`.
        patience: seconds without progress after which to give up.
        context: of the operation.

    Raises:
        NotReady: topics have more replicas than brokers stay, or the moves stand still.
        ClusterError: Kafka refused a move.
    """

    def plan(seen: ClusterView) -> Mapping[Partition, NodeIds]:
        leaving = frozenset(b.node_id for b in seen.brokers) - declared | {node_id}
        planned = plan_drain(seen.partitions, seen.brokers, leaving)
        if planned.impossible:
            raise NotReady(
                f"node-{node_id} can't leave: {', '.join(planned.impossible)} would have more "
                "replicas than there are brokers. Nothing was deleted. Declare as many brokers as "
                "before, or give these topics fewer replicas first."
            )
        held = {(p.topic, p.partition) for p in seen.partitions if node_id in p.replicas}
        return {where: new for where, new in planned.moves.items() if where in held}

    what = f"node-{node_id} is drained"
    move_replicas(cluster, plan, what, throttle=throttle, patience=patience, context=context)
