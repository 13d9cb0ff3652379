"""Topics: classic ones on the brokers' disks, diskless ones in object storage.

What Kafka can't do without losing data (fewer partitions, another name, another kind) is refused at
preview and is never a replacement. A topic carries no mark of who made it, so when one of the
declared name exists already at creation, it is taken for the leftover of an interrupted run only if
it is exactly as declared and no record was ever written to it; anything else must be imported.
"""

import time
from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from inkless_pulumi.core.catalogue import setting_text
from inkless_pulumi.core.errors import ClusterError, InklessError, Problem
from inkless_pulumi.core.topics import (
    DISKLESS,
    SERVER_OWNED,
    TopicDeclaration,
    TopicKind,
    change_problems,
    server_settings,
    topic_problems,
)
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
)
from inkless_pulumi.provider.kafka.model import Cluster, NewTopic, Refusal, TopicState
from inkless_pulumi.provider.resource import Context, Created, Incomplete, WireModel

__all__ = ["ClassicTopic", "DisklessTopic", "TopicInputs", "TopicOutputs"]

_UNKNOWN_TOPIC = "UNKNOWN_TOPIC_OR_PARTITION"
_SETTLED_SECONDS = 60.0
_VISIBLE_SECONDS = 10.0
_PAUSE = 0.2


class TopicInputs(WireModel):
    """A topic as declared."""

    name: str
    """The topic's name."""
    partitions: int
    """Number of partitions. It can be raised later, not lowered."""
    replication_factor: int | None = None
    """Copies of each partition. Default: the cluster's `default.replication.factor`."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Kafka's topic settings, such as `retention.ms`. What is not named has the cluster's value."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class TopicOutputs(WireModel):
    """What the cluster adds."""

    topic_id: str
    """The id that Kafka gave the topic; a topic that is made anew gets another."""


class _Topic(resource.Resource[TopicInputs, TopicOutputs]):
    """What both kinds have in common."""

    inputs = TopicInputs
    outputs = TopicOutputs
    stable_outputs = frozenset({"topic_id"})
    diskless: ClassVar[bool]

    def __init__(self, open_cluster: OpenCluster = CONNECTIONS.cluster) -> None:
        self._open_cluster = open_cluster

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what Kafka refuses or silently ignores, and changes that would lose data."""
        yield from topic_problems(
            name=known.get("name"),
            partitions=known.get("partitions"),
            replication_factor=known.get("replication_factor"),
            settings=known.get("settings"),
            diskless=self.diskless,
        )
        yield from connection_problems(known)
        if olds is not None:
            yield from _change_problems(known, olds)

    def create(self, inputs: TopicInputs, context: Context) -> Created[TopicOutputs]:
        """Make the topic and wait until it can be written."""
        cluster = self._open_cluster(inputs.connection, context)
        wanted = self._wanted(inputs)
        answer = cluster.topics.create([wanted])[inputs.name]
        if isinstance(answer, Refusal):
            if answer.error != "TOPIC_ALREADY_EXISTS":
                raise self._refused(inputs, answer)
            topic_id = self._leftover(cluster, wanted, context).topic_id
            context.progress(f"{inputs.name} was made by an interrupted run; going on with it")
        else:
            topic_id = answer
        made = Created(inputs.name, TopicOutputs(topic_id=topic_id))
        try:
            _await_declared(cluster, inputs, inputs, context)
        except InklessError as reason:
            raise Incomplete(str(reason), id=made.id, outputs=made.outputs) from reason
        return made

    def read(
        self,
        id: str,
        inputs: TopicInputs | None,
        outputs: TopicOutputs | None,
        context: Context,
    ) -> tuple[TopicInputs, TopicOutputs] | None:
        """Look the topic up. What the server sets by itself is no drift."""
        name = inputs.name if inputs else id
        importing = inputs is None
        connection = inputs.connection if inputs else connection_for_import(f"topic {name}")
        found = self._open_cluster(connection, context).topics.describe([name]).get(name)
        if found is None:
            return None
        if _is_diskless(found) != self.diskless:
            if importing:
                raise _wrong_kind(found)
            context.warn(str(_wrong_kind(found)))
        declared = inputs.settings if inputs else {}
        keeps_default = inputs is not None and inputs.replication_factor is None
        actual = TopicInputs(
            name=name,
            partitions=found.partitions,
            replication_factor=None if keeps_default else found.replication_factor,
            settings=_users_own(found.settings, declared),
            connection=connection,
        )
        return actual, TopicOutputs(topic_id=found.topic_id)

    def update(
        self,
        id: str,
        old_inputs: TopicInputs,
        old_outputs: TopicOutputs,
        inputs: TopicInputs,
        context: Context,
    ) -> TopicOutputs:
        """Add partitions and send the settings that differ, and nothing else."""
        cluster = self._open_cluster(inputs.connection, context)
        found = cluster.topics.describe([inputs.name]).get(inputs.name)
        if found is None:
            raise ClusterError(
                f"Topic {inputs.name} is gone from the cluster. Run `pulumi refresh`, then "
                "`pulumi up` makes it anew, empty."
            )
        if _is_diskless(found) != self.diskless:
            raise _wrong_kind(found)
        _require_possible(inputs, found)
        if inputs.partitions > found.partitions:
            answer = cluster.topics.add_partitions({inputs.name: inputs.partitions})[inputs.name]
            _accept(answer, f"Topic {inputs.name} could not get {inputs.partitions} partitions")
        changes = _setting_changes(found.settings, old_inputs, inputs)
        if changes:
            answer = cluster.topics.alter({inputs.name: changes})[inputs.name]
            _accept(answer, f"Settings of topic {inputs.name} ({', '.join(changes)}) were refused")
        _await_declared(cluster, inputs, old_inputs, context)
        return TopicOutputs(topic_id=found.topic_id)

    def delete(self, id: str, inputs: TopicInputs, outputs: TopicOutputs, context: Context) -> None:
        """Delete the topic and wait until it has gone; another of its name is left alone."""
        cluster = self._open_cluster(inputs.connection, context)
        found = cluster.topics.describe([inputs.name]).get(inputs.name)
        if found is None:
            return
        if found.topic_id != outputs.topic_id:
            context.warn(
                f"Topic {inputs.name} was deleted and made anew by someone else (id "
                f"{found.topic_id}, not {outputs.topic_id}); the new one is left alone."
            )
            return
        answer = cluster.topics.delete([inputs.name])[inputs.name]
        if answer is not None and answer.error != _UNKNOWN_TOPIC:
            _accept(answer, f"Topic {inputs.name} could not be deleted")
        _await_gone(cluster, inputs.name, context)

    def _wanted(self, inputs: TopicInputs) -> NewTopic:
        kind: TopicKind = "diskless" if self.diskless else "classic"
        return NewTopic(
            name=inputs.name,
            partitions=inputs.partitions,
            replication_factor=inputs.replication_factor,
            settings=server_settings(TopicDeclaration(kind=kind, settings=inputs.settings)),
        )

    def _leftover(self, cluster: Cluster, wanted: NewTopic, context: Context) -> TopicState:
        """Give the existing topic if an interrupted run can have left it; refuse any other."""
        deadline = time.monotonic() + _VISIBLE_SECONDS
        while (found := cluster.topics.describe([wanted.name]).get(wanted.name)) is None:
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"Kafka says that topic {wanted.name} exists, and no broker shows it: it is "
                    "being made or deleted by someone else. Run the update again."
                )
            context.pause(_PAUSE)
        if _is_diskless(found) != self.diskless:
            raise _wrong_kind(found)
        reason = _difference(found, wanted)
        if reason is None and cluster.topics.written(wanted.name):
            reason = "it has had records"
        if reason is not None:
            raise ClusterError(
                f"Topic {wanted.name} exists already, and was not made by this resource: {reason}. "
                f"To manage it here, import it: pulumi import {self.token} <resource name> "
                f"{wanted.name}. Otherwise choose another name."
            )
        return found

    def _refused(self, inputs: TopicInputs, refusal: Refusal) -> ClusterError:
        if self.diskless and f"Unknown topic config name: {DISKLESS}" in refusal.message:
            image = inputs.connection.image or "(not told in connection.image)"
            return ClusterError(
                f"Topic {inputs.name} can't be diskless: the brokers' image {image} does not "
                "support diskless topics. Run the service from an Inkless image, or declare a "
                f"ClassicTopic. Kafka: {refusal}"
            )
        return ClusterError(f"Topic {inputs.name} could not be created. Kafka: {refusal}")


class ClassicTopic(_Topic):
    """A topic on the brokers' disks."""

    token = "inkless:index:ClassicTopic"
    diskless = False
    description: ClassVar[str] = (
        "A classic topic: its replicas are on the brokers' disks. It may be compacted and take "
        "part in transactions.\n\nImport: the topic's name, with the environment variable "
        "`INKLESS_CONNECTION` set to the service's connection as JSON."
    )


class DisklessTopic(_Topic):
    """A topic in object storage (KIP-1150)."""

    token = "inkless:index:DisklessTopic"
    diskless = True
    description: ClassVar[str] = (
        "A diskless topic: its records go straight to object storage, so that no replication "
        "between zones is paid for, at a higher latency. No compaction, no transactions.\n\n"
        "Import: the topic's name, with the environment variable `INKLESS_CONNECTION` set to the "
        "service's connection as JSON."
    )


def _change_problems(known: Mapping[str, object], olds: Mapping[str, object]) -> Iterable[Problem]:
    """Changes that Kafka can't make, or not without losing data."""
    name, old_name = known.get("name"), olds.get("name")
    if name is not None and old_name is not None and name != old_name:
        yield Problem(
            "name",
            name,
            f"was {old_name!r}, and Kafka can't rename a topic",
            f"keep {old_name!r}, or declare a new topic beside it and move the clients first",
        )
    yield from change_problems(_counted(olds), _counted(known))
    factor, old_factor = known.get("replication_factor"), olds.get("replication_factor")
    if factor is not None and old_factor is not None and factor != old_factor:
        yield Problem(
            "replication_factor",
            factor,
            f"was {old_factor}, and this version of the package does not move replicas",
            f"use {old_factor}; or reassign with kafka-reassign-partitions.sh, then run "
            "`pulumi refresh`",
        )


def _counted(arguments: Mapping[str, object]) -> TopicDeclaration:
    partitions = arguments.get("partitions")
    return TopicDeclaration(
        kind="classic",  # partitions are counted alike on both kinds
        partitions=partitions if isinstance(partitions, int) else None,
    )


def _require_possible(inputs: TopicInputs, found: TopicState) -> None:
    """Refuse what became impossible behind the back of the recorded state."""
    if inputs.partitions < found.partitions:
        raise ClusterError(
            f"Topic {inputs.name} has {found.partitions} partitions by now, {inputs.partitions} "
            f"are declared, and Kafka can't take partitions away. Declare {found.partitions}."
        )
    factor = inputs.replication_factor
    if factor is not None and factor != found.replication_factor:
        raise ClusterError(
            f"Topic {inputs.name} has {found.replication_factor} replicas of each partition, and "
            f"{factor} are declared; this version of the package does not move replicas. Declare "
            f"{found.replication_factor}."
        )


def _setting_changes(
    actual: Mapping[str, str], old: TopicInputs, new: TopicInputs
) -> dict[str, str | None]:
    """Settings to be set, and with None to be unset."""
    changed: dict[str, str | None] = {
        key: value for key, value in _texts(new.settings).items() if actual.get(key) != value
    }
    removed = {key: None for key in old.settings if key not in new.settings and key in actual}
    return changed | removed


def _texts(settings: Mapping[str, str]) -> dict[str, str]:
    return {key: setting_text(value) for key, value in settings.items()}


def _users_own(actual: Mapping[str, str], declared: Mapping[str, str]) -> dict[str, str]:
    """Settings without those that the server writes by itself, in the user's spelling."""
    return {
        key: declared[key] if key in declared and setting_text(declared[key]) == value else value
        for key, value in actual.items()
        if key not in SERVER_OWNED or (key in declared and key != DISKLESS)
    }


def _difference(found: TopicState, wanted: NewTopic) -> str | None:
    """How a topic differs from what is declared; None: not at all."""
    if found.partitions != wanted.partitions:
        return f"it has {found.partitions} partitions"
    factor = wanted.replication_factor
    if factor is not None and found.replication_factor != factor:
        return f"it has {found.replication_factor} replicas of each partition"
    declared = {key: value for key, value in wanted.settings.items() if key != DISKLESS}
    if _users_own(found.settings, declared) != declared:
        return "its settings differ"
    return None


def _is_diskless(topic: TopicState) -> bool:
    return topic.settings.get(DISKLESS) == "true"


def _wrong_kind(found: TopicState) -> ClusterError:
    kind, resource_class = (
        ("diskless", DisklessTopic) if _is_diskless(found) else ("classic", ClassicTopic)
    )
    return ClusterError(
        f"Topic {found.name} is a {kind} topic in the cluster, and a topic's kind can't be changed "
        f"without losing its records. Declare it as {resource_class.__name__} and import it: "
        f"pulumi import {resource_class.token} <resource name> {found.name}."
    )


def _accept(answer: Refusal | None, otherwise: str) -> None:
    if answer is not None:
        raise ClusterError(f"{otherwise}. Kafka: {answer}")


def _await_declared(
    cluster: Cluster, inputs: TopicInputs, old: TopicInputs, context: Context
) -> None:
    """Wait until brokers show the topic as declared: they learn a moment after the controller."""
    deadline = time.monotonic() + _SETTLED_SECONDS
    while True:
        found = cluster.topics.describe([inputs.name]).get(inputs.name)
        missing = _missing(found, inputs, old)
        if missing is None:
            return
        if time.monotonic() > deadline:
            raise ClusterError(
                f"Topic {inputs.name} exists, but after {_SETTLED_SECONDS:g} s {missing}. Look at "
                "the brokers, then run the update again."
            )
        context.progress(f"waiting for {inputs.name}: {missing}")
        context.pause(_PAUSE)


def _missing(found: TopicState | None, inputs: TopicInputs, old: TopicInputs) -> str | None:
    """What a topic that was made or changed does not show yet."""
    if found is None:
        return "the brokers do not know it"
    if found.partitions < inputs.partitions:
        return f"it has {found.partitions} partitions"
    if not found.has_leaders:
        return "some of its partitions have no leader"
    changes = _setting_changes(found.settings, old, inputs)
    return f"its {', '.join(changes)} is not as declared" if changes else None


def _await_gone(cluster: Cluster, name: str, context: Context) -> None:
    deadline = time.monotonic() + _SETTLED_SECONDS
    while cluster.topics.describe([name]):
        if time.monotonic() > deadline:
            raise ClusterError(
                f"Topic {name} is still there {_SETTLED_SECONDS:g} s after Kafka agreed to delete "
                "it. Look at the brokers, then run the update again."
            )
        context.progress(f"waiting until {name} has gone")
        context.pause(_PAUSE)
