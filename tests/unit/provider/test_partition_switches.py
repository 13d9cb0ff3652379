"""What brokers tell of partitions on their way from classic to diskless, byte by byte."""

import struct
from collections.abc import Callable
from typing import Any, cast

from kafka.protocol.admin import DescribeTopicPartitionsResponse

from inkless_pulumi.provider.kafka.client import Session
from inkless_pulumi.provider.kafka.partition_requests import KafkaPartitions

NOTHING, UNKNOWN_TOPIC = b"\x01", 3
UNTAGGED = b"\x00"


def tagged(start_of_diskless: int) -> bytes:
    """The tagged fields of a partition, as Inkless writes them: two that it adds to Kafka's."""
    start, epoch = struct.pack(">q", start_of_diskless), struct.pack(">i", 7)
    return bytes([2, 100, len(start)]) + start + bytes([102, len(epoch)]) + epoch


def partition(index: int, tags: bytes) -> bytes:
    one_node = b"\x02" + struct.pack(">i", 1)
    kafka_s = struct.pack(">hiii", 0, index, 1, 4) + one_node + one_node + b"\x00\x00" + NOTHING
    return kafka_s + tags


def topic(name: str, *partitions: bytes, error: int = 0) -> bytes:
    head = struct.pack(">h", error) + bytes([len(name) + 1]) + name.encode() + bytes(16) + b"\x00"
    count = bytes([len(partitions) + 1])
    return head + count + b"".join(partitions) + struct.pack(">i", 0) + UNTAGGED


def answer(*topics: bytes, following: tuple[str, int] | None = None) -> Any:
    cursor = b"\xff"
    if following is not None:
        name, index = following
        cursor = b"\x01" + bytes([len(name) + 1]) + name.encode()
        cursor += struct.pack(">i", index) + UNTAGGED
    whole = struct.pack(">i", 0) + bytes([len(topics) + 1]) + b"".join(topics) + cursor + UNTAGGED
    return DescribeTopicPartitionsResponse.decode(whole, version=0)


class Broker:
    """Gives prepared answers, and remembers the places that were asked for."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[list[str], tuple[str, int] | None]] = []

    def send(self, request: Callable[[], Any]) -> Any:
        asked = request()
        place = asked.cursor and (asked.cursor.topic_name, asked.cursor.partition_index)
        self.asked.append(([topic.name for topic in asked.topics], place))
        return self.answers.pop(0)

    def expect(self, code: int, what: str) -> None:
        assert code == 0, what


def partitions_of(broker: Broker) -> KafkaPartitions:
    return KafkaPartitions(cast(Session, broker))


def test_a_partition_that_is_switched_says_how_far_it_is() -> None:
    parts = (partition(0, UNTAGGED), partition(1, tagged(-2)), partition(2, tagged(0)))
    more = (partition(3, tagged(41)), partition(4, tagged(-1)))
    broker = Broker(answer(topic("orders", *parts, *more)))
    assert partitions_of(broker).switches(["orders"]) == {
        "orders": {0: "none", 1: "pending", 2: "sealed", 3: "sealed", 4: "none"}
    }


def test_answers_that_come_in_parts_are_put_together() -> None:
    first = answer(topic("a", partition(0, tagged(9)), partition(1, tagged(9))), following=("a", 2))
    second = answer(topic("a", partition(2, tagged(-2))), topic("b", partition(0, UNTAGGED)))
    broker = Broker(first, second)
    assert partitions_of(broker).switches(["b", "a"]) == {
        "a": {0: "sealed", 1: "sealed", 2: "pending"},
        "b": {0: "none"},
    }
    assert broker.asked == [(["a", "b"], None), (["a", "b"], ("a", 2))]


def test_a_topic_that_is_gone_is_not_in_the_answer() -> None:
    broker = Broker(answer(topic("gone", error=UNKNOWN_TOPIC)))
    assert partitions_of(broker).switches(["gone"]) == {}
    assert partitions_of(broker).switches([]) == {}
