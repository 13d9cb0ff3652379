"""The resources of one topic: classic on the brokers' disks, or diskless in object storage.

What Kafka can't do without losing data (fewer partitions, another name, another kind) is refused at
preview and is never a replacement.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from inkless_pulumi.core.errors import ClusterError, InklessError, Problem
from inkless_pulumi.core.topic_changes import change_problems, deletion_rule, rename_problem
from inkless_pulumi.core.topics import (
    TopicDeclaration,
    TopicKind,
    as_understood,
    broker_problems,
    declaration_problems,
    service_problems,
    topic_warnings,
)
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
    service_facts,
)
from inkless_pulumi.provider.kafka.model import TopicState
from inkless_pulumi.provider.resource import (
    Context,
    Created,
    Incomplete,
    SettingText,
    WireModel,
)
from inkless_pulumi.provider.topics.changes import TopicChanges
from inkless_pulumi.provider.topics.declared import Topic, TopicChange, kind_of, users_own

__all__ = ["ClassicTopic", "DisklessTopic", "TopicInputs", "TopicOutputs"]


class TopicInputs(WireModel):
    """A topic as declared."""

    name: str
    """The topic's name."""
    partitions: int
    """Number of partitions. It can be raised later, not lowered."""
    replication_factor: int | None = None
    """Copies of each partition. Default: the cluster's `default.replication.factor`. Another number
    later moves replicas while the topic is used."""
    settings: dict[str, SettingText] = Field(default_factory=dict)
    """Kafka's topic settings, such as `retention.ms`; durations and sizes may have a unit (`7d`,
    `50GiB`). What is not named has the cluster's value."""
    deletion_protection: bool = True
    """Whether the topic refuses to be deleted. To delete it, set this to false, run `pulumi up`,
    then delete. Default: true."""
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
    kind: ClassVar[TopicKind]

    def __init__(self, open_cluster: OpenCluster = CONNECTIONS.cluster) -> None:
        self._open_cluster = open_cluster

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what Kafka refuses or silently ignores."""
        topic, facts = self._declaration(known), service_facts(known)
        yield from declaration_problems(topic)
        yield from service_problems(self.kind, facts.diskless, "name", topic.name)
        yield from broker_problems(topic.replication_factor, facts.brokers)
        yield from connection_problems(known)

    def warnings(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[str]:
        """Name settings that have no effect, and topics without a replica to spare."""
        return topic_warnings(self._declaration(known))

    def change_problems(
        self, known: Mapping[str, object], recorded: Mapping[str, object]
    ) -> Iterable[Problem]:
        """Refuse changes that would lose records."""
        name, old_name = known.get("name"), recorded.get("name")
        if isinstance(name, str) and isinstance(old_name, str) and name != old_name:
            yield rename_problem(old_name, name)
        yield from change_problems(self._declaration(recorded), self._declaration(known))

    def create(self, inputs: TopicInputs, context: Context) -> Created[TopicOutputs]:
        """Make the topic and wait until it can be written."""
        changes = self._changes(inputs, context)
        try:
            changes.create([self._topic(inputs)])
            _raise_failure(changes)
        except InklessError as reason:
            if inputs.name not in changes.account.ids:
                raise
            outputs = TopicOutputs(topic_id=changes.account.ids[inputs.name])
            raise Incomplete(str(reason), id=inputs.name, outputs=outputs) from reason
        return Created(inputs.name, TopicOutputs(topic_id=changes.account.ids[inputs.name]))

    def read(
        self,
        id: str,
        inputs: TopicInputs | None,
        outputs: TopicOutputs | None,
        context: Context,
    ) -> tuple[TopicInputs, TopicOutputs] | None:
        """Look the topic up. What the server sets by itself is no drift."""
        name = inputs.name if inputs else id
        connection = inputs.connection if inputs else connection_for_import(f"topic {name}")
        found = self._open_cluster(connection, context).topics.describe([name]).get(name)
        if found is None:
            return None
        if kind_of(found) != self.kind:
            wrong = f"{_other_kind(found)}. To manage it: {_import_command(found)}."
            if inputs is None:
                raise ClusterError(wrong)
            context.warn(wrong)
        keeps_default = inputs is not None and inputs.replication_factor is None
        actual = TopicInputs(
            name=name,
            partitions=found.partitions,
            replication_factor=None if keeps_default else found.replication_factor,
            settings=users_own(found.settings, inputs.settings if inputs else {}),
            deletion_protection=inputs.deletion_protection if inputs else True,
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
        """Change what differs in place, and nothing else."""
        changes = self._changes(inputs, context, {inputs.name: old_outputs.topic_id})
        change = TopicChange(self._topic(old_inputs), self._topic(inputs))
        if inputs == old_inputs:
            changes.mend([change.new])  # the last run ended early
        if inputs == old_inputs or change.aspects() or inputs.connection != old_inputs.connection:
            changes.change([change])
        _raise_failure(changes)
        return TopicOutputs(topic_id=changes.account.ids.get(inputs.name, old_outputs.topic_id))

    def delete(self, id: str, inputs: TopicInputs, outputs: TopicOutputs, context: Context) -> None:
        """Delete the topic and wait until it has gone; another of its name is left alone."""
        if inputs.deletion_protection:
            raise ClusterError(deletion_rule([inputs.name]))
        changes = self._changes(inputs, context)
        changes.delete({inputs.name: outputs.topic_id})
        _raise_failure(changes)

    def _topic(self, inputs: TopicInputs) -> Topic:
        return Topic(
            inputs.name, self.kind, inputs.partitions, inputs.replication_factor, inputs.settings
        )

    def _declaration(self, arguments: Mapping[str, object]) -> TopicDeclaration:
        return as_understood(self.kind, arguments)

    def _changes(
        self, inputs: TopicInputs, context: Context, ours: Mapping[str, str] | None = None
    ) -> TopicChanges:
        cluster = self._open_cluster(inputs.connection, context)
        return TopicChanges(
            cluster,
            context,
            lambda _, found: _import_command(found),
            inputs.connection.image,
            ours or {},
            inputs.connection.reassignment_throttle,
        )


class ClassicTopic(_Topic):
    """A topic on the brokers' disks."""

    token = "inkless:index:ClassicTopic"
    kind = "classic"
    description: ClassVar[str] = (
        "A classic topic: its replicas are on the brokers' disks. It may be compacted and take "
        "part in transactions.\n\nImport: the topic's name, with the environment variable "
        "`INKLESS_CONNECTION` set to the service's connection as JSON."
    )


class DisklessTopic(_Topic):
    """A topic in object storage (KIP-1150)."""

    token = "inkless:index:DisklessTopic"
    kind = "diskless"
    description: ClassVar[str] = (
        "A diskless topic: its records go straight to object storage, so that no replication "
        "between zones is paid for, at a higher latency. No compaction, no transactions.\n\n"
        "Import: the topic's name, with the environment variable `INKLESS_CONNECTION` set to the "
        "service's connection as JSON."
    )


def _raise_failure(changes: TopicChanges) -> None:
    for reason in changes.account.failed.values():
        raise ClusterError(reason)


def _import_command(found: TopicState) -> str:
    right = DisklessTopic if kind_of(found) == "diskless" else ClassicTopic
    return f"pulumi import {right.token} <resource name> {found.name}"


def _other_kind(found: TopicState) -> str:
    return (
        f"Topic {found.name} is a {kind_of(found)} topic in the cluster, and a topic's kind can't "
        "be changed without losing its records"
    )
