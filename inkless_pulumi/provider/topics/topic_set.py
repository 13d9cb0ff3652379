"""Any number of topics of both kinds in one resource.

Pulumi's own cost grows with the square of the resources, and a topic's is a fraction of a
millisecond: a thousand topics are one resource with a difference a topic and a property.

When some topics fail, state records those that are done, topic by topic and property by property,
so that the next preview shows what is left and the next update does only that.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import ClassVar, Literal

from pydantic import Field

from inkless_pulumi.core.errors import ClusterError, InklessError, Problem
from inkless_pulumi.core.topic_changes import deletion_rule
from inkless_pulumi.core.topic_sets import (
    set_change_problems,
    set_problems,
    set_switch_warning,
    set_warnings,
)
from inkless_pulumi.core.topics import TopicDeclaration, as_understood
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
    service_facts,
)
from inkless_pulumi.provider.kafka.model import Cluster, TopicState
from inkless_pulumi.provider.resource import (
    Context,
    Created,
    Incomplete,
    SettingText,
    WireModel,
)
from inkless_pulumi.provider.topics.changes import TopicChanges
from inkless_pulumi.provider.topics.declared import (
    ASPECTS,
    Topic,
    TopicChange,
    kind_of,
    users_own,
)

__all__ = ["DeclaredTopicInputs", "TopicSet", "TopicSetInputs", "TopicSetOutputs"]

_SHOWN_FAILURES, _NAMED_FAILURES = 20, 100
_DESCRIBED_AT_ONCE = 1000


class DeclaredTopicInputs(WireModel):
    """A topic of a set."""

    kind: Literal["classic", "diskless"]
    """`classic`, on the brokers' disks, or `diskless`, in object storage."""
    partitions: int
    """Number of partitions. It can be raised later, not lowered."""
    replication_factor: int | None = None
    """Copies of each partition. Default: the cluster's `default.replication.factor`."""
    settings: dict[str, SettingText] = Field(default_factory=dict)
    """Kafka's topic settings, such as `retention.ms`; durations and sizes may have a unit (`7d`,
    `50GiB`). What is not named has the cluster's value."""
    deletion_protection: bool | None = None
    """Whether this topic refuses to be deleted. Default: as the set says."""


class TopicSetInputs(WireModel):
    """Topics as declared."""

    topics: dict[str, DeclaredTopicInputs]
    """The topics by name."""
    deletion_protection: bool = True
    """Whether topics refuse to be deleted, by taking them out of the set or with it. To delete
    one, set this (or the topic's own) to false, run `pulumi up`, then take it out. Default: true.
    """
    connection: ConnectionInputs
    """How to reach the cluster."""


class TopicSetOutputs(WireModel):
    """What the cluster adds."""

    topic_ids: dict[str, str]
    """The id that Kafka gave each topic, by name."""


class TopicSet(resource.Resource[TopicSetInputs, TopicSetOutputs]):
    """See the module."""

    token = "inkless:index:TopicSet"
    inputs = TopicSetInputs
    outputs = TopicSetOutputs
    description: ClassVar[str] = (
        "Any number of topics, classic and diskless, in one resource: a thousand cost hardly more "
        "than one. Each topic can be changed and deleted as if it were a resource of its own.\n\n"
        "Import: names of topics joined by commas, `*` for any characters (`orders.*`, or `*` for "
        "all), with the environment variable `INKLESS_CONNECTION` set to the service's connection "
        "as JSON."
    )

    def __init__(self, open_cluster: OpenCluster = CONNECTIONS.cluster) -> None:
        self._open_cluster = open_cluster

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what Kafka refuses or silently ignores."""
        facts = service_facts(known)
        yield from set_problems(_declarations(known), facts.brokers, facts.diskless)
        yield from connection_problems(known)

    def warnings(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[str]:
        """Name settings that have no effect, topics without a replica to spare, and switches."""
        yield from set_warnings(_declarations(known))
        switched = set_switch_warning(_declarations(olds or {}), _declarations(known))
        if switched is not None:
            yield switched

    def change_problems(
        self, known: Mapping[str, object], recorded: Mapping[str, object]
    ) -> Iterable[Problem]:
        """Refuse changes that would lose records."""
        if "topics" not in known and "topics.*" not in known:
            return ()
        protected = _protected(_topics(recorded), recorded.get("deletion_protection") is not False)
        return set_change_problems(
            _declarations(recorded),
            _declarations(known),
            protected,
            may_switch=bool(service_facts(known).switch_to_diskless),
        )

    def create(self, inputs: TopicSetInputs, context: Context) -> Created[TopicSetOutputs]:
        """Make the topics and wait until they can be written."""
        nothing = inputs.model_copy(update={"topics": {}})
        run = _Run(self._open_cluster(inputs.connection, context), nothing, {}, inputs, context)
        return Created(context.name, run.outputs(context.name))

    def read(
        self,
        id: str,
        inputs: TopicSetInputs | None,
        outputs: TopicSetOutputs | None,
        context: Context,
    ) -> tuple[TopicSetInputs, TopicSetOutputs] | None:
        """Look all topics up. What the server sets by itself is no drift."""
        connection = inputs.connection if inputs else connection_for_import(f"topics {id}")
        cluster = self._open_cluster(connection, context)
        declared = inputs.topics if inputs else {}
        if inputs is None:
            names = _selected(cluster, id)
        else:
            names = sorted({*declared, *(outputs.topic_ids if outputs else ())})
        topics: dict[str, DeclaredTopicInputs] = {}
        ids: dict[str, str] = {}
        for first in range(0, len(names), _DESCRIBED_AT_ONCE):
            part = names[first : first + _DESCRIBED_AT_ONCE]
            for name, found in cluster.topics.describe(part).items():
                topics[name] = _as_found(found, declared.get(name))
                ids[name] = found.topic_id
            if len(names) > _DESCRIBED_AT_ONCE:
                context.progress(f"looked at {first + len(part)} of {len(names)} topics")
        if not topics and (inputs is None or inputs.topics):
            return None
        actual = TopicSetInputs(
            topics=topics,
            deletion_protection=inputs.deletion_protection if inputs else True,
            connection=connection,
        )
        return actual, TopicSetOutputs(topic_ids=ids)

    def update(
        self,
        id: str,
        old_inputs: TopicSetInputs,
        old_outputs: TopicSetOutputs,
        inputs: TopicSetInputs,
        context: Context,
    ) -> TopicSetOutputs:
        """Make, change and delete topics as far as they differ."""
        cluster = self._open_cluster(inputs.connection, context)
        return _Run(cluster, old_inputs, old_outputs.topic_ids, inputs, context).outputs(id)

    def delete(
        self, id: str, inputs: TopicSetInputs, outputs: TopicSetOutputs, context: Context
    ) -> None:
        """Delete the topics, if none of them is protected."""
        protected = _protected(inputs.topics, inputs.deletion_protection)
        if protected:
            raise ClusterError(deletion_rule(sorted(protected)))
        cluster = self._open_cluster(inputs.connection, context)
        changes = TopicChanges(cluster, context, _how_to_import)
        changes.delete(outputs.topic_ids)
        if changes.account.failed:
            raise ClusterError(_failures(changes.account.failed, len(outputs.topic_ids)))


class _Run:
    """One update of a set, and what of it was done."""

    def __init__(
        self,
        cluster: Cluster,
        old: TopicSetInputs,
        old_ids: Mapping[str, str],
        new: TopicSetInputs,
        context: Context,
    ) -> None:
        self._old, self._old_ids, self._new = old, old_ids, new
        self._changes = TopicChanges(
            cluster,
            context,
            _how_to_import,
            new.connection.image,
            ours=old_ids,
            throttle=new.connection.reassignment_throttle,
        )

    def outputs(self, id: str) -> TopicSetOutputs:
        """Carry it out."""
        try:
            self._carry_out()
            if self._changes.account.failed:
                concerned = {*self._new.topics, *self._old_ids}
                raise ClusterError(_failures(self._changes.account.failed, len(concerned)))
        except InklessError as reason:
            self._end_early(id, reason)
        return TopicSetOutputs(topic_ids=self._ids())

    def _carry_out(self) -> None:
        old, new = _by_name(self._old.topics), _by_name(self._new.topics)
        changes = [TopicChange(old[name], new[name]) for name in new if name in old]
        made = [topic for name, topic in new.items() if name not in old]
        gone = {name: id for name, id in self._old_ids.items() if name not in new}
        differing = [change for change in changes if change.aspects()]
        self._intend(made, differing, gone)
        kept = _protected(self._old.topics, self._old.deletion_protection) & gone.keys()
        if kept:  # `diff` has refused this already
            raise ClusterError(deletion_rule(sorted(kept)))
        if made:
            self._changes.create(made)
        if differing:
            self._changes.change(differing)
        if gone:
            self._changes.delete(gone)

    def _intend(
        self, made: Iterable[Topic], changed: Iterable[TopicChange], gone: Iterable[str]
    ) -> None:
        """Note all that is to be done, whatever keeps the first step from coming to its end."""
        account = self._changes.account
        for name in [*(topic.name for topic in made), *gone]:
            account.intend(name, "existence")
        for change in changed:
            account.intend(change.new.name, *change.aspects())

    def _ids(self) -> dict[str, str]:
        known = {**self._old_ids, **self._changes.account.ids}
        return {
            name: known[name]
            for name in sorted(known)
            if name in self._new.topics
            or "existence" in self._changes.account.pending.get(name, ())
        }

    def _end_early(self, id: str, reason: InklessError) -> None:
        """Record what was done.

        Raises:
            InklessError: always; `Incomplete` where there is something to record.
        """
        done = self._done()
        if done == self._old.topics and self._ids() == dict(self._old_ids):
            raise reason
        inputs = self._new.model_copy(update={"topics": done})
        outputs = TopicSetOutputs(topic_ids=self._ids())
        raise Incomplete(str(reason), id=id, outputs=outputs, inputs=inputs) from reason

    def _done(self) -> dict[str, DeclaredTopicInputs]:
        """The topics as far as they are as declared."""
        old, new, pending = self._old.topics, self._new.topics, self._changes.account.pending
        done: dict[str, DeclaredTopicInputs] = {}
        for name in sorted({*old, *new}):
            missing: Collection[str] = pending.get(name, ())
            if name in new and name in old:
                kept: dict[str, object] = {
                    part: getattr(old[name], part) for part in ASPECTS if part in missing
                }
                done[name] = new[name].model_copy(update=kept)
            elif name in new and "existence" not in missing and name in self._changes.account.ids:
                done[name] = new[name]
            elif name in old and name not in new and "existence" in missing:
                done[name] = old[name]
        return done


def _topics(arguments: Mapping[str, object]) -> Mapping[str, DeclaredTopicInputs]:
    topics = arguments.get("topics")
    return topics if isinstance(topics, dict) else {}


def _declarations(arguments: Mapping[str, object]) -> dict[str, TopicDeclaration]:
    """The topics, each as far as it is known."""
    partly = arguments.get("topics.*")
    if isinstance(partly, dict):
        return {name: as_understood(topic.get("kind"), topic) for name, topic in partly.items()}
    return {name: topic.declaration for name, topic in _by_name(_topics(arguments)).items()}


def _by_name(topics: Mapping[str, DeclaredTopicInputs]) -> dict[str, Topic]:
    return {
        name: Topic(name, topic.kind, topic.partitions, topic.replication_factor, topic.settings)
        for name, topic in topics.items()
    }


def _protected(topics: Mapping[str, DeclaredTopicInputs], by_default: bool) -> frozenset[str]:
    """Names of the topics that must not be deleted."""
    return frozenset(
        name
        for name, topic in topics.items()
        if (by_default if topic.deletion_protection is None else topic.deletion_protection)
    )


def _as_found(found: TopicState, declared: DeclaredTopicInputs | None) -> DeclaredTopicInputs:
    keeps_default = declared is not None and declared.replication_factor is None
    return DeclaredTopicInputs(
        kind=kind_of(found),
        partitions=found.partitions,
        replication_factor=None if keeps_default else found.replication_factor,
        settings=users_own(found.settings, declared.settings if declared else {}),
        deletion_protection=declared.deletion_protection if declared else None,
    )


def _selected(cluster: Cluster, selection: str) -> Sequence[str]:
    """The topics that an import names.

    Raises:
        ClusterError: a name or a pattern matches none.
    """
    existing = cluster.topics.names()
    selected: set[str] = set()
    for pattern in (part.strip() for part in selection.split(",")):
        matching = {name for name in existing if fnmatchcase(name, pattern)}
        if not matching:
            raise ClusterError(f"The cluster has no topic {pattern}, so it can't be imported.")
        selected |= matching
    return sorted(selected)


def _how_to_import(topic: Topic, found: TopicState) -> str:
    return (
        f"pulumi import inkless:index:TopicSet <resource name> {found.name}, or `inkless-pulumi "
        "topics export` for many"
    )


def _failures(failed: Mapping[str, str], of: int) -> str:
    """All reasons, as far as a person reads them."""
    reasons = [failed[name] for name in sorted(failed)]
    if of == 1:
        return reasons[0]
    shown = [f"  - {reason}" for reason in reasons[:_SHOWN_FAILURES]]
    if len(reasons) > _SHOWN_FAILURES:
        names = sorted(failed)[_SHOWN_FAILURES:]
        more = ", …" if len(names) > _NAMED_FAILURES else ""
        shown.append(f"  - and {len(names)} more: {', '.join(names[:_NAMED_FAILURES])}{more}")
    heading = f"{len(reasons)} of {of} topics failed; the others are done. The next update does"
    return "\n".join([f"{heading} only what is left:", *shown])
