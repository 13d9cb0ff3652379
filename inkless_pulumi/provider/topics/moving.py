"""Bringing topics to another replication factor, by moving replicas while the topics are used.

Kafka copies a partition to its new brokers before it lets go of the old ones, so nothing is lost if
this is interrupted: the moves go on, and the next update finds them done or waits for them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from inkless_pulumi.core.replica_placement import Replicas, placed
from inkless_pulumi.provider.cluster_view import ClusterView
from inkless_pulumi.provider.kafka.model import Cluster, Partition, Refusal
from inkless_pulumi.provider.moving import MOST_AT_ONCE, move_replicas
from inkless_pulumi.provider.reassignment import NodeIds
from inkless_pulumi.provider.resource import Context

__all__ = ["move"]


def move(
    cluster: Cluster, factors: Mapping[str, int], throttle: str | None, context: Context
) -> dict[str, str]:
    """Bring topics to the given factors, and wait until they are.

    Args:
        cluster: that has them.
        factors: wanted replicas of each partition, by topic.
        throttle: the most that a broker sends, and receives, of them in a second; None: the
            default.
        context: of the operation.

    Returns:
        Why topics that are not in order could not be brought there, by name.

    Raises:
        NotReady: the moves stand still.
    """
    zones = cluster.partitions.zones()
    possible = {name: factor for name, factor in factors.items() if factor <= len(zones)}
    failed = {
        name: f"Topic {name} can't have {factor} replicas: {len(zones)} brokers are alive."
        for name, factor in factors.items()
        if name not in possible
    }

    def plan(seen: ClusterView) -> Mapping[Partition, NodeIds]:
        return {
            (name, index): nodes
            for name, present in _replicas(seen, possible.keys() - failed.keys()).items()
            for index, nodes in placed(present, possible[name], zones).items()
            if nodes != present[index].nodes
        }

    def refused(where: Partition, refusal: Refusal) -> None:
        name, index = where
        failed[name] = f"Replicas of {name}-{index} could not be moved. Kafka: {refusal}"

    move_replicas(
        cluster,
        plan,
        "replicas are moved",
        throttle=throttle,
        context=context,
        at_once=MOST_AT_ONCE,
        topics=possible.keys(),
        refused=refused,
    )
    return failed


def _replicas(seen: ClusterView, names: Collection[str]) -> Mapping[str, Mapping[int, Replicas]]:
    found: dict[str, dict[int, Replicas]] = defaultdict(dict)
    for one in seen.partitions:
        if one.topic in names:
            found[one.topic][one.partition] = Replicas(one.replicas, one.in_sync)
    return found
