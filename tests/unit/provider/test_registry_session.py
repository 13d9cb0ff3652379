"""What holds for every request to a registry: login, redirects, retries and clear errors."""

import base64
import socket
import threading
from collections.abc import Callable

import pytest

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider.registry import Registry
from inkless_pulumi.provider.registry_credentials import Credentials
from inkless_pulumi.provider.registry_session import (
    RegistryDenied,
    RegistryFull,
    RegistryNotFound,
    RegistrySession,
    RegistryUnreachable,
    api_base,
)
from inkless_pulumi.provider.resource import Context, OperationCancelled
from tests.unit.provider.registry_servers import Answer, Asked, scripted_registry

SECRET = "hunter2-hunter2"
CREDENTIALS = Credentials("AWS", SECRET, "the test")
BLOB = "sha256:" + "a" * 64


def no_pause(_seconds: float) -> None:
    """Do not wait."""


def connect(host: str, credentials: Credentials | None = None, attempts: int = 3) -> Registry:
    return Registry(RegistrySession(host, credentials, attempts=attempts, pause=no_pause))


def in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    """Give each answer once, the last one for ever."""
    left = list(answers)
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("127.42.1.10:80", "http://127.42.1.10:80"),
        ("localhost:5000", "http://localhost:5000"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("ghcr.io", "https://ghcr.io"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
        ("localhost.example.com", "https://localhost.example.com"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
        ("docker.io", "https://registry-1.docker.io"),
    ],
)
def test_plain_http_is_spoken_to_loopback_addresses_only(host: str, base: str) -> None:
    assert api_base(host) == base


def token_service(asked: Asked) -> Answer:
    """A registry that wants a token for what is asked, and gives it to anyone."""
    if asked.path.startswith("/token"):
        return Answer(body=b'{"token": "opaque"}')
    if asked.headers.get("authorization") == "Bearer opaque":
        return Answer(headers={"docker-content-digest": BLOB})
    challenge = (
        f'Bearer realm="http://{asked.headers["host"]}/token",service="test",'
        'scope="repository:aiven/inkless:pull"'
    )
    return Answer(401, headers={"www-authenticate": challenge})


def test_an_anonymous_token_is_fetched_as_the_challenge_says_and_used_again() -> None:
    with scripted_registry(token_service) as server, connect(server.host) as registry:
        assert registry.find_manifest("aiven/inkless", "4.2.1-0.47") == BLOB
        assert registry.has_blob("aiven/inkless", BLOB)
    paths = [asked.path for asked in server.asked]
    assert paths.count("/token?service=test&scope=repository%3Aaiven%2Finkless%3Apull") == 1
    assert server.authorizations() == [None, None, "Bearer opaque", "Bearer opaque"]


def test_credentials_are_shown_to_the_token_service_and_only_to_it() -> None:
    with scripted_registry(token_service) as server, connect(server.host, CREDENTIALS) as registry:
        registry.find_manifest("aiven/inkless", "4.2.1-0.47")
    basic = "Basic " + base64.b64encode(f"AWS:{SECRET}".encode()).decode()
    assert server.authorizations() == [None, basic, "Bearer opaque"]


def test_an_expired_token_is_replaced() -> None:
    valid = ["Bearer first"]

    def respond(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            valid.append("Bearer second")
            return Answer(body=b'{"access_token": "%s"}' % valid[-2].split()[1].encode())
        if asked.headers.get("authorization") == valid[-2 if len(valid) > 1 else 0]:
            return Answer()
        realm = f'Bearer realm="http://{asked.headers["host"]}/token"'
        return Answer(401, headers={"www-authenticate": realm})

    with scripted_registry(respond) as server, connect(server.host) as registry:
        registry.ping()
        valid[:] = ["Bearer second"]
        registry.ping()
    assert server.authorizations()[-1] == "Bearer second"


def test_basic_credentials_answer_a_basic_challenge() -> None:
    def respond(asked: Asked) -> Answer:
        if "authorization" in asked.headers:
            return Answer()
        return Answer(401, headers={"www-authenticate": 'Basic realm="ecr",service="ecr"'})

    with scripted_registry(respond) as server, connect(server.host, CREDENTIALS) as registry:
        registry.ping()
    basic = "Basic " + base64.b64encode(f"AWS:{SECRET}".encode()).decode()
    assert server.authorizations() == [None, basic]


def test_wrong_credentials_are_named_by_where_they_came_from_and_not_shown() -> None:
    denied = Answer(
        401,
        b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
        {"www-authenticate": 'Basic realm="test"'},
    )
    with (
        scripted_registry(in_turn(denied)) as server,
        connect(server.host, CREDENTIALS) as registry,
        pytest.raises(RegistryDenied) as raised,
    ):
        registry.ping()
    text = str(raised.value)
    assert server.host in text
    assert "UNAUTHORIZED: authentication required" in text
    assert "came from the test" in text
    assert SECRET not in text
    assert len(server.asked) == 2  # what is refused is not tried again


def test_anonymous_access_that_is_refused_says_how_to_log_in() -> None:
    with (
        scripted_registry(in_turn(Answer(403))) as server,
        connect(server.host) as registry,
        pytest.raises(RegistryDenied, match=r"asked anonymously.*`docker login 127.0.0.1"),
    ):
        registry.ping()


def test_a_redirect_to_another_origin_carries_no_authorization() -> None:
    content = b"layer"
    with scripted_registry(in_turn(Answer(body=content)), "127.0.0.2") as store:

        def respond(asked: Asked) -> Answer:
            if "authorization" not in asked.headers:
                return Answer(401, headers={"www-authenticate": 'Basic realm="test"'})
            return Answer(307, headers={"location": f"http://{store.host}/signed?for=us"})

        with scripted_registry(respond) as server, connect(server.host, CREDENTIALS) as registry:
            manifest = registry.get_manifest("inkless", "tag")
    assert manifest.content == content
    assert [asked.path for asked in store.asked] == ["/signed?for=us"]
    assert store.authorizations() == [None]


@pytest.mark.parametrize("location", ["http://192.0.2.1/blob", "ftp://192.0.2.1/blob"])
def test_a_redirect_to_an_unencrypted_address_is_refused(location: str) -> None:
    with (
        scripted_registry(in_turn(Answer(302, headers={"location": location}))) as server,
        connect(server.host) as registry,
        pytest.raises(RegistryError, match=r"192.0.2.1, where the connection would not be enc"),
    ):
        registry.has_blob("inkless", BLOB)


def test_credentials_are_not_sent_to_an_unencrypted_token_service() -> None:
    challenge = {"www-authenticate": 'Bearer realm="http://192.0.2.1/token"'}
    with (
        scripted_registry(in_turn(Answer(401, headers=challenge))) as server,
        connect(server.host, CREDENTIALS) as registry,
        pytest.raises(RegistryError, match=r"token service http://192.0.2.1"),
    ):
        registry.ping()


def test_redirects_in_circles_end() -> None:
    with (
        scripted_registry(in_turn(Answer(302, headers={"location": "/v2/"}))) as server,
        connect(server.host) as registry,
        pytest.raises(RegistryError, match="in circles"),
    ):
        registry.ping()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with scripted_registry(in_turn(Answer(status), Answer(status), Answer())) as server:
        with connect(server.host) as registry:
            registry.ping()
        assert len(server.asked) == 3


def test_a_broken_connection_is_tried_again() -> None:
    broken = Answer(body=b"0123456789", drop_after=3)
    with scripted_registry(in_turn(broken, Answer(body=b"{}"))) as server:
        with connect(server.host) as registry:
            assert registry.get_manifest("inkless", "tag").content == b"{}"
        assert len(server.asked) == 2


def test_what_does_not_pass_is_given_up_after_a_bounded_number_of_attempts() -> None:
    with scripted_registry(in_turn(Answer(503))) as server:
        with connect(server.host) as registry, pytest.raises(RegistryError, match="answered 503"):
            registry.ping()
        assert len(server.asked) == 3


def test_the_wait_that_a_registry_asks_for_is_kept_within_reason() -> None:
    waits: list[float] = []
    answers = [Answer(429, headers={"retry-after": after}) for after in ("3", "9999")]
    with (
        scripted_registry(in_turn(*answers, Answer())) as server,
        Registry(RegistrySession(server.host, pause=waits.append)) as registry,
    ):
        registry.ping()
    assert [wait for wait in waits if wait] == [3, 20]


def test_an_unreachable_registry_is_named_with_the_cause() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        with (
            connect(host) as registry,
            pytest.raises(RegistryUnreachable, match=f"{host} could not be reached.*refused"),
        ):
            registry.ping()


@pytest.mark.parametrize(
    "full",
    [
        Answer(507),
        Answer(500, b'{"errors":[{"code":"UNKNOWN","detail":{"Enclosed":{"Err":28}}}]}'),
        Answer(500, b"write /data: no space left on device"),
    ],
)
def test_a_full_disk_is_told_at_once_and_not_tried_again(full: Answer) -> None:
    with scripted_registry(in_turn(full)) as server:
        with (
            connect(server.host) as registry,
            pytest.raises(RegistryFull, match=r"no space left.*Free space"),
        ):
            registry.ping()
        assert len(server.asked) == 1


def test_what_a_registry_does_not_have_is_named() -> None:
    missing = Answer(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"no such name"}]}')
    with (
        scripted_registry(in_turn(missing)) as server,
        connect(server.host) as registry,
        pytest.raises(RegistryNotFound, match=r"aiven/inkless:9.9.9 .404 NAME_UNKNOWN: no such"),
    ):
        registry.get_manifest("aiven/inkless", "9.9.9")


def test_an_interrupted_operation_stops_before_the_next_attempt() -> None:
    cancelled = threading.Event()

    def respond(_asked: Asked) -> Answer:
        cancelled.set()
        return Answer(503)

    context = Context("image", "urn", cancelled=cancelled)
    with scripted_registry(respond) as server:
        with (
            Registry(RegistrySession(server.host, pause=context.pause)) as registry,
            pytest.raises(OperationCancelled),
        ):
            registry.ping()
        assert len(server.asked) == 1
