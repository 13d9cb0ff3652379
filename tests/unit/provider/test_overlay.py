"""The overlay layer: the same on every machine, and clear about what it lacks."""

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider import overlay as module
from inkless_pulumi.provider.overlay import ARTEFACTS_VARIABLE, Overlay, find_overlay

START = "opt/inkless/bin/start"
JAR = "opt/inkless/lib/agent.jar"
JAR_CONTENT = b"PK\x03\x04 not really a jar"
JAR_PIN = hashlib.sha256(JAR_CONTENT).hexdigest()


def write(root: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return root


def overlay(tmp_path: Path, name: str = "a", *, reverse: bool = False) -> Overlay:
    files = {START: b"#!/bin/sh\n", "opt/inkless/etc/log.properties": b"x=1\n", JAR + ".txt": b""}
    ordered = dict(reversed(files.items())) if reverse else files
    rootfs = write(tmp_path / name / "rootfs", ordered)
    artefacts = write(tmp_path / name / "fetched", {JAR: JAR_CONTENT})
    return Overlay(rootfs, artefacts, {JAR: JAR_PIN})


def entries(content: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        return {entry.name: entry for entry in tar}


def test_the_layer_is_the_same_whatever_order_times_and_permissions_the_files_have(
    tmp_path: Path,
) -> None:
    one, other = overlay(tmp_path, "a"), overlay(tmp_path, "b", reverse=True)
    for number, file in enumerate(sorted(other.rootfs.rglob("*"))):
        file.chmod(0o700)
        os.utime(file, (number, number))
    assert one.layer() == other.layer()
    assert one.digest == other.digest


def test_the_layer_has_known_digests_so_another_machine_can_be_compared(tmp_path: Path) -> None:
    found = overlay(tmp_path)
    assert found.digest == (
        "sha256:dd5357f7c45a5a2612fec61f41150aeb84d436ccc42474e2a7c0c16e5c27d149"
    )
    assert found.layer().digest == (
        "sha256:6178b0ad0e06b818d2de66b5a4f54ef4df4c651a32aeb0fd7058a84f4dc2ce90"
    )


def test_the_layer_holds_all_files_sorted_with_plain_owners_times_and_modes(
    tmp_path: Path,
) -> None:
    found = entries(overlay(tmp_path).layer().content)
    assert list(found) == sorted(found)
    assert {START, JAR, "opt", "opt/inkless"} <= found.keys()
    assert {(e.uid, e.gid, e.mtime) for e in found.values()} == {(0, 0, 0)}
    assert found[START].mode == 0o755
    assert found[JAR].mode == 0o644
    assert found["opt/inkless"].mode == 0o755


def test_the_diff_id_is_the_digest_of_the_tar_inside(tmp_path: Path) -> None:
    layer = overlay(tmp_path).layer()
    tar = gzip.decompress(layer.content)
    assert layer.diff_id == "sha256:" + hashlib.sha256(tar).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_000])
def test_files_of_any_size_survive(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    rootfs = write(tmp_path, {START: b"#!/bin/sh\n", "opt/big": content})
    layer = Overlay(rootfs, tmp_path / "none").layer()
    with tarfile.open(fileobj=io.BytesIO(layer.content), mode="r:gz") as tar:
        member = tar.extractfile("opt/big")
        assert member is not None
        assert member.read() == content


@pytest.mark.parametrize("path", [START, "opt/inkless/etc/log.properties"])
def test_the_overlay_digest_changes_with_the_content(tmp_path: Path, path: str) -> None:
    one, other = overlay(tmp_path, "a"), overlay(tmp_path, "b")
    write(other.rootfs, {path: b"changed"})
    assert one.digest != other.digest


def test_the_overlay_digest_is_known_without_the_fetched_files(tmp_path: Path) -> None:
    found = overlay(tmp_path)
    digest = found.digest
    (found.artefacts / JAR).unlink()
    assert Overlay(found.rootfs, found.artefacts, found.pins).digest == digest


def test_a_fetched_file_that_is_missing_is_named_with_what_to_run(tmp_path: Path) -> None:
    found = overlay(tmp_path)
    (found.artefacts / JAR).unlink()
    with pytest.raises(
        RegistryError, match=rf"/{JAR} is not at .*Run `python -m inkless_pulumi.sandbox.artefacts`"
    ):
        found.layer()


def test_a_fetched_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    found = overlay(tmp_path)
    write(found.artefacts, {JAR: b"something else"})
    with pytest.raises(RegistryError, match=f"is not the pinned one: its sha256 is not {JAR_PIN}"):
        found.layer()


def test_an_overlay_without_its_start_script_is_no_overlay(tmp_path: Path) -> None:
    rootfs = write(tmp_path, {"opt/inkless/etc/x": b""})
    with pytest.raises(RegistryError, match="has no /opt/inkless/bin/start"):
        _ = Overlay(rootfs, tmp_path).digest


def test_the_installed_overlay_is_found_and_pins_what_is_fetched() -> None:
    found = find_overlay()
    assert found.digest.startswith("sha256:")
    assert any(path.endswith(".jar") for path in found.pins)
    assert all(len(pin) == 64 for pin in found.pins.values())


def test_fetched_files_are_looked_for_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ARTEFACTS_VARIABLE, str(tmp_path))
    assert find_overlay().artefacts == tmp_path


def test_an_installed_package_keeps_fetched_files_in_the_user_s_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ARTEFACTS_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "broker_directory", lambda: Path("/site-packages/x/_broker"))
    assert find_overlay().artefacts == tmp_path / "inkless-pulumi/overlay/rootfs"
