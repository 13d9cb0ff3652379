"""Moving replicas: a few partitions at a time, until none is left, with progress.

Nothing is remembered between two runs: what is left to do is planned anew of what the cluster
shows. So an interrupted move goes on with the next update, and what was begun ends by itself.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from inkless_pulumi.core.errors import ClusterError, NotReady
from inkless_pulumi.provider.cluster_view import ClusterView, look_at
from inkless_pulumi.provider.kafka.model import Cluster, Partition, PartitionState
from inkless_pulumi.provider.reassignment import NodeIds, plan_drain
from inkless_pulumi.provider.resource import Context

__all__ = ["drain", "move_replicas"]

_SECONDS_BETWEEN_LOOKS = 1.0
_AT_ONCE = 10

Plan = Callable[[ClusterView], Mapping[Partition, NodeIds]]


def move_replicas(
    cluster: Cluster,
    plan: Plan,
    what: str,
    *,
    at_once: int,
    patience: float,
    context: Context,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Move until the plan is empty and nothing moves any more.

    Args:
        cluster: to move in.
        plan: what is left to move, given what is seen.
        what: is done, for the progress: `node-14 is drained`.
        at_once: the most partitions that move at the same time.
        patience: seconds without a partition arriving after which to give up.
        context: of the operation.
        clock: seconds.

    Raises:
        ClusterError: Kafka refused a move.
        NotReady: the moves stand still.
        OperationCancelled: the user interrupted the update.
    """
    fewest, changed = None, clock()
    begun: dict[Partition, NodeIds] = {}
    while True:
        moving = cluster.partitions.moving()
        seen = _as_arrived(look_at(cluster), moving, begun)
        left = {where: new for where, new in plan(seen).items() if where not in moving}
        remaining = len(moving) + len(left)
        if remaining == 0:
            return
        if fewest is None or remaining < fewest:
            fewest, changed = remaining, clock()
        elif clock() - changed >= patience:
            raise NotReady(
                f"{what}: {remaining} partitions are left, and none arrived for {patience:g} s. "
                "What was begun goes on by itself. Look at the brokers, then run the update again."
            )
        context.progress(f"{what}: {remaining} partitions left, {len(moving)} moving")
        begun |= _begin(cluster, dict([*left.items()][: max(0, at_once - len(moving))]))
        context.pause(_SECONDS_BETWEEN_LOOKS)


def _as_arrived(
    seen: ClusterView, moving: Collection[Partition], begun: Mapping[Partition, NodeIds]
) -> ClusterView:
    """The cluster as it is to be planned for.

    Until it has arrived, a partition has the replicas of before beside the new ones, so it would
    seem to have too many. It counts as where it goes; what somebody else moves is left out.
    """

    def settled(partition: PartitionState) -> PartitionState | None:
        where = partition.topic, partition.partition
        if where not in moving:
            return partition
        return replace(partition, replicas=begun[where]) if where in begun else None

    arrived = (settled(partition) for partition in seen.partitions)
    return replace(seen, partitions=tuple(one for one in arrived if one is not None))


def _begin(cluster: Cluster, moves: Mapping[Partition, NodeIds]) -> Mapping[Partition, NodeIds]:
    if not moves:
        return moves
    for (topic, number), refused in cluster.partitions.reassign(moves).items():
        if refused is not None:
            raise ClusterError(f"{topic}-{number} could not be moved. Kafka: {refused}")
    return moves


def drain(
    cluster: Cluster, node_id: int, declared: frozenset[int], *, patience: float, context: Context
) -> None:
    """Move all replicas away from a broker that leaves.

    None goes to a broker that leaves as well. Nothing is moved unless everything can be, of all
    brokers that leave: a service that grows smaller step by step must not stop half way.

    Args:
        cluster: that it leaves.
        node_id: of the broker.
        declared: the nodes that stay.
        patience: seconds without a partition arriving after which to give up.
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
    move_replicas(cluster, plan, what, at_once=_AT_ONCE, patience=patience, context=context)
