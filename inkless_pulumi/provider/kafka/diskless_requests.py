"""Whether diskless topics take records through a node.

Their replicas tell nothing: a broker is up, leads and is in every ISR while Postgres is away or the
bucket is the wrong one, and refuses the first record. A request without a record finds out nothing
either: Kafka answers INVALID_RECORD before it looks any further (a null one is not answered at all,
as run on 4.2.1). So a record is written, never to a topic of the user's: to one of our own, which
is made for it and deleted right after.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from kafka.protocol.producer import ProduceRequest
from kafka.record import MemoryRecordsBuilder

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed
from inkless_pulumi.core.topics import DISKLESS
from inkless_pulumi.provider.kafka.client import Session, refusal
from inkless_pulumi.provider.kafka.model import DisklessWrite, NewTopic, Refusal, Unreachable
from inkless_pulumi.provider.kafka.topic_requests import KafkaTopics, topic_settings

__all__ = ["PROBE_TOPIC", "KafkaDiskless"]

PROBE_TOPIC = "__inkless_pulumi_probe"
"""Two underscores, as Kafka's own have them: it is no one's data, and is left out of lists."""

_EXISTS = "TOPIC_ALREADY_EXISTS"
_NOT_OURS_TO_MAKE = frozenset(
    {"INVALID_CONFIG", "INVALID_REQUEST", "INVALID_TOPIC_EXCEPTION", "POLICY_VIOLATION"}
)
"""Refusals of the topic, by the image or a policy of the cluster's: no word about the way."""
_NOT_KNOWN_YET = frozenset({3, 5, 6, 100})  # the topic is too new for this broker
_ALL_IN_SYNC = -1
_MAGIC, _UNCOMPRESSED, _BATCH = 2, 0, 1024
_BY_NAME = 12  # later versions of the request name a topic by its id
_SECONDS, _PAUSE = 5.0, 0.1


class KafkaDiskless:
    """The way of diskless records of a real cluster; see `DisklessRequests`.

    Args:
        session: the connection.
        settings: of the topic that is written to. Tests without an Inkless image give none.
    """

    def __init__(self, session: Session, settings: Mapping[str, str] | None = None) -> None:
        self._session = session
        self._topics = KafkaTopics(session)
        self._settings = {DISKLESS: "true"} if settings is None else settings

    def in_use(self, topics: Sequence[str]) -> bool:
        """Tell whether any of these topics is diskless."""
        found = topic_settings(self._session, topics, only_own=True, keys=[DISKLESS])
        return any(
            values.get(DISKLESS) == "true" for name, values in found.items() if name != PROBE_TOPIC
        )

    def write(self, node_id: int) -> DisklessWrite:
        """Write a record through a node to a topic of our own, and take the topic away again."""
        try:
            answer = self._topics.create([NewTopic(PROBE_TOPIC, 1, None, self._settings)])
            made = answer[PROBE_TOPIC]
            if isinstance(made, Refusal) and made.error in _NOT_OURS_TO_MAKE:
                return DisklessWrite(None, str(made))
            if isinstance(made, Refusal) and made.error != _EXISTS:
                return DisklessWrite(False, str(made))
            refused = self._produce(node_id)
            return DisklessWrite(refused is None, "" if refused is None else str(refused))
        except Unreachable:
            return DisklessWrite(False, f"not acknowledged within {_SECONDS:g} s")
        except (ClusterError, ConnectionFailed) as error:
            return DisklessWrite(False, str(error))
        finally:
            # Also when it was not made in full: half of a topic would refuse every later record.
            with suppress(ClusterError, ConnectionFailed):
                self._topics.delete([PROBE_TOPIC])

    def _produce(self, node_id: int) -> Refusal | None:
        """Any broker takes the records of a diskless topic, so the node itself is asked."""
        deadline = time.monotonic() + _SECONDS
        while True:
            response = self._session.send(_record, node_id)
            answer = response.responses[0].partition_responses[0]
            if answer.error_code == 0:
                return None
            if answer.error_code not in _NOT_KNOWN_YET or time.monotonic() > deadline:
                return refusal(answer.error_code, answer.error_message)
            self._session.pause(_PAUSE)


def _record() -> Any:
    batch = MemoryRecordsBuilder(_MAGIC, _UNCOMPRESSED, _BATCH)
    batch.append(timestamp=int(time.time() * 1000), key=None, value=b"probe")
    batch.close()
    topic = ProduceRequest.TopicProduceData
    partition = topic.PartitionProduceData(index=0, records=bytes(batch.buffer()))
    return ProduceRequest(
        transactional_id=None,
        acks=_ALL_IN_SYNC,
        timeout_ms=int(_SECONDS * 1000),
        topic_data=[topic(name=PROBE_TOPIC, partition_data=[partition])],
        max_version=_BY_NAME,
    )
