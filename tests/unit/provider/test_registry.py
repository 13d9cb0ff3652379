"""The registry client against the reference registry, and against one that delivers nonsense."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider.registry import (
    OCI_MANIFEST,
    Blob,
    CorruptedContent,
    Manifest,
    Registry,
    digest_of,
    split_repository,
)
from inkless_pulumi.provider.registry_credentials import Credentials
from inkless_pulumi.provider.registry_session import (
    RegistryDenied,
    RegistryFull,
    RegistryNotFound,
    RegistrySession,
)
from tests.unit.provider.registry_servers import (
    Answer,
    Asked,
    docker_registry,
    scripted_registry,
)
from tests.unit.provider.upstream_images import open_test_registry, push_blob, push_image

ABSENT = digest_of(b"nothing has this digest")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture
def registry(host: str) -> Iterator[Registry]:
    with open_test_registry(host) as registry:
        yield registry


def test_a_registry_that_serves_answers_a_ping(registry: Registry) -> None:
    registry.ping()


def test_what_is_not_there_is_found_missing(registry: Registry) -> None:
    assert registry.find_manifest("nowhere", "1.0") is None
    assert not registry.has_blob("nowhere", ABSENT)
    assert registry.tags("nowhere") == []
    with pytest.raises(RegistryNotFound, match="reading nowhere:1"):
        registry.get_manifest("nowhere", "1.0")


def test_a_blob_comes_back_as_it_went_up(registry: Registry) -> None:
    content = os.urandom(300_000)
    blob = push_blob(registry, "kept", content)
    assert registry.has_blob("kept", blob.digest)
    assert b"".join(registry.read_blob("kept", blob)) == content


def test_an_empty_blob_is_a_blob_too(registry: Registry) -> None:
    blob = push_blob(registry, "kept", b"")
    assert b"".join(registry.read_blob("kept", blob)) == b""


def test_a_blob_is_mounted_from_another_repository_without_being_sent(registry: Registry) -> None:
    blob = push_blob(registry, "mounted/from", b"shared layer")

    def content() -> list[bytes]:
        pytest.fail("the content was asked for")

    assert registry.upload_blob("mounted/to", blob, content, mount_from="mounted/from")
    assert registry.has_blob("mounted/to", blob.digest)


def test_a_blob_that_cannot_be_mounted_is_sent(registry: Registry) -> None:
    blob = Blob(digest_of(b"new layer"), 9)
    mounted = registry.upload_blob("here", blob, lambda: [b"new layer"], mount_from="nowhere")
    assert not mounted
    assert registry.has_blob("here", blob.digest)


def test_a_manifest_is_found_by_tag_and_digest_until_it_is_removed(
    host: str, registry: Registry
) -> None:
    digest = push_image(host, "found", "1.0")
    assert registry.find_manifest("found", "1.0") == digest
    assert registry.get_manifest("found", digest).is_index
    assert registry.tags("found") == ["1.0"]
    assert registry.delete_manifest("found", digest)
    assert registry.find_manifest("found", digest) is None
    assert registry.delete_manifest("found", digest), "removing what is gone is no failure"


def test_a_long_list_of_tags_is_read_to_its_end(host: str) -> None:
    def respond(asked: Asked) -> Answer:
        if "last=b" in asked.path:
            return Answer(body=b'{"tags": ["c"]}')
        link = {"link": '</v2/inkless/tags/list?last=b>; rel="next"'}
        return Answer(body=b'{"tags": ["a", "b"]}', headers=link)

    with scripted_registry(respond) as server, open_test_registry(server.host) as registry:
        assert registry.tags("inkless") == ["a", "b", "c"]


def test_a_registry_that_removes_nothing_says_so(tmp_path: Path) -> None:
    with docker_registry(tmp_path, delete=False) as host:
        digest = push_image(host, "kept", "1.0")
        with open_test_registry(host) as registry:
            assert not registry.delete_manifest("kept", digest)
            assert registry.find_manifest("kept", "1.0") == digest


def test_a_registry_refuses_a_blob_that_is_not_what_its_digest_says(registry: Registry) -> None:
    blob = Blob(ABSENT, 5)
    with pytest.raises(RegistryError, match="400 DIGEST_INVALID"):
        registry.upload_blob("refused", blob, lambda: [b"other"])
    assert not registry.has_blob("refused", ABSENT)


def test_a_manifest_with_other_content_than_its_digest_is_refused() -> None:
    with (
        scripted_registry(lambda _asked: Answer(body=b"{}")) as server,
        open_test_registry(server.host) as registry,
        pytest.raises(CorruptedContent, match="with other content"),
    ):
        registry.get_manifest("inkless", ABSENT)


@pytest.mark.parametrize("delivered", [b"0123456x89", b"01234567890", b"0123456789abcdef"])
def test_a_corrupted_blob_is_never_handed_out_whole(delivered: bytes) -> None:
    blob = Blob(digest_of(b"0123456789"), 10)
    received: list[bytes] = []
    with (
        scripted_registry(lambda _asked: Answer(body=delivered)) as server,
        open_test_registry(server.host) as registry,
        pytest.raises(CorruptedContent, match=r"delivered inkless@sha256:\w+ corrupted"),
    ):
        received.extend(registry.read_blob("inkless", blob))
    assert len(b"".join(received)) < blob.size


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_where_it_broke(ranges: bool) -> None:
    content = os.urandom(500_000)
    blob = Blob(digest_of(content), len(content))

    def respond(asked: Asked) -> Answer:
        wanted = asked.headers.get("range", "bytes=0-") if ranges else "bytes=0-"
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        attempt = len(server.asked)
        drop_after = attempt * 100_000 - start if attempt < 4 else None
        return Answer(206 if start else 200, content[start:], drop_after=drop_after)

    with (
        scripted_registry(respond) as server,
        Registry(RegistrySession(server.host, pause=lambda _seconds: None)) as registry,
    ):
        assert b"".join(registry.read_blob("inkless", blob)) == content
    offsets = [int(asked.headers.get("range", "bytes=0-")[6:-1]) for asked in server.asked]
    assert offsets == [0, 100_000, 200_000, 300_000]


def test_a_configuration_of_absurd_size_is_not_read(registry: Registry) -> None:
    with pytest.raises(CorruptedContent, match="far more than an image's configuration"):
        registry.read_document("inkless", Blob(ABSENT, 10**9))


def test_wrong_credentials_of_a_real_registry_are_told(tmp_path: Path) -> None:
    import bcrypt

    hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
    htpasswd = tmp_path / "htpasswd"
    htpasswd.write_text(f"pulumi:{hashed}\n")
    with docker_registry(tmp_path, htpasswd=htpasswd) as host:
        right = Credentials("pulumi", "right", "the test")
        with Registry(RegistrySession(host, right)) as registry:
            registry.ping()
            push_blob(registry, "inkless", b"layer")
        wrong = Credentials("pulumi", "wrong", "the test")
        with (
            Registry(RegistrySession(host, wrong)) as registry,
            pytest.raises(RegistryDenied, match=r"came from the test: check that they are current"),
        ):
            registry.ping()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("needs root to mount a small file system")
    path = tmp_path / "disk"
    path.mkdir()
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_registry_whose_disk_is_full_is_told_as_such(tmp_path: Path, small_disk: Path) -> None:
    content = os.urandom(3_000_000)
    with docker_registry(tmp_path / "registry", storage=small_disk) as host:
        with (
            open_test_registry(host) as registry,
            pytest.raises(RegistryFull, match=f"{host} has no space left"),
        ):
            push_blob(registry, "inkless", content)
        with open_test_registry(host) as registry:
            assert not registry.has_blob("inkless", digest_of(content))


def test_a_manifest_is_not_written_again_where_it_lies() -> None:
    manifest = Manifest(b"{}", OCI_MANIFEST)
    headers = {"docker-content-digest": manifest.digest}
    with (
        scripted_registry(lambda _asked: Answer(headers=headers)) as server,
        open_test_registry(server.host) as registry,
    ):
        registry.put_manifest("inkless", "1.0", manifest)
    assert [asked.method for asked in server.asked] == ["HEAD"]


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("127.0.0.1:5000/a/b", ("127.0.0.1:5000", "a/b")),
        ("localhost/inkless", ("localhost", "inkless")),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/x", ("1.dkr.ecr.eu-west-1.amazonaws.com", "x")),
    ],
)
def test_a_repository_is_a_host_and_a_path(url: str, parts: tuple[str, str]) -> None:
    assert split_repository(url) == parts


@pytest.mark.parametrize("url", ["inkless", "aiven/inkless", "ghcr.io/", "ghcr.io"])
def test_what_is_no_repository_is_refused(url: str) -> None:
    with pytest.raises(RegistryError, match="expected host/path"):
        split_repository(url)


def test_the_digest_is_sha256() -> None:
    assert digest_of(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()
