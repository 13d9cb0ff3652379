"""Produce records to a topic and read them back, as a user's client does."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.environment import read_secret
from inkless_pulumi.sandbox.home import Home

__all__ = ["Client", "Quiet", "RecordCheck", "client_of", "produce_and_consume"]

_SECONDS = 120


@dataclass(frozen=True)
class Client:
    """Who connects, and where to."""

    bootstrap_servers: str
    ca_certificate: str
    username: str
    password: str
    mechanism: str

    def settings(self, **more: Any) -> dict[str, Any]:
        """Settings of librdkafka."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.username,
            "sasl.password": self.password,
            "ssl.ca.pem": self.ca_certificate,
            **more,
        }


def client_of(home: Home, outputs: Mapping[str, Any]) -> Client:
    """The user of a deployed program, with the credentials that are valid now.

    Args:
        home: of the sandbox that the program was deployed into.
        outputs: of its stack: `bootstrap_servers`, `ca_certificate` and `user_secret_id`.

    Raises:
        SandboxError: the secret can't be read.
    """
    return Client(
        bootstrap_servers=outputs["bootstrap_servers"],
        ca_certificate=outputs["ca_certificate"],
        **json.loads(read_secret(home, outputs["user_secret_id"])),
    )


@dataclass(frozen=True)
class RecordCheck:
    """How it went."""

    produced: int
    """Records that the brokers acknowledged."""
    consumed: int
    """Distinct records of these that came back unchanged."""
    brokers: int
    first_record_at: float
    """`time.monotonic()` when the first record was read."""


def produce_and_consume(client: Client, topic: str, count: int) -> RecordCheck:
    """Produce `count` records with acks=all, idempotently, and read them back.

    Raises:
        SandboxError: not all records came back within two minutes; librdkafka's errors are named.
    """
    errors: list[str] = []
    run = uuid.uuid4().hex
    expected = {f"{run}-{number}".encode() for number in range(count)}
    acknowledged, brokers = _produce(client, topic, expected, errors)
    read, first = _consume(client, topic, acknowledged, run, errors)
    if len(acknowledged) != count or read != acknowledged:
        raise SandboxError(
            f"Topic {topic}: {len(acknowledged)} of {count} records were acknowledged and "
            f"{len(read)} read back within {_SECONDS} s. "
            + (f"The client said: {'; '.join(dict.fromkeys(errors))}" if errors else "")
        )
    return RecordCheck(len(acknowledged), len(read), brokers, first)


def _produce(
    client: Client, topic: str, values: set[bytes], errors: list[str]
) -> tuple[set[bytes], int]:
    from confluent_kafka import Producer

    acknowledged: set[bytes] = set()

    def delivered(error: Any, message: Any) -> None:
        if error is None:
            acknowledged.add(message.value())
        else:
            errors.append(str(error))

    producer = Producer(
        client.settings(
            **{
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 20,
                "error_cb": lambda error: errors.append(str(error)),
                "logger": Quiet(),
            }
        )
    )
    for value in sorted(values):
        producer.produce(topic, value=value, on_delivery=delivered)
        producer.poll(0)
    producer.flush(_SECONDS)
    return acknowledged, len(producer.list_topics(timeout=30).brokers)


def _consume(
    client: Client, topic: str, wanted: set[bytes], run: str, errors: list[str]
) -> tuple[set[bytes], float]:
    from confluent_kafka import Consumer

    consumer = Consumer(
        client.settings(
            **{
                "group.id": f"{client.username}-{run}",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "error_cb": lambda error: errors.append(str(error)),
                "logger": Quiet(),
            }
        )
    )
    read: set[bytes] = set()
    first = 0.0
    deadline = time.monotonic() + _SECONDS
    try:
        consumer.subscribe([topic])
        while read != wanted and time.monotonic() < deadline:
            for message in consumer.consume(500, timeout=0.5):
                if message.error() is not None:
                    errors.append(str(message.error()))
                elif (value := message.value()) is not None and value in wanted:
                    first = first or time.monotonic()
                    read.add(value)
    finally:
        consumer.close()
    return read, first


class Quiet:
    """Takes librdkafka's log lines, which would otherwise go to standard error."""

    def log(self, *_line: object) -> None:
        """Drop a line; errors reach `error_cb` all the same."""
