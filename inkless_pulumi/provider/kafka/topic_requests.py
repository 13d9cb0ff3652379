"""Requests about topics."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from kafka.protocol.admin import (
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    IncrementalAlterConfigsRequest,
)
from kafka.protocol.metadata import MetadataRequest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.client import Outcome, Session, refusal
from inkless_pulumi.provider.kafka.model import (
    NewTopic,
    Refusal,
    TopicState,
    kafka_uuid,
)
from inkless_pulumi.provider.kafka.throttled_replicas import without_ours

__all__ = ["KafkaTopics", "alter_topics", "topic_metadata", "topic_settings"]

_TOPIC = 2  # ConfigResource.Type.TOPIC
_SET_ON_TOPIC = 1  # DescribeConfigsResponse.ConfigSource.TOPIC_CONFIG
_SET, _DELETE = 0, 1  # AlterConfigOp.OpType
_UNKNOWN_TOPIC = 3
_DESCRIBED_AT_ONCE = 500  # a topic has 35 settings; so many answers fit into a few MB
_CONTROLLER_TIMEOUT_MS = 25_000  # shorter than a request's, so that the controller's error is seen


class KafkaTopics:
    """Topics of a real cluster; see `TopicRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, topics: Sequence[NewTopic]) -> Mapping[str, str | Refusal]:
        """Create topics; answers each one's id."""
        wanted = {topic.name: topic for topic in topics}

        def request(names: Sequence[str]) -> Any:
            return CreateTopicsRequest(
                topics=[_creatable(wanted[name]) for name in names],
                timeout_ms=_CONTROLLER_TIMEOUT_MS,
                validate_only=False,
            )

        def outcomes(response: Any) -> Iterable[Outcome[str, str]]:
            for topic in response.topics:
                topic_id = kafka_uuid(topic.topic_id) if topic.topic_id else ""
                yield topic.name, topic.error_code, topic.error_message, topic_id

        return self._session.send_each(wanted, request, outcomes)

    def describe(
        self, names: Sequence[str], keys: Collection[str] | None = None
    ) -> Mapping[str, TopicState]:
        """Look topics up; one that does not exist is not in the answer."""
        found = {topic.name: topic for topic in topic_metadata(self._session, names)}
        if keys is not None and not keys:
            settings: Mapping[str, Mapping[str, str]] = {name: {} for name in found}
        else:
            wanted = None if keys is None else sorted(keys)
            settings = topic_settings(self._session, list(found), only_own=True, keys=wanted)
        return {
            name: TopicState(
                name=name,
                topic_id=kafka_uuid(topic.topic_id),
                partitions=len(topic.partitions),
                replication_factor=max((len(p.replica_nodes) for p in topic.partitions), default=0),
                settings=without_ours(settings[name]),
                has_leaders=bool(topic.partitions)
                and all(partition.leader_id >= 0 for partition in topic.partitions),
            )
            for name, topic in found.items()
            if name in settings
        }

    def names(self) -> Sequence[str]:
        """List all topics but Kafka's own."""
        found = topic_metadata(self._session, None)
        return sorted(topic.name for topic in found if not topic.name.startswith("__"))

    def add_partitions(self, counts: Mapping[str, int]) -> Mapping[str, Refusal | None]:
        """Raise topics to a number of partitions."""

        def request(names: Sequence[str]) -> Any:
            wanted = CreatePartitionsRequest.CreatePartitionsTopic
            return CreatePartitionsRequest(
                topics=[wanted(name=name, count=counts[name], assignments=None) for name in names],
                timeout_ms=_CONTROLLER_TIMEOUT_MS,
                validate_only=False,
            )

        return self._session.send_each(counts, request, lambda response: _named(response.results))

    def alter(
        self,
        changes: Mapping[str, Mapping[str, str | None]],
    ) -> Mapping[str, Refusal | None]:
        """Set settings, or with None unset them; what is not named stays as it is."""
        return alter_topics(self._session, changes)

    def delete(self, names: Sequence[str]) -> Mapping[str, Refusal | None]:
        """Delete topics."""

        def request(pending: Sequence[str]) -> Any:
            topic = DeleteTopicsRequest.DeleteTopicState
            return DeleteTopicsRequest(
                topics=[topic(name=name) for name in pending],
                timeout_ms=_CONTROLLER_TIMEOUT_MS,
            )

        return self._session.send_each(names, request, lambda response: _named(response.responses))


def topic_metadata(
    session: Session,
    names: Sequence[str] | None,
    node_id: int | None = None,
) -> list[Any]:
    """Describe topics that exist; None: all of them."""
    wanted = MetadataRequest.MetadataRequestTopic

    def request() -> Any:
        return MetadataRequest(
            topics=None if names is None else [wanted(name=name) for name in names],
            allow_auto_topic_creation=False,
        )

    if names is not None and not names:
        return []
    response = session.send(request, node_id)
    session.expect(response.error_code, None)
    found = []
    for topic in response.topics:
        if topic.error_code != _UNKNOWN_TOPIC:
            session.expect(topic.error_code, f"topic {topic.name}")
            found.append(topic)
    return found


def alter_topics(
    session: Session, changes: Mapping[str, Mapping[str, str | None]]
) -> Mapping[str, Refusal | None]:
    """Set settings of topics, or with None unset them."""

    def request(names: Sequence[str]) -> Any:
        resources = [(_TOPIC, name, _operations(changes[name])) for name in names]
        return IncrementalAlterConfigsRequest(resources=resources, validate_only=False)

    def outcomes(response: Any) -> Iterable[Outcome[str, None]]:
        for answer in response.responses:
            yield answer.resource_name, answer.error_code, answer.error_message, None

    return session.send_each(changes, request, outcomes)


def topic_settings(
    session: Session,
    names: Sequence[str],
    *,
    only_own: bool,
    keys: Sequence[str] | None = None,
) -> dict[str, dict[str, str]]:
    """Settings of topics; one that has just gone is not in the answer.

    Args:
        session: the connection.
        names: the topics.
        only_own: leave out what a topic has by default.
        keys: the settings to look up; None: all.
    """

    def request(pending: Sequence[str]) -> Any:
        return DescribeConfigsRequest(
            resources=[(_TOPIC, name, keys) for name in pending],
            include_synonyms=False,
        )

    def outcomes(response: Any) -> Iterable[Outcome[str, dict[str, str]]]:
        for result in response.results:
            values = {
                config.name: config.value
                for config in result.configs
                if config.value is not None
                and (not only_own or config.config_source == _SET_ON_TOPIC)
            }
            yield result.resource_name, result.error_code, result.error_message, values

    answers: dict[str, dict[str, str] | Refusal] = {}
    for first in range(0, len(names), _DESCRIBED_AT_ONCE):
        part = names[first : first + _DESCRIBED_AT_ONCE]
        answers |= session.send_each(part, request, outcomes)
    unknown = refusal(_UNKNOWN_TOPIC, None).error
    found: dict[str, dict[str, str]] = {}
    for name, answer in answers.items():
        if not isinstance(answer, Refusal):
            found[name] = answer
        elif answer.error != unknown:
            raise ClusterError(f"The settings of topic {name} can't be read. Kafka: {answer}")
    return found


def _creatable(topic: NewTopic) -> Any:
    wanted = CreateTopicsRequest.CreatableTopic
    setting = wanted.CreatableTopicConfig
    return wanted(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication_factor or -1,
        assignments=[],
        configs=[setting(name=name, value=value) for name, value in topic.settings.items()],
    )


def _operations(changes: Mapping[str, str | None]) -> list[tuple[str, int, str | None]]:
    return [(key, _DELETE if new is None else _SET, new) for key, new in changes.items()]


def _named(results: Iterable[Any]) -> Iterable[Outcome[str, None]]:
    for result in results:
        yield result.name, result.error_code, result.error_message, None
