"""A cluster in memory that answers the plugin's requests, for tests of the resources."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from inkless_pulumi.core.errors import ClusterError, InklessError, SecretStoreError
from inkless_pulumi.provider.kafka.connection import ConnectionInputs
from inkless_pulumi.provider.kafka.model import (
    Acl,
    BrokerState,
    DisklessWrite,
    Mechanism,
    NewTopic,
    Partition,
    PartitionState,
    QuorumState,
    QuotaEntity,
    Reassignment,
    Refusal,
    ReplicaState,
    ScramCredential,
    Switch,
    TopicEnd,
    TopicState,
)
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.secret_stores import SecretStoreInputs, StoredSecret

STORE = SecretStoreInputs(region="eu-central-1")
CONNECTION = ConnectionInputs(
    bootstrap_servers="10.42.0.10:9094",
    ca_certificate="the CA",
    identity_secret_id="admin",
    secret_store=STORE,
    image="registry/inkless@sha256:1234",
)
UNKNOWN_TOPIC = Refusal("UNKNOWN_TOPIC_OR_PARTITION", "no such topic")


class MemoryTopics:
    """Topics that exist as soon as they are asked for, unless they are to be `refused`."""

    def __init__(self) -> None:
        self.all: dict[str, TopicState] = {}
        self.diskless = True
        self.postgres = True
        """While it is down, half of a diskless topic is made."""
        self.halves: set[str] = set()
        self.switched: set[str] = set()
        """Classic topics that were told to be diskless."""
        self.refused: dict[str, Refusal] = {}
        self.failing: list[InklessError] = []
        """Raised by the next requests that change something."""
        self.alterations: list[Mapping[str, Mapping[str, str | None]]] = []
        self.creations: list[list[str]] = []
        self.made = 0

    def create(self, topics: Sequence[NewTopic]) -> Mapping[str, str | Refusal]:
        self._fail()
        self.creations.append([topic.name for topic in topics])
        return {topic.name: self._create(topic) for topic in topics}

    def _create(self, topic: NewTopic) -> str | Refusal:
        if topic.name in self.refused:
            return self.refused[topic.name]
        if topic.name in self.all:
            return Refusal("TOPIC_ALREADY_EXISTS", f"Topic '{topic.name}' already exists.")
        if "diskless.enable" in topic.settings and not self.diskless:
            return Refusal("INVALID_CONFIG", "Unknown topic config name: diskless.enable")
        self.made += 1
        factor = topic.replication_factor or 3
        topic_id = f"id-{self.made}"
        self.all[topic.name] = TopicState(
            topic.name, topic_id, topic.partitions, factor, dict(topic.settings)
        )
        if "diskless.enable" in topic.settings and not self.postgres:
            self.halves.add(topic.name)
            return Refusal("UNKNOWN", "the server experienced an unexpected error")
        return topic_id

    def describe(
        self, names: Sequence[str], keys: Collection[str] | None = None
    ) -> Mapping[str, TopicState]:
        return {name: self._shown(self.all[name], keys) for name in names if name in self.all}

    def _shown(self, topic: TopicState, keys: Collection[str] | None) -> TopicState:
        shown = {key: value for key, value in topic.settings.items() if keys is None or key in keys}
        return replace(topic, settings=shown)

    def names(self) -> Sequence[str]:
        return sorted(self.all)

    def _fail(self) -> None:
        if self.failing:
            raise self.failing.pop()

    def add_partitions(self, counts: Mapping[str, int]) -> Mapping[str, Refusal | None]:
        self._fail()
        for name, count in counts.items():
            if name not in self.refused:
                self.all[name] = replace(self.all[name], partitions=count)
        return {name: self.refused.get(name) for name in counts}

    def alter(
        self, changes: Mapping[str, Mapping[str, str | None]]
    ) -> Mapping[str, Refusal | None]:
        self._fail()
        self.alterations.append(changes)
        if not self.diskless and any("diskless.enable" in changed for changed in changes.values()):
            return dict.fromkeys(
                changes, Refusal("INVALID_CONFIG", "Unknown topic config name: diskless.enable")
            )
        for name, changed in changes.items():
            if name in self.refused:
                continue
            if changed.get("diskless.enable") == "true":
                self.switched.add(name)
            merged = {**self.all[name].settings, **changed}
            left = {key: value for key, value in merged.items() if value is not None}
            self.all[name] = replace(self.all[name], settings=left)
        return {name: self.refused.get(name) for name in changes}

    def delete(self, names: Sequence[str]) -> Mapping[str, Refusal | None]:
        self._fail()
        return {name: self.refused.get(name, self._delete(name)) for name in names}

    def _delete(self, name: str) -> Refusal | None:
        if name in self.refused:
            return None
        self.halves.discard(name)
        return None if self.all.pop(name, None) else UNKNOWN_TOPIC


class MemoryPartitions:
    """Partitions of the topics; those that are reassigned take a look to get there.

    Until then they have the replicas of before as well, as in Kafka.
    """

    def __init__(self, topics: MemoryTopics, nodes: "MemoryNodes") -> None:
        self._topics = topics
        self._nodes = nodes
        self._asked: dict[Partition, tuple[int, ...]] = {}
        self._coming: dict[Partition, tuple[int, ...]] = {}
        self.stuck = False
        self.refused: Refusal | None = None
        self.with_records: set[str] = set()
        self.alive: dict[int, str] = {1: "a", 2: "b", 3: "c"}
        self.asked: list[Mapping[Partition, Sequence[int]]] = []
        self.on_their_way: set[Partition] = set()
        self.never_there: set[Partition] = set()
        """Partitions that move for ever."""
        self.adding: dict[Partition, tuple[int, ...]] = {}
        """The brokers that copy a partition which moves; none of those that are not named."""
        self.silent: set[int] = set()
        """Brokers that do not tell sizes."""
        self.bytes: dict[tuple[int, Partition], int] = {}
        self.lists: dict[str, dict[str, str]] = {}
        """Throttled replicas, by topic and setting."""
        self.throttled_at_last: Mapping[str, Mapping[str, str]] = {}
        """What they were when something was last reassigned."""
        self.unsealed: set[Partition] = set()
        """Partitions whose switch to diskless is pending; each look at them seals one."""
        self.sealed: set[Partition] = set()
        self.never_sealed = False

    def switches(self, names: Sequence[str]) -> Mapping[str, Mapping[int, Switch]]:
        found = {name: self._switches(self._topics.all[name]) for name in names}
        if self.unsealed and not self.never_sealed:
            self.sealed.add(self.unsealed.pop())
        return found

    def _switches(self, topic: TopicState) -> Mapping[int, Switch]:
        if topic.name in self._topics.switched:
            self._topics.switched.discard(topic.name)
            self.unsealed |= {(topic.name, index) for index in range(topic.partitions)}
        return {index: self._switch((topic.name, index)) for index in range(topic.partitions)}

    def _switch(self, partition: Partition) -> Switch:
        if partition in self.unsealed:
            return "pending"
        return "sealed" if partition in self.sealed else "none"

    def ends(self, names: Sequence[str]) -> Mapping[str, TopicEnd]:
        return {
            name: TopicEnd(name not in self._topics.halves, name in self.with_records)
            for name in names
            if name in self._topics.all
        }

    def zones(self) -> Mapping[int, str]:
        return self.alive

    def states(self) -> tuple[PartitionState, ...]:
        """The partitions of topics."""
        return tuple(
            PartitionState(topic.name, index, nodes[0], nodes, nodes, ())
            for topic in self._topics.all.values()
            for nodes in [tuple(self.alive)[: topic.replication_factor]]
            for index in range(topic.partitions)
        )

    def sizes(self, node_id: int, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        if node_id in self.silent:
            raise ClusterError("it does not answer")
        found = {where: self.bytes.get((node_id, where)) for where in partitions}
        return {where: size for where, size in found.items() if size is not None}

    def throttled(self, names: Sequence[str] | None = None) -> Mapping[str, Mapping[str, str]]:
        return {
            topic: dict(lists)
            for topic, lists in self.lists.items()
            if lists and (names is None or topic in names)
        }

    def throttle(
        self, lists: Mapping[str, Mapping[str, str | None]]
    ) -> Mapping[str, Refusal | None]:
        for topic, changes in lists.items():
            merged = {**self.lists.get(topic, {}), **changes}
            self.lists[topic] = {name: text for name, text in merged.items() if text is not None}
        return dict.fromkeys(lists)

    def reassign(
        self, wanted: Mapping[Partition, Sequence[int]]
    ) -> Mapping[Partition, Refusal | None]:
        self.asked.append(wanted)
        self.throttled_at_last = {topic: dict(lists) for topic, lists in self.lists.items()}
        if self.refused is not None:
            return dict.fromkeys(wanted, self.refused)
        placed = {
            where: tuple(new)
            for where, new in wanted.items()
            if where in self._nodes.placed and where[0] not in self._topics.all
        }
        if placed:
            self._asked |= placed
            for where, new in placed.items():
                both = (*new, *self._nodes.placed[where])
                self._nodes.placed[where] = tuple(dict.fromkeys(both))
            return dict.fromkeys(wanted)
        for (name, index), nodes in wanted.items():
            if name in self._topics.refused:
                continue
            topic = self._topics.all[name]
            self._topics.all[name] = replace(topic, replication_factor=len(nodes))
            self.on_their_way.add((name, index))
        return {partition: self._topics.refused.get(partition[0]) for partition in wanted}

    def moving(self, names: Collection[str] | None = None) -> Mapping[Partition, Reassignment]:
        if not self.stuck:
            self._nodes.placed |= self._coming
            self._coming = {}
        self._coming |= self._asked
        self._asked = {}
        moving = {*self._coming, *self.on_their_way, *self.never_there}
        found = sorted(where for where in moving if names is None or where[0] in names)
        if found and not self.stuck:
            self.on_their_way.discard(found[0])
        return {
            where: Reassignment(self._nodes.placed.get(where, ()), self.adding.get(where, ()))
            for where in found
        }


class MemoryUsers:
    """SCRAM credentials; `fail_next` loses the connection once, before anything is done."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, Mechanism], ScramCredential] = {}
        self.fail_next: InklessError | None = None

    def of(self, user: str, mechanism: Mechanism = "SCRAM-SHA-512") -> ScramCredential:
        return self.all[user, mechanism]

    def add(self, credential: ScramCredential) -> None:
        self.all[credential.user, credential.mechanism] = credential

    def describe(self, names: Sequence[str]) -> Mapping[str, Mapping[Mechanism, int]]:
        found: dict[str, dict[Mechanism, int]] = {}
        for (user, mechanism), credential in self.all.items():
            if user in names:
                found.setdefault(user, {})[mechanism] = credential.iterations
        return found

    def alter(
        self,
        credentials: Sequence[ScramCredential],
        removed: Sequence[tuple[str, Mechanism]] = (),
    ) -> Mapping[str, Refusal | None]:
        if self.fail_next is not None:
            failure, self.fail_next = self.fail_next, None
            raise failure
        users = [*(user for user, _ in removed), *(credential.user for credential in credentials)]
        twice = {user for user in users if users.count(user) > 1}  # as a controller refuses it
        for user, mechanism in removed:
            if user not in twice:
                self.all.pop((user, mechanism), None)
        for credential in credentials:
            if credential.user not in twice:
                self.add(credential)
        refusal = Refusal("DUPLICATE_RESOURCE", "A user credential cannot be altered twice")
        return {user: refusal if user in twice else None for user in users}


class MemoryAcls:
    """Access control entries."""

    def __init__(self) -> None:
        self.all: set[Acl] = set()
        self.refused: dict[str, Refusal] = {}

    def create(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        answers = {acl: self.refused.get(acl.operation) for acl in acls}
        self.all |= {acl for acl, answer in answers.items() if answer is None}
        return answers

    def describe(self, like: Acl) -> frozenset[Acl]:
        return frozenset(acl for acl in self.all if replace(acl, operation=like.operation) == like)

    def delete(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        self.all -= set(acls)
        return dict.fromkeys(acls)


class MemoryQuotas:
    """Quotas by entity."""

    def __init__(self) -> None:
        self.all: dict[QuotaEntity, dict[str, float]] = {}

    def describe(self, entity: QuotaEntity) -> Mapping[str, float]:
        return self.all.get(entity, {})

    def alter(self, entity: QuotaEntity, changes: Mapping[str, float | None]) -> Refusal | None:
        merged = {**self.all.get(entity, {}), **changes}
        self.all[entity] = {key: value for key, value in merged.items() if value is not None}
        return None


class MemoryNodes:
    """One healthy combined node, unless told otherwise; its clock goes on with each look."""

    def __init__(self) -> None:
        self.state: tuple[BrokerState, ...] = (BrokerState(1, "10.42.0.10:9094", fenced=False),)
        self.in_sync: tuple[int, ...] | None = None
        """None: every replica is."""
        self.active: int | None = 1
        self.clock = 1_000
        self.placed: dict[Partition, tuple[int, ...]] = {("orders", 0): (1,)}
        self.unregistered: list[int] = []
        self.others: Callable[[], tuple[PartitionState, ...]] = tuple
        """Partitions beside those that are placed."""

    def unregister(self, node_id: int) -> None:
        self.unregistered.append(node_id)

    def brokers(self, ask: int | None = None) -> tuple[BrokerState, ...]:
        return self.state

    def quorum(self) -> QuorumState:
        if self.active is None:
            raise ClusterError("Kafka: no leader")
        self.clock += 500
        leader = ReplicaState(1, "directory", 9, self.clock, self.clock)
        return QuorumState(self.active, 9, (leader,), ())

    def partitions(self, ask: int | None = None) -> tuple[PartitionState, ...]:
        return (
            tuple(
                PartitionState(
                    topic, number, held[0], held, held if self.in_sync is None else self.in_sync, ()
                )
                for (topic, number), held in self.placed.items()
            )
            + self.others()
        )

    def min_in_sync(self, topics: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(topics, 1)


class MemoryDiskless:
    """The way of diskless records: it is clear, unless told otherwise."""

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.answers: list[DisklessWrite] = []
        """To the next writes; after them all are taken."""
        self.asked: list[int] = []

    def in_use(self, topics: Sequence[str]) -> bool:
        return not self.topics.isdisjoint(topics)

    def write(self, node_id: int) -> DisklessWrite:
        self.asked.append(node_id)
        return self.answers.pop(0) if self.answers else DisklessWrite(True)


class MemorySettings:
    """Settings that all brokers have as soon as they are set."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {"min.insync.replicas": "2"}
        self.files: dict[str, str] = {}
        self.alterations: list[Mapping[str, str | None]] = []
        self.refused: Refusal | None = None

    def describe(self) -> Mapping[str, str]:
        return dict(self.all)

    def read_at_start(self, node_id: int, names: Sequence[str]) -> Mapping[str, str]:
        return {name: self.files[name] for name in names if name in self.files}

    def alter(self, changes: Mapping[str, str | None]) -> Refusal | None:
        self.alterations.append(changes)
        if self.refused is None:
            merged = {**self.all, **changes}
            self.all = {name: value for name, value in merged.items() if value is not None}
        return self.refused


class MemoryFeatures:
    """Nodes of one version support what that version does."""

    def __init__(self) -> None:
        self.finalised = 27
        self.supported = 27
        self.refused: str | None = None

    def metadata_version(self) -> tuple[int, int]:
        return self.finalised, self.supported

    def finalise(self, level: int) -> str | None:
        if self.refused is None:
            self.finalised = level
        return self.refused


@dataclass
class MemoryCluster:
    """All of it."""

    topics: MemoryTopics = field(default_factory=MemoryTopics)
    partitions: MemoryPartitions = field(init=False)
    users: MemoryUsers = field(default_factory=MemoryUsers)
    acls: MemoryAcls = field(default_factory=MemoryAcls)
    quotas: MemoryQuotas = field(default_factory=MemoryQuotas)
    nodes: MemoryNodes = field(default_factory=MemoryNodes)
    diskless: MemoryDiskless = field(default_factory=MemoryDiskless)
    settings: MemorySettings = field(default_factory=MemorySettings)
    features: MemoryFeatures = field(default_factory=MemoryFeatures)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.partitions = MemoryPartitions(self.topics, self.nodes)
        self.nodes.others = self.partitions.states

    def open(self, connection: ConnectionInputs, context: Context) -> "MemoryCluster":
        self.opened.append(connection.bootstrap_servers)
        return self

    @contextmanager
    def open_node(
        self, connection: ConnectionInputs, servers: str, context: Context
    ) -> Iterator["MemoryCluster"]:
        self.opened.append(servers)
        yield self


class MemoryStore:
    """A secret store; `secrets` has the containers, with None where there is no value yet."""

    def __init__(self, *empty: str) -> None:
        self.values: dict[str, StoredSecret | None] = dict.fromkeys(empty)
        self.writes = 0

    def open(self, inputs: SecretStoreInputs) -> "MemoryStore":
        return self

    def find(self, secret_id: str) -> StoredSecret | None:
        return self.values.get(secret_id)

    def read(self, secret_id: str) -> str:
        found = self.find(secret_id)
        if found is None:
            raise SecretStoreError(f"no secret {secret_id}")
        return found.value

    def write(self, secret_id: str, value: str) -> str:
        if secret_id not in self.values:
            raise SecretStoreError(f"no secret {secret_id}")
        self.writes += 1
        self.values[secret_id] = StoredSecret(value, f"version-{self.writes}")
        return f"version-{self.writes}"


@dataclass
class Screen:
    """What an operation told the user."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def context(self, timeout: float | None = None) -> Context:
        return Context(
            name="it",
            urn="urn:pulumi:dev::project::inkless:index:Any::it",
            progress=self.lines.append,
            warn=self.warnings.append,
            timeout=timeout,
            cancelled=self.cancelled,
        )
