"""What is asked of a cluster and what it answers, as plain values."""

import base64
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from inkless_pulumi.core.errors import ConnectionFailed

__all__ = [
    "UNKNOWN_TOPIC",
    "Acl",
    "AclRequests",
    "BrokerState",
    "Cluster",
    "DisklessRequests",
    "DisklessWrite",
    "FeatureRequests",
    "Finding",
    "Mechanism",
    "NewTopic",
    "NodeRequests",
    "Partition",
    "PartitionRequests",
    "PartitionState",
    "QuorumState",
    "QuotaEntity",
    "QuotaRequests",
    "Reassignment",
    "Refusal",
    "ReplicaState",
    "ScramCredential",
    "SettingRequests",
    "Switch",
    "TopicEnd",
    "TopicRequests",
    "TopicState",
    "Unreachable",
    "UserRequests",
    "kafka_uuid",
]


UNKNOWN_TOPIC: Final = "UNKNOWN_TOPIC_OR_PARTITION"
"""The error of a `Refusal` about a topic that does not exist."""


@dataclass(frozen=True)
class Refusal:
    """An answer of Kafka's that is an error, about one item of a request."""

    error: str
    """Kafka's name of the error, for example `TOPIC_ALREADY_EXISTS`."""
    message: str
    """What the broker says about it; may be empty."""

    def __str__(self) -> str:
        return f"{self.error}: {self.message}" if self.message else self.error


@dataclass(frozen=True)
class Finding:
    """What was found out about an address that does not answer as it should."""

    address: str
    cause: str
    """`network`, `TLS`, `authentication`, or `service`: the way is clear, the answer is missing."""
    detail: str
    final: bool = False
    """Waiting can't mend it."""
    vacant: bool = False
    """The machine is there, and nothing listens at the port."""

    def __str__(self) -> str:
        return f"{self.detail} [{self.cause}]"


class Unreachable(ConnectionFailed):
    """No server answers; `findings` says of each why."""

    def __init__(self, text: str, findings: Sequence[Finding]) -> None:
        super().__init__(text)
        self.findings = tuple(findings)


@dataclass(frozen=True)
class NewTopic:
    """A topic to be created."""

    name: str
    partitions: int
    replication_factor: int | None
    """None: the cluster's default."""
    settings: Mapping[str, str]
    """Kafka's names and values; `diskless.enable` is one of them on a diskless topic."""


@dataclass(frozen=True)
class TopicState:
    """A topic as the cluster has it."""

    name: str
    topic_id: str
    partitions: int
    replication_factor: int
    settings: Mapping[str, str]
    """What is set on the topic itself; what it has by default is not in it."""
    has_leaders: bool = True
    """Every partition has a leader, so that it can be written and read."""


Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256"]


Partition = tuple[str, int]
"""A topic's name and a partition's index."""


@dataclass(frozen=True)
class Reassignment:
    """A partition on its way to other brokers."""

    replicas: tuple[int, ...]
    """Those of before and those to come."""
    adding: tuple[int, ...]
    """The brokers that still copy it."""


@dataclass(frozen=True)
class TopicEnd:
    """What was written to a topic."""

    served: bool
    """Every partition answers. A diskless topic that lacks its rows in Postgres does not."""
    written: bool
    """Some partition had a record once, even if none is left."""


@dataclass(frozen=True)
class ScramCredential:
    """A user's credential to be set: Kafka keeps one for each mechanism."""

    user: str
    password: str = field(repr=False)
    iterations: int
    mechanism: Mechanism = "SCRAM-SHA-512"


QuotaEntity = tuple[tuple[str, str | None], ...]
"""Whom a quota holds for: `user`, `client-id` or both, with the name; None: those without one."""


@dataclass(frozen=True)
class Acl:
    """One access control entry. The words are Kafka's, in lower case (`describe_configs`)."""

    principal: str
    host: str
    resource_type: str
    resource_name: str
    pattern_type: str
    operation: str
    permission: str


@dataclass(frozen=True)
class BrokerState:
    """A broker's registration as the cluster has it."""

    node_id: int
    address: str
    """`host:port` of the listener that was asked."""
    fenced: bool
    rack: str | None = None
    """The zone it is in."""


@dataclass(frozen=True)
class PartitionState:
    """One partition's replicas."""

    topic: str
    partition: int
    leader: int | None
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    offline: tuple[int, ...]


@dataclass(frozen=True)
class ReplicaState:
    """A node's progress in the metadata log, by the active controller's clock (ms)."""

    node_id: int
    directory_id: str | None
    log_end_offset: int
    last_fetch: int
    last_caught_up: int


@dataclass(frozen=True)
class DisklessWrite:
    """What became of a record that was written to a diskless topic through a node."""

    taken: bool | None
    """None: there was nothing to find out, as no topic is diskless or the cluster has none."""
    reason: str = ""
    """Why it was not taken, or not tried."""


@dataclass(frozen=True)
class QuorumState:
    """The metadata quorum."""

    leader: int
    high_watermark: int
    voters: tuple[ReplicaState, ...]
    observers: tuple[ReplicaState, ...]

    @property
    def now(self) -> int:
        """The active controller's clock: it reports itself as fetching right now."""
        return max(replica.last_fetch for replica in (*self.voters, *self.observers))


class TopicRequests(Protocol):
    """Requests about topics."""

    def create(self, topics: Sequence[NewTopic]) -> Mapping[str, str | Refusal]:
        """Create topics; answers each one's id."""

    def describe(
        self, names: Sequence[str], keys: Collection[str] | None = None
    ) -> Mapping[str, TopicState]:
        """Look topics up; one that does not exist is not in the answer.

        Args:
            names: of the topics.
            keys: the settings to look at, None: all. Fewer are quicker.
        """

    def names(self) -> Sequence[str]:
        """List all topics but Kafka's own."""

    def add_partitions(self, counts: Mapping[str, int]) -> Mapping[str, Refusal | None]:
        """Raise topics to a number of partitions."""

    def alter(
        self,
        changes: Mapping[str, Mapping[str, str | None]],
    ) -> Mapping[str, Refusal | None]:
        """Set settings, or with None unset them; what is not named stays as it is."""

    def delete(self, names: Sequence[str]) -> Mapping[str, Refusal | None]:
        """Delete topics."""


Switch = Literal["none", "pending", "sealed"]
"""How far a partition's way from classic to diskless is: not begun (or never needed), waiting for
the end of its classic log to be agreed on, or agreed on."""


class PartitionRequests(Protocol):
    """Requests about partitions."""

    def ends(self, names: Sequence[str]) -> Mapping[str, TopicEnd]:
        """Tell what was written to topics; one that does not exist is not in the answer."""

    def zones(self) -> Mapping[int, str]:
        """Tell the zone of each broker that is alive; one without has an empty one."""

    def reassign(
        self, wanted: Mapping[Partition, Sequence[int]]
    ) -> Mapping[Partition, Refusal | None]:
        """Start to move partitions to other brokers; returns when the controller agreed."""

    def switches(self, names: Sequence[str]) -> Mapping[str, Mapping[int, Switch]]:
        """Tell of each partition of topics how far its switch to diskless is; a topic that does not
        exist is not in the answer.
        """

    def moving(self, names: Collection[str] | None = None) -> Mapping[Partition, Reassignment]:
        """Find the partitions of topics that are on their way to other brokers; None: of any."""

    def sizes(self, node_id: int, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Tell how many bytes a broker has of each partition; one that it lacks is not in it."""

    def throttled(self, names: Sequence[str] | None = None) -> Mapping[str, Mapping[str, str]]:
        """Tell the lists of throttled replicas that topics have, by topic and setting; None: of
        all topics.
        """

    def throttle(
        self, lists: Mapping[str, Mapping[str, str | None]]
    ) -> Mapping[str, Refusal | None]:
        """Set lists of throttled replicas, or with None unset them."""


class UserRequests(Protocol):
    """Requests about SCRAM credentials."""

    def describe(self, names: Sequence[str]) -> Mapping[str, Mapping[Mechanism, int]]:
        """Iterations of each user's credentials; a user without any is not in the answer."""

    def alter(
        self,
        credentials: Sequence[ScramCredential],
        removed: Sequence[tuple[str, Mechanism]] = (),
    ) -> Mapping[str, Refusal | None]:
        """Set credentials, or remove those of a user's mechanisms; returns when every broker knows.

        A user is in one of the two, and once. One that is gone already is no error.
        """


class AclRequests(Protocol):
    """Requests about access control entries."""

    def create(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        """Add entries; one that exists already is no error. Returns when every broker knows."""

    def describe(self, like: Acl) -> frozenset[Acl]:
        """Find the entries that differ from `like` in the operation at most."""

    def delete(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        """Remove exactly these entries; one that is gone already is no error."""


class QuotaRequests(Protocol):
    """Requests about quotas."""

    def describe(self, entity: QuotaEntity) -> Mapping[str, float]:
        """Tell the limits of exactly this entity, by Kafka's names; none: an empty mapping."""

    def alter(self, entity: QuotaEntity, changes: Mapping[str, float | None]) -> Refusal | None:
        """Set limits, or with None remove them; what is not named stays as it is."""


class NodeRequests(Protocol):
    """Requests about the nodes of a cluster."""

    def brokers(self, ask: int | None = None) -> tuple[BrokerState, ...]:
        """List every registered broker, fenced ones too; `ask`: as that node sees it."""

    def quorum(self) -> QuorumState:
        """Describe the metadata quorum."""

    def partitions(self, ask: int | None = None) -> tuple[PartitionState, ...]:
        """Describe every partition of every topic; `ask`: as that node sees it."""

    def min_in_sync(self, topics: Sequence[str]) -> Mapping[str, int]:
        """Tell the effective `min.insync.replicas` of each topic; 0 of a diskless one."""

    def unregister(self, node_id: int) -> None:
        """Take a broker that has stopped off the books; one that is not there is no error."""


class DisklessRequests(Protocol):
    """Requests about the way of diskless records: a broker, Postgres and the bucket."""

    def in_use(self, topics: Sequence[str]) -> bool:
        """Tell whether any of these topics is diskless."""

    def write(self, node_id: int) -> DisklessWrite:
        """Write a record through a node, to no topic of the user's; says what became of it."""


class FeatureRequests(Protocol):
    """Requests about the feature levels of a cluster."""

    def metadata_version(self) -> tuple[int, int]:
        """Tell the finalised level, and the highest that a broker supports."""

    def finalise(self, level: int) -> str | None:
        """Raise the finalised level; answers why it was refused, None when it was not."""


class SettingRequests(Protocol):
    """Requests about the settings that all brokers share."""

    def describe(self) -> Mapping[str, str]:
        """Tell what is set for all brokers."""

    def alter(self, changes: Mapping[str, str | None]) -> Refusal | None:
        """Set settings, or with None unset them; returns when every broker has them."""

    def read_at_start(self, node_id: int, names: Sequence[str]) -> Mapping[str, str]:
        """Tell what a broker has read from its file; what it keeps to itself is not in it."""


class Cluster(Protocol):
    """A cluster that answers administrators' requests, in lists."""

    @property
    def topics(self) -> TopicRequests:
        """Requests about topics."""

    @property
    def partitions(self) -> PartitionRequests:
        """Requests about partitions."""

    @property
    def users(self) -> UserRequests:
        """Requests about SCRAM credentials."""

    @property
    def acls(self) -> AclRequests:
        """Requests about access control entries."""

    @property
    def quotas(self) -> QuotaRequests:
        """Requests about quotas."""

    @property
    def nodes(self) -> NodeRequests:
        """Requests about the nodes."""

    @property
    def diskless(self) -> DisklessRequests:
        """Requests about the way of diskless records."""

    @property
    def features(self) -> FeatureRequests:
        """Requests about the feature levels."""

    @property
    def settings(self) -> SettingRequests:
        """Requests about the settings that all brokers share."""


def kafka_uuid(value: uuid.UUID) -> str:
    """Spell an id as Kafka's own tools print it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(value.bytes).rstrip(b"=").decode()
