"""Requests about partitions: what was written to them, and where their replicas are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from kafka.errors import for_code
from kafka.protocol.admin import (
    AlterPartitionReassignmentsRequest,
    DescribeClusterRequest,
    DescribeLogDirsRequest,
    DescribeTopicPartitionsRequest,
    ListPartitionReassignmentsRequest,
)
from kafka.protocol.consumer import ListOffsetsRequest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.core.topics import THROTTLED_FOLLOWERS, THROTTLED_LEADERS
from inkless_pulumi.provider.kafka.client import Outcome, Session
from inkless_pulumi.provider.kafka.model import (
    Partition,
    Reassignment,
    Refusal,
    Switch,
    TopicEnd,
)
from inkless_pulumi.provider.kafka.topic_requests import (
    alter_topics,
    topic_metadata,
    topic_settings,
)

__all__ = ["KafkaPartitions"]

_LATEST = -1  # OffsetSpec.LATEST
_UNKNOWN_PARTITION = 3
_CONTROLLER_TIMEOUT_MS = 25_000
_ATTEMPTS, _PAUSE = 20, 0.5
_PARTITIONS_AT_ONCE = 2000  # the most that a broker gives, by max.request.partition.size.limit
_START_OF_DISKLESS = "_100"
"""What kafka-python calls the tagged field 100 of a partition that is or was switched to diskless:
the first offset in object storage, -2 while it is not agreed on yet. `kafka-topic-switch.sh state`
of Inkless 0.47 reads it too (its CLASSIC_TO_DISKLESS_SWITCH.md)."""
_NEVER_SWITCHED = -1


class KafkaPartitions:
    """Partitions of a real cluster; see `PartitionRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ends(self, names: Sequence[str]) -> Mapping[str, TopicEnd]:
        """Tell what was written to topics; one that does not exist is not in the answer."""
        offsets: dict[Partition, int | None] = {}
        for _ in range(_ATTEMPTS):
            leaders = self._leaders(names)
            pending = {partition: leaders[partition] for partition in leaders.keys() - offsets}
            if not pending:
                break
            for leader in sorted(set(pending.values())):
                asked = [partition for partition, node in pending.items() if node == leader]
                offsets |= self._offsets(leader, asked)
            if leaders.keys() - offsets:
                self._session.pause(_PAUSE)
        else:
            raise ClusterError(f"Kafka has no leader for partitions of {', '.join(names)}.")
        by_topic: dict[str, list[int | None]] = defaultdict(list)
        for (topic, _), offset in offsets.items():
            by_topic[topic].append(offset)
        return {
            topic: TopicEnd(served=None not in ends, written=any(end for end in ends))
            for topic, ends in by_topic.items()
        }

    def zones(self) -> Mapping[int, str]:
        """Tell the zone of each broker that is alive; one without has an empty one."""
        response = self._session.send(DescribeClusterRequest)
        self._session.expect(response.error_code, response.error_message)
        return {broker.broker_id: broker.rack or "" for broker in response.brokers}

    def reassign(
        self, wanted: Mapping[Partition, Sequence[int]]
    ) -> Mapping[Partition, Refusal | None]:
        """Start to move partitions to other brokers; returns when the controller agreed."""

        def request(pending: Sequence[Partition]) -> Any:
            return AlterPartitionReassignmentsRequest(
                timeout_ms=_CONTROLLER_TIMEOUT_MS,
                topics=_reassignable({partition: wanted[partition] for partition in pending}),
            )

        def outcomes(response: Any) -> Iterable[Outcome[Partition, None]]:
            self._session.expect(response.error_code, response.error_message)
            for topic in response.responses:
                for answer in topic.partitions:
                    partition = (topic.name, answer.partition_index)
                    yield partition, answer.error_code, answer.error_message, None

        return self._session.send_each(wanted, request, outcomes)

    def moving(self, names: Collection[str] | None = None) -> Mapping[Partition, Reassignment]:
        """Find the partitions of topics that are on their way to other brokers; None: of any."""

        def request() -> Any:
            return ListPartitionReassignmentsRequest(timeout_ms=_CONTROLLER_TIMEOUT_MS, topics=None)

        response = self._session.send(request)
        self._session.expect(response.error_code, response.error_message)
        return {
            (topic.name, partition.partition_index): Reassignment(
                tuple(partition.replicas), tuple(partition.adding_replicas)
            )
            for topic in response.topics
            if names is None or topic.name in names
            for partition in topic.partitions
        }

    def sizes(self, node_id: int, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Tell how many bytes a broker has of each partition; one that it lacks is not in it."""
        wanted = DescribeLogDirsRequest.DescribableLogDirTopic

        def request() -> Any:
            topics = [
                wanted(topic=topic, partitions=indexes)
                for topic, indexes in _by_topic(partitions).items()
            ]
            return DescribeLogDirsRequest(topics=topics)

        return {
            (topic.name, partition.partition_index): partition.partition_size
            for directory in self._session.send(request, node_id).results
            for topic in directory.topics
            for partition in topic.partitions
            if not partition.is_future_key
        }

    def throttled(self, names: Sequence[str] | None = None) -> Mapping[str, Mapping[str, str]]:
        """Tell the lists of throttled replicas that topics have, by topic and setting."""
        if names is None:
            names = [topic.name for topic in topic_metadata(self._session, None)]
        lists = [THROTTLED_LEADERS, THROTTLED_FOLLOWERS]
        found = topic_settings(self._session, names, only_own=True, keys=lists)
        return {topic: settings for topic, settings in found.items() if settings}

    def throttle(
        self, lists: Mapping[str, Mapping[str, str | None]]
    ) -> Mapping[str, Refusal | None]:
        """Set lists of throttled replicas, or with None unset them."""
        return alter_topics(self._session, lists)

    def switches(self, names: Sequence[str]) -> Mapping[str, Mapping[int, Switch]]:
        """Tell of each partition of topics how far its switch to diskless is; a topic that does not
        exist is not in the answer.
        """
        found: dict[str, dict[int, Switch]] = {}
        first: _Place | None = ("", 0) if names else None
        while first is not None:
            response = self._session.send(partial(_partitions_from, sorted(names), first))
            for topic in response.topics:
                if topic.error_code == _UNKNOWN_PARTITION:
                    continue
                self._session.expect(topic.error_code, f"partitions of topic {topic.name}")
                states = {one.partition_index: _switch(one) for one in topic.partitions}
                found.setdefault(topic.name, {}).update(states)
            following = response.next_cursor
            first = following and (following.topic_name, following.partition_index)
        return found

    def _leaders(self, names: Sequence[str]) -> dict[Partition, int]:
        return {
            (topic.name, partition.partition_index): partition.leader_id
            for topic in topic_metadata(self._session, names)
            for partition in topic.partitions
        }

    def _offsets(self, leader: int, asked: Sequence[Partition]) -> dict[Partition, int | None]:
        """End offsets by one broker's account; None: it does not serve the partition."""
        if leader < 0:
            return {}  # there is none at the moment

        def request() -> Any:
            return ListOffsetsRequest(isolation_level=0, topics=_offset_questions(asked))

        found: dict[Partition, int | None] = {}
        for topic in self._session.send(request, leader).topics:
            for answer in topic.partitions:
                partition = (topic.name, answer.partition_index)
                if answer.error_code == 0:
                    found[partition] = answer.offset
                elif answer.error_code == _UNKNOWN_PARTITION:
                    found[partition] = None
                elif not for_code(answer.error_code).retriable:
                    self._session.expect(answer.error_code, f"end of topic {topic.name}")
        return found


_Place = tuple[str, int]


def _partitions_from(names: Sequence[str], first: _Place) -> Any:
    """Ask for partitions in the order of their topics' names, from a place on."""
    wanted, (topic, partition) = DescribeTopicPartitionsRequest, first
    cursor = wanted.Cursor(topic_name=topic, partition_index=partition) if topic else None
    asked = [wanted.TopicRequest(name=name) for name in names if name >= topic]
    return wanted(topics=asked, response_partition_limit=_PARTITIONS_AT_ONCE, cursor=cursor)


def _switch(partition: Any) -> Switch:
    """Read what Inkless adds to a partition, in a field that Kafka's own clients pass over."""
    told = (partition.unknown_tags or {}).get(_START_OF_DISKLESS)
    start = _NEVER_SWITCHED if told is None else int.from_bytes(told, "big", signed=True)
    if start == _NEVER_SWITCHED:
        return "none"
    return "pending" if start < 0 else "sealed"


def _by_topic(partitions: Iterable[Partition]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for topic, index in partitions:
        found[topic].append(index)
    return found


def _offset_questions(asked: Iterable[Partition]) -> list[Any]:
    topic = ListOffsetsRequest.ListOffsetsTopic
    question = topic.ListOffsetsPartition
    return [
        topic(
            name=name,
            partitions=[question(partition_index=index, timestamp=_LATEST) for index in indexes],
        )
        for name, indexes in _by_topic(asked).items()
    ]


def _reassignable(wanted: Mapping[Partition, Sequence[int]]) -> list[Any]:
    topic = AlterPartitionReassignmentsRequest.ReassignableTopic
    move = topic.ReassignablePartition
    return [
        topic(
            name=name,
            partitions=[
                move(partition_index=index, replicas=list(wanted[name, index])) for index in indexes
            ],
        )
        for name, indexes in _by_topic(wanted).items()
    ]
