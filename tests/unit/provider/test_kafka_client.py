"""Requests to a cluster: what is tried again, for how long, and what is an answer."""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kafka.errors import (
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
)

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed
from inkless_pulumi.provider.kafka import client as module
from inkless_pulumi.provider.kafka.client import Limits, Session, SharedClient, Target
from inkless_pulumi.provider.kafka.connection import Connections
from inkless_pulumi.provider.kafka.model import Finding, Refusal, Unreachable
from inkless_pulumi.provider.kafka.tls import client_context
from tests.sandbox.certificates import Authority
from tests.unit.provider.memory_cluster import CONNECTION, Screen

NOT_CONTROLLER, EXISTS, UNKNOWN_TOPIC, FORBIDDEN = 41, 36, 3, 29
Codes = dict[str, int]
REFUSED = Finding("10.0.0.1:9094", "network", "connection refused")


class Broker:
    """Answers with the next of some prepared answers; the last one again and again."""

    def __init__(self, *answers: Codes | KafkaError) -> None:
        self.answers = list(answers)
        self.asked: list[Sequence[str]] = []
        self._manager = SimpleNamespace(run=self._run, send=None)

    def _run(self, _send: object, request: Sequence[str], _node_id: int | None) -> Codes:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, KafkaError):
            raise answer
        return answer

    def close(self) -> None:
        self.answers = [KafkaConnectionError("closed")]


@pytest.fixture
def session_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Broker], Session]:
    monkeypatch.setattr(module, "probe_all", lambda *_: [REFUSED])

    def session(broker: Broker) -> Session:
        target = Target(("10.0.0.1:9094",), cast(Any, lambda: None), "the administrator")
        shared = SharedClient(target, Limits(operation=0.05))
        monkeypatch.setattr(shared, "get", lambda pause: broker)
        return Session(shared, lambda seconds: None)

    return session


def outcomes(answer: Codes) -> Iterable[tuple[str, int, str | None, str]]:
    for name, code in answer.items():
        yield name, code, "said the broker" if code else None, f"id of {name}"


def create(session: Session, *names: str) -> dict[str, str | Refusal]:
    return session.send_each(names, list, outcomes)


def test_only_the_items_that_failed_for_a_moment_are_sent_again(
    session_of: Callable[[Broker], Session],
) -> None:
    broker = Broker({"a": 0, "b": NOT_CONTROLLER, "c": EXISTS}, {"b": 0})
    answers = create(session_of(broker), "a", "b", "c")
    assert broker.asked == [["a", "b", "c"], ["b"]]
    assert (answers["a"], answers["b"]) == ("id of a", "id of b")
    assert answers["c"] == Refusal("TOPIC_ALREADY_EXISTS", "said the broker")


def test_an_item_that_keeps_failing_is_answered_in_the_end(
    session_of: Callable[[Broker], Session],
) -> None:
    answers = create(session_of(Broker({"a": NOT_CONTROLLER})), "a")
    assert answers["a"] == Refusal("NOT_CONTROLLER", "said the broker")


def test_that_a_topic_is_unknown_is_an_answer(session_of: Callable[[Broker], Session]) -> None:
    broker = Broker({"a": UNKNOWN_TOPIC})
    assert isinstance(create(session_of(broker), "a")["a"], Refusal)
    assert len(broker.asked) == 1


def test_a_missing_right_is_told_at_once(session_of: Callable[[Broker], Session]) -> None:
    broker = Broker({"a": 0, "b": FORBIDDEN})
    with pytest.raises(ConnectionFailed, match="does not allow this to the administrator"):
        create(session_of(broker), "a", "b")
    assert len(broker.asked) == 1


def test_who_comes_right_after_a_failed_connection_does_not_try_for_as_long_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts: list[float] = []

    def refuse(_: object, context: object, seconds: float) -> None:
        attempts.append(seconds)
        raise KafkaConnectionError("refused")

    monkeypatch.setattr(SharedClient, "_bootstrap", refuse)
    monkeypatch.setattr(module, "probe_all", lambda *_: [REFUSED])
    target = Target(("10.0.0.1:9094",), cast(Any, lambda: None), "the administrator")
    shared = SharedClient(target, Limits(connect=0))
    for _ in range(2):
        with pytest.raises(Unreachable, match="connection refused"):
            shared.get(lambda seconds: None)
    assert len(attempts) == 1
    monkeypatch.setattr(module, "_FAILURE_HOLDS_SECONDS", 0)
    with pytest.raises(Unreachable):
        shared.get(lambda seconds: None)
    assert len(attempts) == 2


def test_nothing_is_sent_about_nothing(session_of: Callable[[Broker], Session]) -> None:
    broker = Broker({})
    assert create(session_of(broker)) == {}
    assert broker.asked == []


@pytest.mark.parametrize("lost", [KafkaConnectionError("111"), NodeNotReadyError(1)])
def test_a_lost_connection_is_tried_again(
    session_of: Callable[[Broker], Session], lost: KafkaError
) -> None:
    broker = Broker(lost, lost, {"a": 0})
    assert create(session_of(broker), "a") == {"a": "id of a"}


def test_a_connection_that_stays_lost_is_given_up_with_its_cause(
    session_of: Callable[[Broker], Session],
) -> None:
    with pytest.raises(Unreachable, match=r"10\.0\.0\.1:9094: connection refused \[network\]"):
        create(session_of(Broker(KafkaConnectionError("111"))), "a")


def test_an_error_that_no_retry_mends_is_told_at_once(
    session_of: Callable[[Broker], Session],
) -> None:
    broker = Broker(InvalidTopicError("no"))
    with pytest.raises(ClusterError, match="InvalidTopicError"):
        create(session_of(broker), "a")
    assert len(broker.asked) == 1


# The identity


def test_an_identity_is_loaded_with_its_chain() -> None:
    authority = Authority()
    identity = authority.issue("inkless-admin", "admins") + authority.certificate
    context = client_context(authority.certificate, identity)
    assert context.check_hostname


def test_a_key_without_its_certificate_is_refused_without_being_shown() -> None:
    authority = Authority()
    other = authority.issue("other", "admins")
    key = other[: other.index("-----BEGIN CERTIFICATE")]
    with pytest.raises(ValueError, match="not an unencrypted private key") as refused:
        client_context(authority.certificate, key)
    assert key.splitlines()[1] not in str(refused.value)


@pytest.mark.parametrize("ca", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_ca_that_is_none_is_refused(ca: str) -> None:
    identity = Authority().issue("inkless-admin", "admins")
    with pytest.raises(ValueError, match="the CA certificate is not a certificate in PEM"):
        client_context(ca, identity)


def test_an_identity_that_brings_nobody_to_trust_is_refused() -> None:
    with pytest.raises(ValueError, match="what comes with the identity is not a certificate"):
        client_context(None, "a password")


def test_a_certificate_before_its_key_is_the_clients() -> None:
    authority = Authority()
    identity = authority.issue("inkless-admin", "admins")
    key, certificate = identity.split("-----BEGIN CERTIFICATE", 1)
    client_context(authority.certificate, "-----BEGIN CERTIFICATE" + certificate + key)


def test_an_identity_that_is_too_long_to_be_one_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes long"):
        client_context(Authority().certificate, "x" * 20_000)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens, and that nobody else takes meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def somebody() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def looked_at(addresses: str) -> None:
    """A glance, without the attempt that may follow it."""
    with Connections().node(CONNECTION, addresses, Screen().context()):
        pass


def test_a_look_at_servers_where_nothing_listens_ends_at_once(nobody: str) -> None:
    with pytest.raises(Unreachable, match="nothing listens there") as failed:
        looked_at(nobody)
    assert [finding.vacant for finding in failed.value.findings] == [True]


def test_a_look_goes_on_where_one_of_several_servers_may_answer(nobody: str, somebody: str) -> None:
    looked_at(f"{nobody},{somebody}")
