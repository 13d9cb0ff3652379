"""Creations, changes and deletions of many topics, in batches, with an account of each."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from inkless_pulumi.core.topics import DISKLESS
from inkless_pulumi.provider.kafka.model import UNKNOWN_TOPIC, Cluster, TopicState
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.topics import creation, switching
from inkless_pulumi.provider.topics.account import Account, ImportCommand, Operation, parts
from inkless_pulumi.provider.topics.declared import (
    Topic,
    TopicChange,
    kind_of,
    setting_changes,
)
from inkless_pulumi.provider.topics.moving import move
from inkless_pulumi.provider.topics.settling import await_gone, await_shown

__all__ = ["TopicChanges"]

Found = Mapping[str, TopicState]


class TopicChanges:
    """What an operation does to topics; `account` says what has come of it."""

    def __init__(
        self,
        cluster: Cluster,
        context: Context,
        how_to_import: ImportCommand,
        image: str | None = None,
        ours: Mapping[str, str] = MappingProxyType({}),
        throttle: str | None = None,
    ) -> None:
        self.account = Account()
        self._operation = Operation(cluster, context, self.account, how_to_import, image, ours)
        self._cluster = cluster
        self._context = context
        self._throttle = throttle

    def create(self, topics: Sequence[Topic]) -> None:
        """Make topics and wait until they can be written."""
        creation.create(self._operation, topics)

    def mend(self, topics: Sequence[Topic]) -> None:
        """Make those topics anew of which the cluster has half; leave the others."""
        creation.mend(self._operation, topics)

    def change(self, changes: Sequence[TopicChange]) -> None:
        """Add partitions, send the settings that differ, move replicas, then switch to diskless
        what is to be, and nothing else.
        """
        for change in changes:
            self.account.intend(change.new.name, *change.aspects())
        keys = {key for change in changes for key in change.named_settings()}
        names = [change.new.name for change in changes]
        found = self._cluster.topics.describe(names, keys | {DISKLESS})
        possible = [change for change in changes if self._possible(change, found)]
        self._add_partitions(possible, found)
        self._alter(possible, found)
        self._move(possible, found)
        switching.switch(self._operation, self._to_switch(possible), found)
        settled = [change for change in possible if change.new.name not in self.account.failed]
        await_shown(self._operation, "changed", settled, keys)

    def delete(self, ids: Mapping[str, str]) -> None:
        """Delete topics and wait until they have gone; others of their names are left alone."""
        for name in ids:
            self.account.intend(name, "existence")
        found = self._cluster.topics.describe(list(ids), keys=())
        for name, topic in found.items():
            if topic.topic_id != ids[name]:
                self._context.warn(
                    f"Topic {name} was deleted and made anew by someone else (id "
                    f"{topic.topic_id}, not {ids[name]}); the new one is left alone."
                )
        ours = [name for name, topic in found.items() if topic.topic_id == ids[name]]
        for name in ids.keys() - set(ours):
            self.account.done(name, "existence")
        agreed: list[str] = []
        for batch in parts(ours):
            for name, answer in self._cluster.topics.delete(batch).items():
                gone = answer is None or answer.error == UNKNOWN_TOPIC
                what = f"Topic {name} could not be deleted"
                self.account.answered(name, "existence", None if gone else answer, what)
                agreed += [name] if gone else []
            self._operation.tell("deleted", len(agreed), len(ours))
        await_gone(self._operation, agreed)

    def _possible(self, change: TopicChange, found: Found) -> bool:
        """Refuse what became impossible behind the back of the recorded state."""
        topic = change.new
        state = found.get(topic.name)
        failed = self.account.failed
        if state is None:
            failed[topic.name] = (
                f"Topic {topic.name} is gone from the cluster. Run `pulumi refresh`, then "
                "`pulumi up` makes it anew, empty."
            )
        elif kind_of(state) != topic.kind and not (
            change.is_switch and kind_of(state) == "classic"
        ):
            failed[topic.name] = self._operation.wrong_kind(topic, state)
        elif topic.partitions < state.partitions:
            failed[topic.name] = (
                f"Topic {topic.name} has {state.partitions} partitions by now, "
                f"{topic.partitions} are declared, and Kafka can't take partitions away. Declare "
                f"{state.partitions}."
            )
        else:
            self.account.ids[topic.name] = state.topic_id
            return True
        return False

    def _to_switch(self, changes: Sequence[TopicChange]) -> list[Topic]:
        """Those that are to become diskless, if nothing else of them failed: it is one way."""
        failed = self.account.failed
        return [
            change.new for change in changes if change.is_switch and change.new.name not in failed
        ]

    def _add_partitions(self, changes: Sequence[TopicChange], found: Found) -> None:
        counts = {
            change.new.name: change.new.partitions
            for change in changes
            if change.new.partitions > found[change.new.name].partitions
        }
        for batch in parts(list(counts)):
            answers = self._cluster.topics.add_partitions({name: counts[name] for name in batch})
            for name, answer in answers.items():
                what = f"Topic {name} could not get {counts[name]} partitions"
                self.account.answered(name, "partitions", answer, what)
        for change in changes:
            if change.new.name not in counts:
                self.account.done(change.new.name, "partitions")

    def _alter(self, changes: Sequence[TopicChange], found: Found) -> None:
        differing = {
            change.new.name: setting_changes(found[change.new.name].settings, change)
            for change in changes
        }
        sent = {name: settings for name, settings in differing.items() if settings}
        answered = 0
        for batch in parts(list(sent)):
            answers = self._cluster.topics.alter({name: sent[name] for name in batch})
            for name, answer in answers.items():
                what = f"Settings of topic {name} ({', '.join(sent[name])}) were refused"
                self.account.answered(name, "settings", answer, what)
            answered += len(answers)
            self._operation.tell("changed", answered, len(sent))
        for name in differing.keys() - sent:
            self.account.done(name, "settings")

    def _move(self, changes: Sequence[TopicChange], found: Found) -> None:
        factors = {
            change.new.name: factor
            for change in changes
            if (factor := change.new.replication_factor) is not None
            and factor != found[change.new.name].replication_factor
        }
        failed: Mapping[str, str] = {}
        if factors:
            failed = move(self._cluster, factors, self._throttle, self._context)
        for change in changes:
            name = change.new.name
            if name in failed:
                self.account.failed.setdefault(name, failed[name])
            else:
                self.account.done(name, "replication_factor")
