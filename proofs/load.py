"""A producer and a consumer that go on whatever happens to the service, and keep the books.

Records are numbered by topic, and each record's value follows from its number: what was
acknowledged, what was read, and how often, is one byte a record. The producer is idempotent with
acks=all and tries again for as long as a run takes; the consumer is a member of a group.
"""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from inkless_pulumi.sandbox.record_check import Client, Quiet

__all__ = ["Gaps", "Load", "Reading", "read_back"]

_VALUE_BYTES = 100
_PATIENCE_SECONDS = 900
_SILENCE_SECONDS = 60


@dataclass
class Gaps:
    """The longest time without an acknowledged record, by topic, during one phase (s)."""

    longest: dict[str, float] = field(default_factory=dict)
    acked: int = 0

    @property
    def worst(self) -> float:
        """Over all topics."""
        return max(self.longest.values(), default=0.0)


@dataclass
class _Topic:
    """The books of one topic; a record's number is its place."""

    name: str
    sent: int = 0
    acked: bytearray = field(default_factory=bytearray)
    seen: bytearray = field(default_factory=bytearray)
    last_ack: float = 0.0


class Load:
    """Produces `rate` records a second (all topics together) from `start` until `finish`."""

    def __init__(self, client: Client, topics: Sequence[str], rate: float) -> None:
        self.run = uuid.uuid4().hex[:12]
        self.failures: list[str] = []
        self.client = client
        self._topics = {topic: _Topic(topic) for topic in topics}
        self._rate = rate
        self._wanted = 0
        self._gaps = Gaps()
        self._ended = threading.Event()
        self._drained = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._produce, self._consume)
        ]

    # --- what a proof does with it ---------------------------------------------------------------

    def start(self) -> None:
        """Begin, and return when each topic has an acknowledged record."""
        for thread in self._threads:
            thread.start()
        self._await(lambda: all(topic.last_ack for topic in self._topics.values()), "a first ack")

    @contextmanager
    def phase(self) -> Iterator[Gaps]:
        """Watch the acknowledgements from now until the end of the block."""
        self._gaps, before = Gaps(), self.acked
        gaps = self._gaps
        yield gaps
        self._settle()
        now = time.monotonic()
        for topic in self._topics.values():
            self._note_gap(topic, now)
        gaps.acked = self.acked - before

    def finish(self, records: int) -> None:
        """Produce until there are so many records, end, and wait until the group has read all."""
        self._wanted = records
        self._ended.set()
        self._threads[0].join(_PATIENCE_SECONDS)
        self._await(self._all_seen, "the consumer to have read every acknowledged record")
        self._drained.set()
        self._threads[1].join(_PATIENCE_SECONDS)

    @property
    def sent(self) -> int:
        """Records handed to the producer."""
        return sum(topic.sent for topic in self._topics.values())

    @property
    def acked(self) -> int:
        """Records that the brokers acknowledged."""
        return sum(topic.acked.count(1) for topic in self._topics.values())

    def acked_by_topic(self) -> Mapping[str, bytearray]:
        """By topic, a 1 for each record that was acknowledged."""
        return {name: topic.acked for name, topic in self._topics.items()}

    def send_again(self, topic: str, number: int) -> None:
        """Send a record a second time, which a reader must notice."""
        producer = self._producer()
        producer.produce(topic, key=str(number).encode(), value=value_of(self.run, number))
        producer.flush(_PATIENCE_SECONDS)

    # --- threads ---------------------------------------------------------------------------------

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:  # a thread's error would be lost
            self.failures.append(f"{work.__name__.strip('_')}: {error!r}")

    def _producer(self) -> Any:
        return Producer(
            self.client.settings(
                **{
                    "acks": "all",
                    "enable.idempotence": True,
                    "linger.ms": 10,
                    "message.timeout.ms": _PATIENCE_SECONDS * 1000,
                    "logger": Quiet(),
                }
            )
        )

    def _produce(self) -> None:
        producer = self._producer()
        topics = list(self._topics.values())
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * self._rate)
            if self._ended.is_set():
                if sent >= self._wanted:
                    break
                due = self._wanted
            for _ in range(min(due - sent, 1000)):
                if not self._send(producer, topics[sent % len(topics)]):
                    break
                sent += 1
            producer.poll(0.005)
        producer.flush(_PATIENCE_SECONDS)

    def _send(self, producer: Any, topic: _Topic) -> bool:
        number = topic.sent
        topic.acked.append(0)
        topic.seen.append(0)
        try:
            producer.produce(
                topic.name,
                key=str(number).encode(),
                value=value_of(self.run, number),
                on_delivery=lambda error, _message: self._delivered(topic, number, error),
            )
        except BufferError:  # the brokers are away: what waits is enough
            topic.acked.pop()
            topic.seen.pop()
            return False
        topic.sent += 1
        return True

    def _delivered(self, topic: _Topic, number: int, error: Any) -> None:
        if error is not None:
            self.failures.append(f"record {number} of {topic.name}: {error}")
            return
        topic.acked[number] = 1
        now = time.monotonic()
        self._note_gap(topic, now)
        topic.last_ack = now

    def _note_gap(self, topic: _Topic, now: float) -> None:
        gap = now - topic.last_ack if topic.last_ack else 0.0
        longest = self._gaps.longest
        longest[topic.name] = max(longest.get(topic.name, 0.0), gap)

    def _consume(self) -> None:
        consumer = Consumer(
            self.client.settings(
                **{
                    "group.id": f"load-{self.run}",
                    "auto.offset.reset": "earliest",
                    "logger": Quiet(),
                }
            )
        )
        try:
            consumer.subscribe(list(self._topics))
            while not self._drained.is_set():
                for message in consumer.consume(1000, timeout=0.2):
                    if message.error() is None:
                        topic = self._topics[str(message.topic())]
                        number = _number_of(self.run, message)
                        if number is not None:
                            topic.seen[number] = 1
        finally:
            consumer.close()

    # --- waiting ---------------------------------------------------------------------------------

    def _settle(self) -> None:
        """After a change: what was sent until now has to be acknowledged."""
        sent = {topic.name: topic.sent for topic in self._topics.values()}
        self._await(
            lambda: all(
                topic.acked.count(1, 0, sent[topic.name]) == sent[topic.name]
                for topic in self._topics.values()
            ),
            "every record sent so far to be acknowledged",
        )

    def _all_seen(self) -> bool:
        return all(
            not any(acked and not seen for acked, seen in zip(topic.acked, topic.seen, strict=True))
            for topic in self._topics.values()
        )

    def _await(self, holds: Any, what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds():
            if self.failures or time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain for {what}: {self.failures[:3] or 'no error'}")
            time.sleep(0.2)


@dataclass
class Reading:
    """What a reader of its own found, from the first record of each topic to the last."""

    lost: int = 0
    """Acknowledged records that are not there, or are not what was sent."""
    duplicated: int = 0
    """Records that are there again."""


def read_back(client: Client, run: str, acked_by_topic: Mapping[str, bytearray]) -> Reading:
    """Read every topic from its beginning to its end, and compare it with the books.

    Raises:
        KafkaException: a topic's end can't be asked for, or nothing arrives for a minute.
    """
    reading = Reading()
    for topic, acked in acked_by_topic.items():
        times = _times_read(client, run, topic, len(acked))
        reading.lost += sum(1 for was, found in zip(acked, times, strict=True) if was and not found)
        reading.duplicated += sum(found - 1 for found in times if found > 1)
    return reading


def _times_read(client: Client, run: str, topic: str, count: int) -> bytearray:
    reader = Consumer(
        client.settings(
            **{
                "group.id": f"load-{run}-reader",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "logger": Quiet(),
            }
        )
    )
    times = bytearray(count)
    try:
        partitions = list(reader.list_topics(topic, timeout=30).topics[topic].partitions)
        reader.assign([TopicPartition(topic, number, 0) for number in partitions])
        open_partitions, heard = set(partitions), time.monotonic()
        while open_partitions:
            for message in reader.consume(5000, timeout=1):
                heard = time.monotonic()
                error = message.error()
                if error is None:
                    number = _number_of(run, message)
                    if number is not None and number < count:
                        times[number] = min(times[number] + 1, 255)
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition())
                else:
                    raise KafkaException(error)
            if time.monotonic() - heard > _SILENCE_SECONDS:
                raise KafkaException(f"{topic}: nothing more arrives from {open_partitions}")
    finally:
        reader.close()
    return times


def _number_of(run: str, message: Any) -> int | None:
    """The number of a record; None for one that is not exactly what was sent."""
    number = int(message.key())
    return number if message.value() == value_of(run, number) else None


def value_of(run: str, number: int) -> bytes:
    """The value of a record, which follows from its number."""
    text = f"{run}-{number}-"
    return (text * (_VALUE_BYTES // len(text) + 1))[:_VALUE_BYTES].encode()
