"""Requests of many resources that run at once, gathered into few.

Pulumi creates resources side by side, each in a call of its own, and each would send requests of
its own. Here, while one request is on its way, whoever comes meanwhile lines up, and the first of
them sends the next request for all. Where others were about just now, it waits a moment for more of
them; one caller alone never waits.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.model import (
    Acl,
    AclRequests,
    NewTopic,
    Refusal,
    TopicRequests,
    TopicState,
)

__all__ = ["GatheredAcls", "GatheredTopics", "GatheringLines"]

K = TypeVar("K")
Q = TypeVar("Q")
A = TypeVar("A")
_MOST_TOGETHER = 2000
_COMPANY_SECONDS = 0.03
"""About what a request that creates topics takes. Measured: with this wait 200 single topics are 55
requests instead of 112, and take 2 % longer."""
_COMPANY_OF_LOOKS_SECONDS = 0.003
"""A look takes a few milliseconds, and who looks was mostly served together a moment before.
Measured: 200 single topics take 6 to 9 % less time than with the wait above, in as few requests."""


@dataclass(eq=False)
class _Call(Generic[K, Q, A]):
    questions: Mapping[K, Q]
    answers: dict[K, A] = field(default_factory=dict)
    error: BaseException | None = None
    done: bool = False


def _wait_for(seconds: float, changed: threading.Condition) -> None:
    changed.wait_for(lambda: False, timeout=seconds)  # whoever comes meanwhile wakes it too early


_wait_a_moment = partial(_wait_for, _COMPANY_SECONDS)
_wait_an_instant = partial(_wait_for, _COMPANY_OF_LOOKS_SECONDS)


class Line(Generic[K, Q, A]):
    """Where callers of one kind of request line up."""

    def __init__(self, wait: Callable[[threading.Condition], None] = _wait_a_moment) -> None:
        """The wait is for company; the condition is held, and let go while it lasts."""
        self._wait = wait
        self._changed = threading.Condition()
        self._waiting: list[_Call[K, Q, A]] = []
        self._busy = False
        self._served_together = 0

    def ask(
        self,
        questions: Mapping[K, Q],
        send: Callable[[Mapping[K, Q]], Mapping[K, A]],
    ) -> dict[K, A]:
        """Have questions answered, in one request with those of others.

        Args:
            questions: by what they are about. Two about the same go into separate requests.
            send: sends a request; what it does not answer, it leaves out.
        """
        call = _Call[K, Q, A](questions)
        with self._changed:
            self._waiting.append(call)
        while together := self._turn(call):
            self._serve(together, send)
        if call.error is not None:
            raise call.error
        return call.answers

    def _turn(self, call: _Call[K, Q, A]) -> list[_Call[K, Q, A]]:
        """Wait until a call was answered, or it is its turn to send for those in front."""
        with self._changed:
            while self._busy and not call.done:
                self._changed.wait()
            if call.done:
                return []
            self._busy = True
            if len(self._waiting) > 1 or self._served_together > 1:
                self._wait(self._changed)
            together = self._next()
            self._served_together = len(together)
        return together

    def _next(self) -> list[_Call[K, Q, A]]:
        """Those who go together: in their order, as long as nothing is asked twice."""
        together: list[_Call[K, Q, A]] = []
        asked: set[K] = set()
        while self._waiting:
            call = self._waiting[0]
            crowded = together and len(asked) + len(call.questions) > _MOST_TOGETHER
            if crowded or asked & call.questions.keys():
                break
            asked |= call.questions.keys()
            together.append(self._waiting.pop(0))
        return together

    def _serve(
        self,
        together: Sequence[_Call[K, Q, A]],
        send: Callable[[Mapping[K, Q]], Mapping[K, A]],
    ) -> None:
        try:
            try:
                _send(together, send)
            except ClusterError:
                if len(together) == 1:
                    raise
                for call in together:  # one of them is at fault, and only that one should hear it
                    _send_alone(call, send)
        except BaseException as error:
            for call in together:
                call.error = call.error or error
        finally:
            with self._changed:
                for call in together:
                    call.done = True
                self._busy = False
                self._changed.notify_all()


def _send(calls: Iterable[_Call[K, Q, A]], send: Callable[[Mapping[K, Q]], Mapping[K, A]]) -> None:
    calls = list(calls)
    answers = send({key: question for call in calls for key, question in call.questions.items()})
    for call in calls:
        call.answers = {key: answers[key] for key in call.questions if key in answers}


def _send_alone(call: _Call[K, Q, A], send: Callable[[Mapping[K, Q]], Mapping[K, A]]) -> None:
    try:
        _send([call], send)
    except ClusterError as error:
        call.error = error


@dataclass(frozen=True)
class GatheringLines:
    """The lines of one cluster; its users share them."""

    creations: Line[str, NewTopic, str | Refusal] = field(default_factory=Line)
    looks: Line[str, frozenset[str] | None, TopicState] = field(
        default_factory=lambda: Line(_wait_an_instant)
    )
    alterations: Line[str, Mapping[str, str | None], Refusal | None] = field(default_factory=Line)
    deletions: Line[str, None, Refusal | None] = field(default_factory=Line)
    acl_creations: Line[Acl, None, Refusal | None] = field(default_factory=Line)
    acl_deletions: Line[Acl, None, Refusal | None] = field(default_factory=Line)


class GatheredTopics:
    """Topics of a cluster, with the requests of all its users gathered; see `TopicRequests`."""

    def __init__(self, topics: TopicRequests, lines: GatheringLines) -> None:
        self._topics = topics
        self._lines = lines

    def create(self, topics: Sequence[NewTopic]) -> Mapping[str, str | Refusal]:
        """Create topics; answers each one's id."""
        return self._lines.creations.ask(
            {topic.name: topic for topic in topics},
            lambda asked: self._topics.create(list(asked.values())),
        )

    def describe(
        self, names: Sequence[str], keys: Collection[str] | None = None
    ) -> Mapping[str, TopicState]:
        """Look topics up; one that does not exist is not in the answer."""
        wanted = None if keys is None else frozenset(keys)
        return self._lines.looks.ask(dict.fromkeys(names, wanted), self._describe)

    def _describe(self, asked: Mapping[str, frozenset[str] | None]) -> Mapping[str, TopicState]:
        keys: set[str] = set()
        for wanted in set(asked.values()):
            if wanted is None:
                return self._topics.describe(list(asked), None)
            keys |= wanted
        return self._topics.describe(list(asked), keys)

    def names(self) -> Sequence[str]:
        """List all topics but Kafka's own."""
        return self._topics.names()

    def add_partitions(self, counts: Mapping[str, int]) -> Mapping[str, Refusal | None]:
        """Raise topics to a number of partitions."""
        return self._topics.add_partitions(counts)

    def alter(
        self, changes: Mapping[str, Mapping[str, str | None]]
    ) -> Mapping[str, Refusal | None]:
        """Set settings, or with None unset them; what is not named stays as it is."""
        return self._lines.alterations.ask(changes, self._topics.alter)

    def delete(self, names: Sequence[str]) -> Mapping[str, Refusal | None]:
        """Delete topics."""
        return self._lines.deletions.ask(
            dict.fromkeys(names), lambda asked: self._topics.delete(list(asked))
        )


class GatheredAcls:
    """Access control entries, with the requests of all users gathered; see `AclRequests`."""

    def __init__(self, acls: AclRequests, lines: GatheringLines) -> None:
        self._acls = acls
        self._lines = lines

    def create(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        """Add entries; one that exists already is no error. Returns when every broker knows."""
        return self._lines.acl_creations.ask(
            dict.fromkeys(acls), lambda asked: self._acls.create(list(asked))
        )

    def describe(self, like: Acl) -> frozenset[Acl]:
        """Find the entries that differ from `like` in the operation at most."""
        return self._acls.describe(like)

    def delete(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        """Remove exactly these entries; one that is gone already is no error."""
        return self._lines.acl_deletions.ask(
            dict.fromkeys(acls), lambda asked: self._acls.delete(list(asked))
        )
