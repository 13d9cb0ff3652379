"""The journal of the account's API, in front of an application that only remembers."""

import io
from pathlib import Path
from typing import Any

import pytest

from inkless_pulumi.sandbox.parts.journal import Journal, changes_something

PASSPHRASE = "of the sandbox"
CREATE = "secretsmanager.CreateSecret"


class Memory:
    """Carries requests out by noting them, with the id that it would have made up."""

    def __init__(self, status: str = "200 OK") -> None:
        self.done: list[tuple[str, bytes]] = []
        self.ids: list[str] = []
        self.status = status

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.done.append((environ["PATH_INFO"], body))
        start_response(self.status, [("X-Answer", "yes")])
        return [b"answer"]


def request(path: str = "/", body: bytes = b"", target: str = CREATE) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_AMZ_TARGET": target,
        "wsgi.input": io.BytesIO(body + b"of the next request"),
    }


def journal(file: Path, memory: Memory, passphrase: str = PASSPHRASE) -> Journal:
    return Journal(memory, file, passphrase, memory.ids.append)


def send(to: Journal, asked: dict[str, Any]) -> tuple[str, bytes]:
    told: list[str] = []
    answer = to(asked, lambda status, headers: told.append(f"{status} {dict(headers)['X-Answer']}"))
    return told[0], b"".join(answer)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_what_was_changed_is_done_again_in_the_same_order_with_the_same_ids(file: Path) -> None:
    before, after = Memory(), Memory()
    first = journal(file, before)
    for number in range(3):
        assert send(first, request(f"/{number}", b"\xff\0" + bytes([number]))) == (
            "200 OK yes",
            b"answer",
        )
    assert journal(file, after).replay() == 3
    assert after.done == before.done == [(f"/{n}", b"\xff\0" + bytes([n])) for n in range(3)]
    assert after.ids == before.ids
    assert len(set(before.ids)) == 3


def test_what_comes_after_a_replay_has_ids_of_its_own(file: Path) -> None:
    before, after = Memory(), Memory()
    send(journal(file, before), request(body=b"same"))
    second = journal(file, after)
    second.replay()
    send(second, request(body=b"same"))
    assert len(set(after.ids)) == 2


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Internal Error"])
def test_what_was_refused_is_not_done_again(file: Path, status: str) -> None:
    memory = Memory(status)
    send(journal(file, memory), request())
    assert memory.done
    assert journal(file, Memory()).replay() == 0


def test_what_only_reads_is_not_written_down(file: Path) -> None:
    memory = Memory()
    send(journal(file, memory), request(target="secretsmanager.GetSecretValue"))
    assert memory.done
    assert not file.exists()


def test_an_entry_that_a_kill_cut_off_is_left_out_and_the_next_one_is_not_lost(file: Path) -> None:
    first = journal(file, Memory())
    send(first, request("/whole"))
    send(first, request("/cut"))
    file.write_bytes(file.read_bytes()[:-10])
    second = journal(file, Memory())
    assert second.replay() == 1
    send(second, request("/next"))
    after = Memory()
    assert journal(file, after).replay() == 2
    assert [path for path, _ in after.done] == ["/whole", "/next"]


def test_no_secret_can_be_read_in_the_file(file: Path) -> None:
    send(journal(file, Memory()), request(body=b"a-password"))
    assert b"a-password" not in file.read_bytes()
    assert journal(file, Memory(), "another passphrase").replay() == 0


S3 = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host"


@pytest.mark.parametrize(
    ("method", "target", "authorization", "expected"),
    [
        ("PUT", "", S3, True),
        ("POST", "", S3, True),
        ("DELETE", "", S3, True),
        ("GET", "", S3, False),
        ("HEAD", "", S3, False),
        ("POST", "secretsmanager.PutSecretValue", "", True),
        ("POST", "secretsmanager.DeleteSecret", "", True),
        ("POST", "secretsmanager.ListSecrets", "", False),
        ("POST", "secretsmanager.BatchGetSecretValue", "", False),
        ("POST", "secretsmanager.DescribeSecret", "", False),
        ("POST", "AmazonSSM.PutParameter", "", True),
        ("POST", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", "", False),
        ("POST", "", "", False),
    ],
)
def test_a_change_is_told_from_a_look(
    method: str, target: str, authorization: str, expected: bool
) -> None:
    asked = {
        "REQUEST_METHOD": method,
        "HTTP_X_AMZ_TARGET": target,
        "HTTP_AUTHORIZATION": authorization,
    }
    assert changes_something(asked) is expected
