"""A producer that goes on while the service is changed, as an application does."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer

from inkless_pulumi.sandbox.record_check import Client, Quiet
from proofs.claims.meanwhile import meanwhile

__all__ = ["Producing"]

_RECORDS_A_SECOND = 100
_FLUSH_SECONDS = 60


class Producing:
    """Produces to a topic, idempotently and with acks=all; a record that fails is noted."""

    def __init__(self, client: Client, topic: str) -> None:
        self._topic = topic
        self._run = uuid.uuid4().hex
        settings = {"acks": "all", "enable.idempotence": True, "logger": Quiet()}
        self._producer = Producer(client.settings(**settings))
        self._last = time.monotonic()
        self.acknowledged = 0
        self.longest_gap = 0.0
        """The longest time without an acknowledged record (s)."""
        self.failures: list[str] = []

    @contextmanager
    def on(self) -> Iterator["Producing"]:
        """Produce until the end of the block, and wait until all is acknowledged."""
        with meanwhile(self._produce):
            yield self
        if left := self._producer.flush(_FLUSH_SECONDS):
            self.failures.append(f"{left} records of {self._topic} were never acknowledged")
        if not self.acknowledged:
            self.failures.append(f"no record of {self._topic} was acknowledged")

    def _produce(self, ended: threading.Event) -> None:
        number = 0
        while not ended.wait(1 / _RECORDS_A_SECOND):
            try:
                self._producer.produce(
                    self._topic, f"{self._run}-{number}".encode(), on_delivery=self._delivered
                )
            except BufferError as error:
                self.failures.append(f"{self._topic}: {error}")
                return
            self._producer.poll(0)
            number += 1

    def _delivered(self, error: Any, _message: Any) -> None:
        now = time.monotonic()
        if error is not None:
            self.failures.append(f"{self._topic}: {error}")
            return
        if self.acknowledged:
            self.longest_gap = max(self.longest_gap, now - self._last)
        self.acknowledged += 1
        self._last = now
