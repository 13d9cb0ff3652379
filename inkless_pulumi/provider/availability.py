"""Whether a node may be stopped: nothing that serves now may become unavailable by it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from inkless_pulumi.provider.cluster_view import ClusterView, level_voters, serves
from inkless_pulumi.provider.kafka.model import PartitionState, QuorumState
from inkless_pulumi.provider.readiness import Node, Waiting, summary

__all__ = ["MayStop", "MustNot", "Shortage", "may_stop"]

Shortage = Literal["refuse", "wait", "accept"]
"""What to do about topics that no healthy cluster could keep available while a node is down, as
their replicas are no more than their `min.insync.replicas`, or one: refuse at once; wait until
somebody gives them more replicas; or accept that they are unavailable meanwhile."""


@dataclass(frozen=True)
class MayStop:
    """The node may be stopped."""

    unavailable: tuple[str, ...] = ()
    """Topics that can't be written, or not be read either, until it is back; accepted."""


@dataclass(frozen=True)
class MustNot:
    """No waiting mends it; `topics` are those that would be unavailable."""

    topics: tuple[str, ...]


def may_stop(seen: ClusterView, node: Node, shortage: Shortage) -> MayStop | Waiting | MustNot:
    """Decide whether a node may be stopped.

    1. A node that does not serve may: it is no broker that takes requests, and its vote is not
       cast. So the node that a failed roll left behind can always be replaced.
    2. Otherwise the quorum must outlive it: there is an active controller, and without the node the
       voters that are level with it are still more than half of all voters (controllers).
    3. No partition may be below its minimum anywhere: fewer replicas in sync than
       `min.insync.replicas`, or than its number of replicas if that is less. The cluster is ill
       then, and is not made to do with one node less.
    4. Every partition with the node in its ISR must keep its minimum, and at least one replica,
       without it (brokers). Where replicas are missing from the ISR, that is waited for. Where none
       is missing there can't be more, however long one waits: such topics are named, and refused,
       waited for or accepted, as the user chose. An ISR that holds the node alone is never given
       up while other replicas lag: they would miss records that were acknowledged.

    Diskless topics have a minimum of 0: any broker serves them.
    """
    if not serves(seen, node):
        return MayStop()
    at_risk = [part for part in seen.partitions if _falls_short(part, node, seen.min_in_sync)]
    lasting = {part.topic for part in at_risk if _is_whole(part)}
    reasons = [
        *_quorum(seen.quorum, node),
        *summary(
            (part for part in seen.partitions if _is_ill(part, seen.min_in_sync)),
            "below min.insync.replicas",
        ),
        *summary(
            (part for part in at_risk if not _is_whole(part)),
            f"would fall below min.insync.replicas without {node.name}",
        ),
    ]
    topics = tuple(sorted(lasting))
    if topics and shortage == "refuse":
        return MustNot(topics)
    if topics and shortage == "wait":
        reasons.append(
            f"{', '.join(topics)} would be unavailable without {node.name}: no more replicas than "
            "min.insync.replicas asks for"
        )
    return Waiting(tuple(reasons)) if reasons else MayStop(topics)


def _quorum(quorum: QuorumState | None, node: Node) -> Iterator[str]:
    if quorum is None:
        yield "the metadata quorum has no active controller"
    elif node.is_controller:
        others = len(level_voters(quorum) - {node.node_id})
        if 2 * others <= len(quorum.voters):
            yield (
                f"without {node.name} only {others} of {len(quorum.voters)} voters would be level "
                f"with the active controller (node {quorum.leader}), and more than half must be"
            )


def _is_whole(partition: PartitionState) -> bool:
    return len(partition.in_sync) >= len(partition.replicas)


def _is_ill(partition: PartitionState, min_in_sync: Mapping[str, int]) -> bool:
    minimum = min_in_sync.get(partition.topic, 1)
    return len(partition.in_sync) < min(minimum, len(partition.replicas))


def _falls_short(partition: PartitionState, node: Node, min_in_sync: Mapping[str, int]) -> bool:
    minimum = min_in_sync.get(partition.topic, 1)
    if node.node_id not in partition.in_sync or minimum == 0:
        return False
    return len(partition.in_sync) - 1 < max(1, minimum)
