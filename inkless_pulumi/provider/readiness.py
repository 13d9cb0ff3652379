"""Whether a node that was started or changed serves again, so that the next one may be touched."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from inkless_pulumi.provider.kafka.model import (
    BrokerState,
    DisklessWrite,
    PartitionState,
    QuorumState,
    ReplicaState,
)

__all__ = [
    "Node",
    "Observation",
    "Ready",
    "Waiting",
    "decide",
    "only_the_write_is_missing",
    "summary",
    "under_replicated",
]

LONGEST_LAG_MS = 5_000
"""A voter fetches at least every half second (KafkaRaftClient.MAX_FETCH_WAIT_MS); one that was not
level with the active controller for this long hangs, or is gone."""
_NAMED_PARTITIONS = 3


@dataclass(frozen=True)
class Node:
    """The node that is waited for."""

    node_id: int
    name: str
    roles: frozenset[str]
    address: str
    """`host:port` of its own listener for administrators; only a broker has one."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """The settings that it should have read when it started."""

    @property
    def is_broker(self) -> bool:
        """It stores partitions and answers clients."""
        return "broker" in self.roles

    @property
    def is_controller(self) -> bool:
        """It votes in the metadata quorum."""
        return "controller" in self.roles


@dataclass(frozen=True)
class Observation:
    """What was seen at one moment. What could not be seen is a problem, not a guess."""

    own_listener: str | None = None
    """Why the node's own listener does not answer; None: it does."""
    cluster: str | None = None
    """Why the rest could not be looked at; None: it could."""
    brokers: tuple[BrokerState, ...] = ()
    quorum: QuorumState | None = None
    """None: no active controller."""
    watched_since: int = 0
    """When the waiting began, by the active controller's own clock (ms): ours may differ."""
    partitions: tuple[PartitionState, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    """The settings that the node says to have read, those that it tells (brokers)."""
    min_in_sync: Mapping[str, int] = field(default_factory=dict)
    """Effective `min.insync.replicas` of the topics of `under_replicated(partitions)`."""
    diskless: DisklessWrite | None = None
    """A record to a diskless topic; None: not tried yet."""


@dataclass(frozen=True)
class Ready:
    """The next node may be touched."""


@dataclass(frozen=True)
class Waiting:
    """It may not, and why."""

    reasons: tuple[str, ...]


def decide(seen: Observation, node: Node) -> Ready | Waiting:
    """Decide whether a node is ready.

    All of this must hold; every part that does not is a reason to wait.

    1. The node itself answers (brokers). A client that knows no other address gets an answer from
       it. A killed node whose session has not run out yet is still registered, unfenced and in
       every ISR: the cluster's word alone would take the dead incarnation for the new one. While
       the node does not answer, nothing else is asked.
    2. The node is registered (brokers): its own view of the cluster has its id, at its address, not
       fenced. It may then lead partitions. Where nodes are both, brokers and controllers, so is
       every other voter: when a cluster is created only its last gate waits, and a topic needs a
       broker for each of its replicas.
    3. The node runs what it should (brokers): no setting that it tells is another than declared.
       Settings of Inkless and secrets it keeps to itself, and a lone controller tells none.
    4. The metadata quorum is whole.
       - There is an active controller.
       - The node follows it: a controller as one of the current voters (a new directory id stands
         among the observers until it was made a voter), a broker as an observer.
       - The node, and every current voter, was level with the active controller at a time after
         the waiting began and not more than `LONGEST_LAG_MS` ago. A vote that is counted but not
         cast, such as the one of a directory that is lost, would make the next stop the one too
         many.
    5. The data is safe.
       - The node is in the ISR of every partition it is a replica of.
       - No partition anywhere lacks a leader, has a replica on a node that is down, or has fewer
         replicas in sync than its `min.insync.replicas`. Diskless topics are among them.
    6. Diskless topics take records through the node (brokers), where there are any: one that was
       written to a topic of our own was acknowledged. It took the node, Postgres and the bucket;
       no replica list says anything about those. It is tried last, when all the rest holds, and
       while it was not tried the node is waited for.
    """
    if node.is_broker and seen.own_listener is not None:
        return Waiting((f"{node.name} does not answer at {node.address}: {seen.own_listener}",))
    if seen.cluster is not None:
        return Waiting((seen.cluster,))
    reasons = [
        *(_registration(seen.brokers, node) if node.is_broker else ()),
        *_configuration(seen.configuration, node),
        *_fellows(seen.brokers, seen.quorum, node),
        *_quorum(seen.quorum, seen.watched_since, node),
        *_partitions(seen.partitions, seen.min_in_sync, node),
        *(_diskless(seen.diskless, node) if node.is_broker else ()),
    ]
    return Waiting(tuple(reasons)) if reasons else Ready()


def only_the_write_is_missing(seen: Observation, node: Node) -> bool:
    """Whether a record to a diskless topic is all that could still hold the node back."""
    if seen.diskless is not None:
        return False
    return decide(replace(seen, diskless=DisklessWrite(None)), node) == Ready()


def under_replicated(partitions: Iterable[PartitionState]) -> Iterator[PartitionState]:
    """Partitions with a replica that is not in sync: the only ones below a minimum, if any are."""
    return (part for part in partitions if len(part.in_sync) < len(part.replicas))


def _registration(brokers: Iterable[BrokerState], node: Node) -> Iterator[str]:
    registered = next((broker for broker in brokers if broker.node_id == node.node_id), None)
    if registered is None:
        yield f"{node.name} is not registered with the controllers"
    elif registered.fenced:
        yield f"{node.name} is registered, but fenced: it has not caught up with the metadata"
    elif registered.address != node.address:
        yield (
            f"node {node.node_id} is registered at {registered.address}, "
            f"and {node.name} should be at {node.address}"
        )


def _configuration(told: Mapping[str, str], node: Node) -> Iterator[str]:
    for name, value in node.configuration.items():
        if told.get(name, value) != value:
            yield f"{node.name} runs with {name}={told[name]}, and should with {value}"


def _fellows(
    brokers: Iterable[BrokerState], quorum: QuorumState | None, node: Node
) -> Iterator[str]:
    """Where a node is both, the other voters are brokers too."""
    if quorum is None or not (node.is_broker and node.is_controller):
        return
    serving = {broker.node_id for broker in brokers if not broker.fenced}
    for node_id in sorted({voter.node_id for voter in quorum.voters} - serving - {node.node_id}):
        yield f"node {node_id} votes, but is not registered as a broker that may serve"


def _quorum(quorum: QuorumState | None, since: int, node: Node) -> Iterator[str]:
    if quorum is None:
        yield "the metadata quorum has no active controller"
        return
    followers = quorum.voters if node.is_controller else quorum.observers
    if not any(follower.node_id == node.node_id for follower in followers):
        role = "voter" if node.is_controller else "observer"
        yield f"{node.name} is no {role} of the metadata quorum"
    own = [] if node.is_controller else _of_node(quorum.observers, node.node_id)
    for replica in (*quorum.voters, *own):
        yield from _lag(replica, quorum, since)


def _of_node(replicas: Iterable[ReplicaState], node_id: int) -> list[ReplicaState]:
    """The newest entry of a node: an observer's earlier directory stays listed for minutes."""
    own = [replica for replica in replicas if replica.node_id == node_id]
    return sorted(own, key=lambda replica: replica.last_fetch)[-1:]


def _lag(replica: ReplicaState, quorum: QuorumState, since: int) -> Iterator[str]:
    behind = max(0, quorum.high_watermark - replica.log_end_offset)
    lag = quorum.now - replica.last_caught_up
    if replica.last_caught_up < since:
        yield (
            f"node {replica.node_id} has not caught up with the active controller "
            f"(node {quorum.leader}) since the waiting began; it is {behind} records behind"
        )
    elif lag > LONGEST_LAG_MS:
        yield (
            f"node {replica.node_id} was last level with the active controller "
            f"(node {quorum.leader}) {lag / 1000:.0f} s ago; it is {behind} records behind"
        )


def _partitions(
    partitions: Iterable[PartitionState],
    min_in_sync: Mapping[str, int],
    node: Node,
) -> Iterator[str]:
    partitions = tuple(partitions)
    yield from summary(
        (p for p in partitions if node.node_id in p.replicas and node.node_id not in p.in_sync),
        f"not in sync yet on {node.name}",
    )
    yield from summary((p for p in partitions if p.leader is None), "without a leader")
    yield from summary(
        (p for p in partitions if p.offline), "with a replica on a node that is down"
    )
    yield from summary(
        (p for p in under_replicated(partitions) if len(p.in_sync) < min_in_sync.get(p.topic, 1)),
        "below min.insync.replicas",
    )


def _diskless(write: DisklessWrite | None, node: Node) -> Iterator[str]:
    if write is None:
        yield f"no record was written to a diskless topic through {node.name} yet"
    elif write.taken is False:
        yield (
            f"{node.name} takes no record for a diskless topic: {write.reason}; it needs Postgres "
            "and the bucket for it"
        )


def summary(partitions: Iterable[PartitionState], what: str) -> Iterator[str]:
    """One line about some partitions, the first of them by name; none when there are none."""
    names = sorted(f"{partition.topic}-{partition.partition}" for partition in partitions)
    if names:
        more = ", …" if len(names) > _NAMED_PARTITIONS else ""
        noun = "partition" if len(names) == 1 else "partitions"
        yield f"{len(names)} {noun} {what} ({', '.join(names[:_NAMED_PARTITIONS])}{more})"
