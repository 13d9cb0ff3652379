"""Slowing down the replicas that move, and nothing else (KIP-73).

As `kafka-reassign-partitions --throttle` does it: of a partition that moves, the replicas that it
has are throttled as leaders, those that it gets as followers. What differs is made for moves that
may be killed at any point, and leaves what an operator has set:

- The rate is set for all brokers at once. One that is set for a single broker, as Kafka's own tools
  do, goes before it in Kafka and is never touched.
- The replicas are added behind what a topic's lists have, and are known as ours there.
- Replicas are listed before the rate is set, and the rate is unset before they are taken away:
  while the rate is ours, some list says so.

What is left behind by a run that was killed is taken away at the end of the next one.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.core.reassignment_throttle import DEFAULT_THROTTLE, bytes_per_second
from inkless_pulumi.core.topics import THROTTLED_FOLLOWERS, THROTTLED_LEADERS
from inkless_pulumi.provider.kafka.model import UNKNOWN_TOPIC, Cluster, Partition, Refusal
from inkless_pulumi.provider.kafka.throttled_replicas import Replica, ours, with_ours
from inkless_pulumi.provider.reassignment import NodeIds
from inkless_pulumi.provider.resource import Context

__all__ = ["RATES", "Move", "Throttle", "throttled_by_topic"]

RATES: Final = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")

Lists = Mapping[str, Mapping[str, str]]
_ONE_AT_A_TIME = threading.Lock()
"""Topics that change side by side move replicas side by side. What one begins, another must not
take for left behind."""


@dataclass(frozen=True)
class Move:
    """Where a partition is, and where it goes."""

    present: NodeIds
    wanted: NodeIds
    copies: bool = True
    """Whether the brokers copy anything; those of a diskless topic have nothing to copy."""

    @property
    def added(self) -> NodeIds:
        """The brokers that have to copy the partition."""
        return tuple(node for node in self.wanted if node not in self.present)


class Throttle:
    """The throttle of one operation; others may have theirs at the same time."""

    def __init__(self, cluster: Cluster, throttle: str | None, context: Context) -> None:
        self.text = throttle or DEFAULT_THROTTLE
        self._cluster = cluster
        self._context = context
        self._is_set = False

    def reassign(self, moves: Mapping[Partition, Move]) -> Mapping[Partition, Refusal | None]:
        """Begin to move partitions, throttled."""
        with _ONE_AT_A_TIME:
            throttled = throttled_by_topic(moves)
            if throttled:
                self._warn_of_another_rate()
                self._list(throttled)
                self._set_rate()
            wanted = {where: move.wanted for where, move in moves.items()}
            return self._cluster.partitions.reassign(wanted)

    def take_up(self) -> None:
        """Have our rate hold for what moves already, if it was begun by us."""
        with _ONE_AT_A_TIME:
            if not self._is_set and _are_ours(self._cluster.partitions.throttled()):
                self._set_rate()

    def lift(self) -> None:
        """Take away whatever is not needed any more, also of runs that were killed."""
        with _ONE_AT_A_TIME:
            moving = self._cluster.partitions.moving()
            found = self._cluster.partitions.throttled()
            kept = {
                topic: {
                    setting: with_ours(text, _of(ours(text), topic, moving))
                    for setting, text in lists.items()
                }
                for topic, lists in found.items()
            }
            if (self._is_set or _are_ours(found)) and not _are_ours(kept):
                self._unset_rate()
            self._alter(kept, found)

    def _list(self, wanted: Mapping[str, Mapping[str, list[Replica]]]) -> None:
        """Note what is about to move, beside what moves already."""
        moving = self._cluster.partitions.moving()
        found = self._cluster.partitions.throttled(sorted(wanted))
        lists = {
            topic: {
                setting: with_ours(text, [*_of(ours(text), topic, moving), *replicas])
                for setting, replicas in settings.items()
                for text in [found.get(topic, {}).get(setting, "")]
            }
            for topic, settings in wanted.items()
        }
        self._alter(lists, found)

    def _alter(self, wanted: Lists, found: Lists) -> None:
        changes = {
            topic: {
                setting: text or None
                for setting, text in lists.items()
                if text != found.get(topic, {}).get(setting, "")
            }
            for topic, lists in wanted.items()
        }
        answers = self._cluster.partitions.throttle({t: c for t, c in changes.items() if c})
        for topic, refused in answers.items():
            if refused is not None and refused.error != UNKNOWN_TOPIC:
                raise ClusterError(f"Topic {topic} could not be throttled. Kafka: {refused}")

    def _set_rate(self) -> None:
        """Once; what is changed by hand while replicas move is left so."""
        found = self._cluster.settings.describe()
        if self._is_set and all(name in found for name in RATES):
            return
        rate = str(bytes_per_second(self.text))
        self._change({name: rate for name in RATES if found.get(name) != rate})
        self._is_set = True

    def _unset_rate(self) -> None:
        found = self._cluster.settings.describe()
        self._change({name: None for name in RATES if name in found})

    def _change(self, changes: Mapping[str, str | None]) -> None:
        refused = self._cluster.settings.alter(changes) if changes else None
        if refused is not None:
            raise ClusterError(f"The brokers refused {', '.join(changes)}. Kafka: {refused}")

    def _warn_of_another_rate(self) -> None:
        """A rate for all brokers that no list of ours explains was set by somebody else."""
        if self._is_set:
            return
        found = self._cluster.settings.describe()
        given = {name: found[name] for name in RATES if name in found}
        if given and not _are_ours(self._cluster.partitions.throttled()):
            named = ", ".join(f"{name}={value}" for name, value in given.items())
            self._context.warn(
                f"{named} was set for all brokers. While replicas move it is {self.text} a second, "
                "and it is unset after that. Set a rate of your own for each broker: that goes "
                "before this one, and is left alone."
            )


def throttled_by_topic(
    moves: Mapping[Partition, Move],
) -> dict[str, dict[str, list[Replica]]]:
    """The replicas to throttle, by topic and setting; none of a move that copies nothing."""
    found: dict[str, dict[str, list[Replica]]] = defaultdict(lambda: defaultdict(list))
    for (topic, index), move in moves.items():
        if move.added and move.copies:
            found[topic][THROTTLED_LEADERS] += [(index, node) for node in move.present]
            found[topic][THROTTLED_FOLLOWERS] += [(index, node) for node in move.added]
    return {topic: dict(lists) for topic, lists in found.items()}


def _are_ours(lists: Lists) -> bool:
    return any(ours(text) for settings in lists.values() for text in settings.values())


def _of(
    replicas: Iterable[Replica], topic: str, partitions: Mapping[Partition, object]
) -> list[Replica]:
    return [(index, node) for index, node in replicas if (topic, index) in partitions]
