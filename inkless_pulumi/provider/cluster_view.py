"""The whole of a cluster as seen at one moment, for what is decided about its nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.model import BrokerState, Cluster, PartitionState, QuorumState
from inkless_pulumi.provider.readiness import LONGEST_LAG_MS, Node

__all__ = ["ClusterView", "level_voters", "look_at", "serves"]


@dataclass(frozen=True)
class ClusterView:
    """What the nodes that answer say."""

    brokers: tuple[BrokerState, ...] = ()
    quorum: QuorumState | None = None
    """None: no active controller."""
    partitions: tuple[PartitionState, ...] = ()
    min_in_sync: Mapping[str, int] = field(default_factory=dict)
    """Effective `min.insync.replicas` of every topic in `partitions`; 0 for a diskless one."""


def look_at(cluster: Cluster) -> ClusterView:
    """Ask for all of it.

    Raises:
        Unreachable: no node answers.
        ClusterError: one answers, and can't say.
    """
    brokers, partitions = cluster.nodes.brokers(), cluster.nodes.partitions()
    topics = sorted({partition.topic for partition in partitions})
    min_in_sync = cluster.nodes.min_in_sync(topics) if topics else {}
    try:
        quorum = cluster.nodes.quorum()
    except ClusterError:
        quorum = None
    return ClusterView(brokers, quorum, partitions, min_in_sync)


def level_voters(quorum: QuorumState) -> set[int]:
    """The voters whose vote counts: level with the active controller a moment ago."""
    return {
        voter.node_id
        for voter in quorum.voters
        if quorum.now - voter.last_caught_up <= LONGEST_LAG_MS
    }


def serves(seen: ClusterView, node: Node) -> bool:
    """Whether anything would be missed if the node stopped: requests taken, or a vote cast."""
    registered = any(b.node_id == node.node_id and not b.fenced for b in seen.brokers)
    if node.is_broker and registered:
        return True
    if not node.is_controller:
        return False
    # Without an active controller it can't be told whose vote is cast.
    return seen.quorum is None or node.node_id in level_voters(seen.quorum)
