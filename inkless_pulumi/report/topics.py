"""The topics that a plan is about, each as it was and as it will be, however it was declared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from inkless_pulumi.core.topics import DISKLESS
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource

__all__ = ["TOPIC_TYPES", "Topic", "TopicChange", "topic_changes", "urns"]

_SINGLE: Final[Mapping[str, str]] = {
    "inkless:index:ClassicTopic": "classic",
    "inkless:index:DisklessTopic": "diskless",
}
_SET: Final = "inkless:index:TopicSet"
TOPIC_TYPES: Final = (*_SINGLE, _SET)


@dataclass(frozen=True)
class Topic:
    """A topic as declared."""

    name: str
    kind: str
    """`classic` or `diskless`."""
    partitions: Any = None
    replication_factor: Any = None
    """None: the cluster's default."""
    settings: Mapping[str, Any] | Hidden = Hidden.UNKNOWN
    protected: bool = False

    def setting(self, name: str) -> Any:
        """A setting; None: it is not set, or the topic's settings are not known."""
        return self.settings.get(name) if isinstance(self.settings, Mapping) else None


@dataclass(frozen=True)
class TopicChange:
    """What becomes of a topic. `old` is None for a new one, `new` for one that is deleted."""

    resource: Resource
    old: Topic | None
    new: Topic | None
    replaced: bool = False
    """Whether the topic is deleted and made anew, empty."""

    @property
    def topic(self) -> Topic:
        """As it will be; as it was, where it goes."""
        found = self.new or self.old
        assert found is not None  # noqa: S101  one of them is given
        return found

    @property
    def is_lost(self) -> bool:
        """Whether its records go."""
        return self.old is not None and (self.new is None or self.replaced)

    @property
    def stays_as_it_is(self) -> bool:
        """Whether nothing that is declared of it changes."""
        return self.old == self.new and not self.replaced


def topic_changes(plan: Plan) -> list[TopicChange]:
    """Every topic of the plan, those that stay as they are among them, by name."""
    found = [change for resource in plan.of_type(*TOPIC_TYPES) for change in _changes(resource)]
    return sorted(found, key=lambda change: (change.topic.name, change.resource.urn))


def _changes(resource: Resource) -> Iterator[TopicChange]:
    old = dict(_topics(resource, resource.old.inputs) if resource.old else ())
    new = dict(_topics(resource, resource.new.inputs) if resource.new else ())
    if resource.action is Action.DELETE:
        new = {}
    if resource.action is Action.CREATE:
        old = {}
    replaced = resource.action is Action.REPLACE
    if resource.type in _SINGLE:
        # One topic, whatever it is called: what Kafka can't rename is deleted and made.
        pair = (next(iter(old.values()), None), next(iter(new.values()), None))
        if pair != (None, None):
            yield TopicChange(resource, *pair, replaced=replaced)
        return
    for name in sorted({*old, *new}):
        yield TopicChange(resource, old.get(name), new.get(name), replaced)


def _topics(resource: Resource, inputs: Mapping[str, Any]) -> Iterator[tuple[str, Topic]]:
    if resource.type in _SINGLE:
        yield "", _topic(_SINGLE[resource.type], inputs.get("name", resource.name), inputs)
        return
    declared = inputs.get("topics")
    if not isinstance(declared, Mapping):
        return
    defaults = {name: value for name, value in inputs.items() if name != "topics"}
    for name, topic in declared.items():
        if isinstance(topic, Mapping):
            kind = topic.get("kind") or defaults.get("kind") or "diskless"
            own = {key: value for key, value in topic.items() if value is not None}
            yield str(name), _topic(str(kind), name, {**defaults, **own})


def _topic(kind: str, name: Any, properties: Mapping[str, Any]) -> Topic:
    settings = properties.get("settings", {})
    if isinstance(settings, Mapping) and str(settings.get(DISKLESS)).lower() == "true":
        kind = "diskless"
    return Topic(
        name=str(name),
        kind=kind,
        partitions=properties.get("partitions"),
        replication_factor=properties.get("replicationFactor"),
        settings=settings if isinstance(settings, Mapping) else Hidden.UNKNOWN,
        protected=bool(properties.get("deletionProtection")),
    )


def urns(changes: Iterable[TopicChange]) -> tuple[str, ...]:
    """The resources that the topics are of, each once."""
    return tuple(dict.fromkeys(change.resource.urn for change in changes))
