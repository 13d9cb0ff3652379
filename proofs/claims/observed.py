"""A service as it is seen from outside, in plain values: what reports are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inkless_pulumi.provider.kafka.model import Acl, TopicState

__all__ = ["Machine", "Observed", "Record", "Update", "Watched"]


@dataclass(frozen=True)
class Machine:
    """What a node runs on."""

    instance_id: str
    started_at: str
    """When its broker's container was started, as the container engine has it."""
    address: str
    zone: str
    volume_id: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """Some of those that its Kafka has read at start."""
    image: str = ""
    """What its container was made of."""
    kafka: str = ""
    """The version of Kafka that runs."""
    heap_mib: int = 0
    certificate: str = ""
    """What it shows to who connects, as a fingerprint."""
    authority: str = ""
    """The key of the CA that signed it, as an identifier."""


@dataclass(frozen=True)
class Record:
    """A resource in the books of the account."""

    id: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Observed:
    """A service at a moment."""

    machines: Mapping[str, Machine] = field(default_factory=dict)
    """By node."""
    active_controller: str = ""
    """The node."""
    controllers: frozenset[str] = frozenset()
    """The nodes that have a vote."""
    feature_level: int = 0
    """Of `metadata.version`, as finalised."""
    topics: Mapping[str, TopicState] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings that are kept in the cluster, for all brokers."""
    access: frozenset[Acl] = frozenset()
    users: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By name, the SCRAM mechanisms for which a user has a password."""
    account: Mapping[str, Record] = field(default_factory=dict)
    """By type and logical name, `aws:ec2/vpc:Vpc kafka-vpc`."""
    recorded: frozenset[str] = frozenset()
    """All that Pulumi's state has, likewise."""
    protected: frozenset[str] = frozenset()
    """Names of topics, and of other resources, that can't be deleted."""


@dataclass(frozen=True)
class Watched:
    """What was seen while an update went on."""

    exit_code: int = 0
    steps: tuple[tuple[str, str], ...] = ()
    """The engine's, each as operation and type with logical name, in the order in which it came to
    them."""
    most_down: int = 0
    """How many brokers were fenced at the same time, at most."""
    unavailable: frozenset[str] = frozenset()
    """Topics that had, at some moment, a partition without a leader, or with fewer replicas in sync
    than `min.insync.replicas` asks of as many as it has."""
    unanswered: tuple[str, ...] = ()
    """What a producer that went on meanwhile complains of."""


@dataclass(frozen=True)
class Update:
    """An update that was carried out."""

    before: Observed
    after: Observed
    watched: Watched = field(default_factory=Watched)
