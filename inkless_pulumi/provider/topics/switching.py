"""Switching classic topics to diskless, which no one can undo.

Kafka agrees at once and does the work later: each partition is sealed, its classic log is
replicated to its end, the offset from which on object storage counts is agreed on, and Postgres is
told of it. Producers wait meanwhile. Whatever becomes of the update, the brokers go on; the next
one asks for nothing anew, and waits for the rest.
"""

import time
from collections.abc import Mapping, Sequence

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.core.topics import DISKLESS
from inkless_pulumi.provider.kafka.model import TopicState
from inkless_pulumi.provider.pauses import growing_pauses
from inkless_pulumi.provider.topics.account import Operation, parts, unsupported
from inkless_pulumi.provider.topics.declared import Topic, kind_of

__all__ = ["switch"]

_DEADLINE = 3600.0
_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


def switch(operation: Operation, topics: Sequence[Topic], found: Mapping[str, TopicState]) -> None:
    """Make classic topics diskless, and wait until every partition is.

    Args:
        operation: that wants it.
        topics: as they should be.
        found: as they are; one that is diskless already was switched by an update that ended early.

    Raises:
        ClusterError: some partitions are still on their way after an hour, or what the resource
            option `custom_timeouts` grants.
    """
    asked = [topic for topic in topics if kind_of(found[topic.name]) == "classic"]
    for batch in parts([topic.name for topic in asked]):
        wanted = {name: {DISKLESS: "true"} for name in batch}
        for name, answer in operation.cluster.topics.alter(wanted).items():
            if answer is not None:
                operation.account.failed[name] = unsupported(operation, name, answer) or (
                    f"Topic {name} could not be switched to diskless, and is classic as before. "
                    "All of its replicas have to be in sync, and none on its way to another "
                    f"broker. Kafka: {answer}"
                )
    begun = {topic.name for topic in asked} - operation.account.failed.keys()
    going_on = {topic.name for topic in topics} - {topic.name for topic in asked}
    _await(operation, begun, going_on)
    for name in begun | going_on:
        operation.account.done(name, "kind")


def _await(operation: Operation, begun: set[str], going_on: set[str]) -> None:
    """Wait until all partitions are sealed, and those that this update began were seen to be.

    That Postgres knows them too is seen by whoever looks whether the topics are served.
    """
    deadline = time.monotonic() + (operation.context.timeout or _DEADLINE)
    pauses = growing_pauses(_PAUSE, _LONGEST_PAUSE)
    while names := sorted(begun | going_on):
        total, sealed = 0, 0
        for name, states in operation.cluster.partitions.switches(names).items():
            done = [
                state == "sealed" or (state == "none" and name in going_on)
                for state in states.values()
            ]
            total, sealed = total + len(done), sealed + sum(done)
        if sealed == total:
            return
        if time.monotonic() > deadline:
            raise ClusterError(
                f"{total - sealed} of {total} partitions are still being switched to diskless. The "
                "brokers go on by themselves; run the update again to wait for them, or grant it "
                "more time with the resource option custom_timeouts. `kafka-topic-switch.sh state` "
                "tells of each partition where it is."
            )
        operation.context.progress(
            f"switching to diskless: {sealed} of {total} partitions are there"
        )
        operation.context.pause(next(pauses))
