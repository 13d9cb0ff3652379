"""What one operation does to topics, and what has come of it.

A topic that fails does not keep the others: its reason is noted, and the rest is done. What has not
been done, for this reason or because the operation ended early, is told by `pending`, so that state
can say what is true and the next update does only what is left.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inkless_pulumi.core.topics import DISKLESS
from inkless_pulumi.provider.kafka.model import Cluster, Refusal, TopicState
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.topics.declared import Aspect, Topic, kind_of

__all__ = ["Account", "ImportCommand", "Operation", "parts", "unsupported"]

_CHANGED_AT_ONCE = 500

ImportCommand = Callable[[Topic, TopicState], str]
"""How a topic that exists already comes under management, in words."""


@dataclass
class Account:
    """What has come of an operation."""

    ids: dict[str, str] = field(default_factory=dict)
    """The ids of topics that were made or found, by name."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why topics are not as they should be, by name."""
    pending: dict[str, set[Aspect]] = field(default_factory=dict)
    """What has not been done yet, by name."""

    def intend(self, name: str, *aspects: Aspect) -> None:
        """Note what is to be done."""
        if aspects:
            self.pending.setdefault(name, set()).update(aspects)

    def done(self, name: str, aspect: Aspect) -> None:
        """Note that it is done."""
        left = self.pending.get(name, set())
        left.discard(aspect)
        if not left:
            self.pending.pop(name, None)

    def made(self, name: str, topic_id: str) -> None:
        """Note that a topic exists."""
        self.ids[name] = topic_id
        self.done(name, "existence")

    def answered(self, name: str, aspect: Aspect, answer: Refusal | None, what: str) -> None:
        """Note Kafka's answer."""
        if answer is None:
            self.done(name, aspect)
        else:
            self.failed[name] = f"{what}. Kafka: {answer}"


@dataclass(frozen=True)
class Operation:
    """What the parts of an operation work with."""

    cluster: Cluster
    context: Context
    account: Account
    how_to_import: ImportCommand
    image: str | None
    """The brokers' image, for errors about what they can't do."""
    ours: Mapping[str, str]
    """Ids that state has, by name."""

    def tell(self, what: str, count: int, of: int) -> None:
        """Show how far it is, and notice an interruption."""
        if of > 1:
            self.context.progress(f"{what} {count} of {of} topics")
        self.context.pause(0)

    def is_ours(self, found: TopicState | None) -> bool:
        """Whether state has the id of a topic that exists."""
        return found is not None and self.ours.get(found.name) == found.topic_id

    def wrong_kind(self, topic: Topic, found: TopicState) -> str:
        """Why a topic of the other kind is not this one."""
        kind = kind_of(found)
        return (
            f"Topic {topic.name} is a {kind} topic in the cluster, and a topic's kind can't be "
            f"changed without losing its records. Declare it as {kind} and import it: "
            f"{self.how_to_import(topic, found)}."
        )


def unsupported(operation: Operation, name: str, refusal: Refusal) -> str | None:
    """Why a topic can't be diskless on brokers that do not know such; None: they do."""
    if f"Unknown topic config name: {DISKLESS}" not in refusal.message:
        return None
    image = operation.image or "(not told in connection.image)"
    return (
        f"Topic {name} can't be diskless: the brokers' image {image} does not support diskless "
        "topics. Run the service from an Inkless image, or declare a classic topic. "
        f"Kafka: {refusal}"
    )


def parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Names in requests of a size that is answered soon."""
    for first in range(0, len(names), _CHANGED_AT_ONCE):
        yield names[first : first + _CHANGED_AT_ONCE]
