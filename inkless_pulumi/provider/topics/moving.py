"""Bringing topics to another replication factor, by moving replicas while the topics are used.

Kafka copies a partition to its new brokers before it lets go of the old ones, so nothing is lost if
this is interrupted: the moves go on, and the next update finds them done or waits for them.
"""

import time
from collections.abc import Mapping

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.core.replica_placement import placed
from inkless_pulumi.provider.kafka.model import Cluster, Partition, Refusal
from inkless_pulumi.provider.resource import Context

__all__ = ["move"]

_DEADLINE = 3600.0
_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


def move(cluster: Cluster, factors: Mapping[str, int], context: Context) -> dict[str, str]:
    """Bring topics to the given factors, and wait until they are.

    Args:
        cluster: that has them.
        factors: wanted replicas of each partition, by topic.
        context: of the operation; its timeout is how long to wait, an hour by default.

    Returns:
        Why topics that are not in order could not be brought there, by name.
    """
    _await(cluster, list(factors), context)  # what somebody else began
    zones = cluster.partitions.zones()
    possible = {name: factor for name, factor in factors.items() if factor <= len(zones)}
    failed = {
        name: f"Topic {name} can't have {factor} replicas: {len(zones)} brokers are alive."
        for name, factor in factors.items()
        if name not in possible
    }
    wanted: dict[Partition, tuple[int, ...]] = {}
    for name, present in cluster.partitions.replicas(list(possible)).items():
        for index, nodes in placed(present, possible[name], zones).items():
            if nodes != present[index].nodes:
                wanted[name, index] = nodes
    answers = cluster.partitions.reassign(wanted)
    for (name, index), answer in answers.items():
        if isinstance(answer, Refusal):
            failed[name] = f"Replicas of {name}-{index} could not be moved. Kafka: {answer}"
    _await(cluster, list(possible), context)
    return failed


def _await(cluster: Cluster, names: list[str], context: Context) -> None:
    deadline = time.monotonic() + (context.timeout or _DEADLINE)
    most, wait = 0, _PAUSE
    while moving := cluster.partitions.moving(names):
        most = max(most, len(moving))
        if time.monotonic() > deadline:
            raise ClusterError(
                f"{len(moving)} partitions are still on their way to other brokers. They move on "
                "by themselves; run the update again to wait for them, or grant it more time with "
                "the resource option custom_timeouts."
            )
        context.progress(f"moving replicas: {most - len(moving)} of {most} partitions are there")
        context.pause(wait)
        wait = min(2 * wait, _LONGEST_PAUSE)
