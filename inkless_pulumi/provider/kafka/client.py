"""kafka-python's admin client: shared by threads, retried, and remade after a failure.

kafka-python sends a request to some broker and does not try another when that one is down, so every
request is retried here, for a bounded time, on errors that pass. Requests go to any broker: those
for the controller are forwarded by whoever gets them (KIP-590), which outlives the loss of a node
better than the library's own routing to a remembered one.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code
from kafka.net.compat import KafkaNetClient

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed
from inkless_pulumi.provider.kafka.diagnosis import nothing_listens, probe_all, without_password
from inkless_pulumi.provider.kafka.model import Finding, Refusal, Unreachable
from inkless_pulumi.provider.pauses import growing_pauses

__all__ = ["Limits", "Session", "SharedClient", "Target"]

K = TypeVar("K")
T = TypeVar("T")
Outcome = tuple[K, int, str | None, T]
"""Of one item of a request: what it is, its error code, the broker's message, the answer."""

_AUTHORIZATION_CODES = frozenset({29, 30, 31, 53, 65})
_BROKER_NOT_AVAILABLE = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_FAILURE_HOLDS_SECONDS = 2.0

logging.getLogger("kafka").addHandler(logging.NullHandler())  # failures are told by our own errors


@dataclass(frozen=True)
class Limits:
    """How long to try, in seconds."""

    connect: float = 30.0
    """To find a broker that answers."""
    attempt: float = 5.0
    """Of `connect`, until the cause is looked for: one that waiting can't mend ends it at once."""
    operation: float = 60.0
    """To get a request answered, through retries."""
    request: float = 30.0
    """For one attempt of a request. A controller that waits for Postgres is silent for 15 s."""


@dataclass(frozen=True)
class Target:
    """What to connect to, and as whom."""

    servers: tuple[str, ...]
    context: Callable[[], ssl.SSLContext]
    """Trust and identity; asked anew for each new connection, as secrets are renewed."""
    identity: str
    """What the identity is called in messages."""
    proxy: str | None = None


class SharedClient:
    """One admin client that several threads use."""

    def __init__(self, target: Target, limits: Limits) -> None:
        self.target = target
        self.limits = limits
        self._lock = threading.Lock()
        self._client: KafkaAdminClient | None = None
        self._failure: Unreachable | None = None
        self._failed_at = 0.0

    def glance(self) -> None:
        """See whether something listens, which takes no time; the client would try for a while.

        Raises:
            ConnectionFailed: the connection is refused at every server.
        """
        if findings := nothing_listens(self.target.servers, self.target.proxy):
            raise self.unreachable(findings)

    def get(self, pause: Callable[[float], None]) -> KafkaAdminClient:
        """Give the connected client, connecting first when there is none.

        One thread connects while the others wait; if it fails, it fails for all of them, and for
        those that come right after it: the engine begins the next resources as others fail.

        Raises:
            ConnectionFailed: no server answered in time; it says why.
        """
        asked_at = time.monotonic()
        with self._lock:
            if self._client is None:
                if self._failure and self._failed_at > asked_at - _FAILURE_HOLDS_SECONDS:
                    raise Unreachable(str(self._failure), self._failure.findings)
                self._client = self._connect(pause)
            return self._client

    def discard(self, client: KafkaAdminClient) -> None:
        """Give up a client that no longer gets answers, so that the next user connects anew."""
        with self._lock:
            if self._client is client:
                self._client = None
        client.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self, pause: Callable[[float], None]) -> KafkaAdminClient:
        deadline = time.monotonic() + self.limits.connect
        context = self.target.context()
        while True:
            remaining = deadline - time.monotonic()
            try:
                return self._bootstrap(context, min(remaining, self.limits.attempt))
            except (KafkaError, OSError) as error:
                findings = probe_all(self.target.servers, context, self.target.proxy)
                if time.monotonic() >= deadline or all(finding.final for finding in findings):
                    self._failure, self._failed_at = self.unreachable(findings), time.monotonic()
                    raise self._failure from error
            pause(_FIRST_PAUSE)

    def _bootstrap(self, context: ssl.SSLContext, seconds: float) -> KafkaAdminClient:
        made: list[KafkaNetClient] = []

        def remember(**settings: object) -> KafkaNetClient:
            made.append(KafkaNetClient(**settings))
            return made[-1]

        try:
            return KafkaAdminClient(
                bootstrap_servers=list(self.target.servers),
                client_id="inkless-pulumi",
                security_protocol="SSL",
                ssl_context=context,
                proxy_url=self.target.proxy,
                bootstrap_timeout_ms=max(1, int(seconds * 1000)),
                request_timeout_ms=int(self.limits.request * 1000),
                reconnect_backoff_max_ms=int(_LONGEST_PAUSE * 1000),
                kafka_client=remember,
            )
        except BaseException:
            for client in made:  # a failed constructor leaves its I/O thread behind
                client.close()
                client._net.stop()
            raise

    def unreachable(self, findings: Sequence[Finding], last_answer: str = "") -> Unreachable:
        """Say what was tried, and what is wrong with each."""
        through = f" through {without_password(self.target.proxy)}" if self.target.proxy else ""
        tried = "; ".join(f"{finding.address}: {finding}" for finding in findings)
        return Unreachable(
            f"The cluster can't be reached{through} as {self.target.identity}. "
            f"Tried {tried}.{last_answer}",
            findings,
        )


@dataclass(frozen=True)
class Session:
    """A shared client as one operation uses it."""

    shared: SharedClient
    pause: Callable[[float], None]

    def send(self, request: Callable[[], Any], node_id: int | None = None) -> Any:
        """Send a request until it is answered.

        Args:
            request: makes the request; called again for each attempt.
            node_id: the broker to ask; None: any.

        Raises:
            ConnectionFailed: no broker answered in time.
            ClusterError: the answer is an error that no retry mends.
        """
        return self.call(lambda client: self._once(client, request, node_id))

    def call(self, function: Callable[[KafkaAdminClient], T]) -> T:
        """Call a method of the admin client until it succeeds; errors as of `send`."""
        deadline = time.monotonic() + self.shared.limits.operation
        pauses = growing_pauses(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            client = self.shared.get(self.pause)
            try:
                return function(client)
            except (KafkaError, OSError, RuntimeError) as error:
                if not _passes(error):
                    raise ClusterError(f"Kafka: {error}") from error
                if time.monotonic() > deadline:
                    self.shared.discard(client)
                    raise self._unanswered(error) from error
            self.pause(next(pauses))

    def send_each(
        self,
        items: Iterable[K],
        request: Callable[[Sequence[K]], Any],
        outcomes: Callable[[Any], Iterable[Outcome[K, T]]],
    ) -> dict[K, T | Refusal]:
        """Send a request about several items; those whose error passes are sent again.

        Args:
            items: what the request is about; none: nothing is sent.
            request: makes the request for some of the items.
            outcomes: reads the answer, item by item.

        Raises:
            ConnectionFailed: no broker answered in time, or the identity may not do this.
        """
        answers: dict[K, T | Refusal] = {}
        pending = list(items)
        deadline = time.monotonic() + self.shared.limits.operation
        pauses = growing_pauses(_FIRST_PAUSE, _LONGEST_PAUSE)
        while pending:
            asked, pending = tuple(pending), []
            for item, code, message, answer in outcomes(self.send(partial(request, asked))):
                if code == 0:
                    answers[item] = answer
                    continue
                self.authorized(code, message)
                answers[item] = refusal(code, message)
                if _passes_later(code):
                    pending.append(item)
            if not pending or time.monotonic() > deadline:
                break
            self.pause(next(pauses))
        return answers

    def expect(self, code: int, message: str | None) -> None:
        """Raise what the error code of a whole answer stands for; return when it is none."""
        if code != 0:
            self.authorized(code, message)
            raise ClusterError(f"Kafka: {refusal(code, message)}")

    def authorized(self, code: int, message: str | None) -> None:
        """Raise when an error code says that the identity lacks a right."""
        if code in _AUTHORIZATION_CODES:
            raise ConnectionFailed(
                f"The cluster does not allow this to {self.shared.target.identity} "
                f"({refusal(code, message)}). Connect as the administrator: the identity whose "
                "principal stands in super.users."
            )

    def _once(
        self,
        client: KafkaAdminClient,
        request: Callable[[], Any],
        node_id: int | None,
    ) -> Any:
        manager = client._manager  # the library has no public way to send a request as it is
        return manager.run(manager.send, request(), node_id)

    def _unanswered(self, error: Exception) -> Unreachable:
        target = self.shared.target
        findings = probe_all(target.servers, target.context(), target.proxy)
        return self.shared.unreachable(findings, f" The last answer was: {error}.")


def refusal(code: int, message: str | None) -> Refusal:
    """An error code as Kafka names it."""
    error = for_code(code)
    name = getattr(error, "message", "") or error.__name__
    return Refusal(name, message or getattr(error, "description", "") or "")


def _passes(error: Exception) -> bool:
    """Whether trying again can help."""
    if isinstance(error, KafkaError):
        return bool(error.retriable)
    return isinstance(error, OSError) or "closed" in str(error)


def _passes_later(code: int) -> bool:
    """Whether an item's error passes. That a topic is unknown is an answer, not a hiccup."""
    error = for_code(code)
    if error is UnknownTopicOrPartitionError:
        return False
    return bool(error.retriable) or code == _BROKER_NOT_AVAILABLE
