"""Copying layers: memory does not grow with their size, and the first failure stops the rest."""

import hashlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkless_pulumi.provider.image_copy import BlobCopy
from inkless_pulumi.provider.registry import Blob, Registry
from inkless_pulumi.provider.registry_session import RegistryNotFound
from tests.unit.provider.registry_servers import docker_registry
from tests.unit.provider.upstream_images import open_test_registry, push_blob

PIECE = bytes(100_000)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    home: Path = tmp_path_factory.mktemp("registry")
    with docker_registry(home) as host, open_test_registry(host) as registry:
        yield registry


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    home: Path = tmp_path_factory.mktemp("target")
    with docker_registry(home) as host, open_test_registry(host) as registry:
        yield registry


def test_memory_does_not_grow_with_the_size_of_a_layer(
    registry: Registry, target: Registry
) -> None:
    pieces = 400
    digest = hashlib.sha256(PIECE * pieces).hexdigest()
    blob = Blob(f"sha256:{digest}", len(PIECE) * pieces)
    registry.upload_blob("large", blob, lambda: (PIECE for _ in range(pieces)))
    tracemalloc.start()
    try:
        BlobCopy(registry, "large", target, "large", lambda _line: None).run([blob])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert target.has_blob("large", blob.digest)
    assert peak < 4_000_000, "a blob of 40 MB was held in memory"


def test_a_layer_that_two_platforms_share_is_copied_once(
    registry: Registry, target: Registry
) -> None:
    blob = push_blob(registry, "shared", b"shared layer")
    lines: list[str] = []
    BlobCopy(registry, "shared", target, "shared", lines.append).run([blob, blob])
    assert lines[-1] == "layer 1 of 1, 0 of 1 MB"


def test_nothing_missing_is_nothing_to_tell(registry: Registry, target: Registry) -> None:
    blob = push_blob(registry, "same", b"same")
    push_blob(target, "same", b"same")
    lines: list[str] = []
    BlobCopy(registry, "same", target, "same", lines.append).run([blob])
    assert lines == []


def test_a_layer_that_upstream_lacks_is_named(registry: Registry, target: Registry) -> None:
    there = push_blob(registry, "broken", b"there")
    lacking = Blob("sha256:" + "0" * 64, 10)
    with pytest.raises(RegistryNotFound, match=f"broken@{lacking.digest}"):
        BlobCopy(registry, "broken", target, "broken", lambda _line: None).run([lacking, there])
    assert not target.has_blob("broken", lacking.digest)
