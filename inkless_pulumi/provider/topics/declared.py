"""A topic as it should be, and how what the cluster has compares with it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from inkless_pulumi.core.topics import (
    DISKLESS,
    SERVER_OWNED,
    TopicDeclaration,
    TopicKind,
    kafka_text,
    kafka_texts,
    server_settings,
)
from inkless_pulumi.provider.kafka.model import NewTopic, TopicState

__all__ = [
    "ASPECTS",
    "Aspect",
    "Topic",
    "TopicChange",
    "kind_of",
    "setting_changes",
    "users_own",
]

Aspect = Literal["existence", "partitions", "settings", "replication_factor", "kind"]
ASPECTS: Final[tuple[Aspect, ...]] = ("partitions", "settings", "replication_factor", "kind")
"""What can change on a topic that exists. Named as the arguments are."""


@dataclass(frozen=True)
class Topic:
    """A topic as it should be."""

    name: str
    kind: TopicKind
    partitions: int
    replication_factor: int | None
    """None: the cluster's default, whatever it is."""
    settings: Mapping[str, str]
    """As the user wrote them."""

    @property
    def declaration(self) -> TopicDeclaration:
        """The topic as the rules see it."""
        return TopicDeclaration(
            self.kind, self.name, self.partitions, self.replication_factor, dict(self.settings)
        )

    @property
    def request(self) -> NewTopic:
        """The topic as it is asked for."""
        return NewTopic(
            self.name, self.partitions, self.replication_factor, server_settings(self.declaration)
        )

    def difference(self, found: TopicState) -> str | None:
        """How a topic that exists differs from what is declared; None: not at all."""
        if found.partitions != self.partitions:
            return f"it has {found.partitions} partitions"
        factor = self.replication_factor
        if factor is not None and found.replication_factor != factor:
            return f"it has {found.replication_factor} replicas of each partition"
        if users_own(found.settings, self.settings) != dict(self.settings):
            return "its settings differ"
        return None


@dataclass(frozen=True)
class TopicChange:
    """A topic as it was declared, and as it is declared now."""

    old: Topic
    new: Topic

    def aspects(self) -> frozenset[Aspect]:
        """What is not declared as it was."""
        changed: set[Aspect] = set()
        if self.old.partitions != self.new.partitions:
            changed.add("partitions")
        if kafka_texts(self.old.settings) != kafka_texts(self.new.settings):
            changed.add("settings")
        if self.old.replication_factor != self.new.replication_factor:
            changed.add("replication_factor")
        if self.old.kind != self.new.kind:
            changed.add("kind")
        return frozenset(changed)

    @property
    def is_switch(self) -> bool:
        """Whether a classic topic is to become diskless."""
        return (self.old.kind, self.new.kind) == ("classic", "diskless")

    def named_settings(self) -> Collection[str]:
        """The settings that matter to the change."""
        return {*self.old.settings, *self.new.settings}


def setting_changes(actual: Mapping[str, str], change: TopicChange) -> dict[str, str | None]:
    """Settings to be set, and with None to be unset."""
    wanted = kafka_texts(change.new.settings)
    changed: dict[str, str | None] = {
        key: value for key, value in wanted.items() if actual.get(key) != value
    }
    removed = {key: None for key in change.old.settings if key not in wanted and key in actual}
    if change.new.kind == "diskless":  # tiered storage of a switched topic stays on, by itself
        removed = {key: None for key in removed if key not in SERVER_OWNED}
    return changed | removed


def users_own(actual: Mapping[str, str], declared: Mapping[str, str]) -> dict[str, str]:
    """Settings without those that the server writes by itself, in the user's spelling."""
    return {
        key: declared[key] if key in declared and kafka_text(key, declared[key]) == value else value
        for key, value in actual.items()
        if key not in SERVER_OWNED or (key in declared and key != DISKLESS)
    }


def kind_of(topic: TopicState) -> TopicKind:
    """The kind of a topic that exists."""
    return "diskless" if topic.settings.get(DISKLESS) == "true" else "classic"
