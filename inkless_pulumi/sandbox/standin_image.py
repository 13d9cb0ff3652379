"""A broker image for where no Inkless image can be pulled: Apache Kafka, laid out like upstream.

It is assembled from package registries alone and without a container engine: a Java runtime on a
minimal Debian (`mmdebstrap`), Kafka's own jars (Maven) at `/opt/kafka/libs`, the user `appuser`
with id 1000. It boots the same `server.properties`, as Kafka ignores settings it does not know,
and refuses diskless topics; its label `io.inkless.diskless=no` says so beforehand.

The two layers are kept in the cache, each under a key of what goes into it.
"""

import gzip
import hashlib
import io
import json
import platform
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkless_pulumi.core.broker_files import broker_directory
from inkless_pulumi.core.errors import ToolchainError
from inkless_pulumi.provider.registry import Blob, Manifest, Registry, digest_of
from inkless_pulumi.provider.registry_session import RegistrySession
from inkless_pulumi.sandbox.making import Progress, find_or_install, lock, new_directory, run
from inkless_pulumi.sandbox.maven import check_files, copy_dependencies

__all__ = ["REPOSITORY", "VERSION", "ensure_standin_image", "kafka_jars"]

VERSION = "4.2.1"
"""Kafka's version, and the image's tag, where no other is asked for."""

REPOSITORY = "apache-kafka-standin"
"""The image's repository in the sandbox's registry."""

_SUITE = "bookworm"
_PACKAGES = ("openjdk-17-jre-headless", "dash", "coreutils", "wget")
_LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/lib/jvm/*/lib/ct.sym",
    "/usr/lib/jvm/*/lib/server/classes_nocoops.jsa",
)
_FORMAT = 1  # raise it when the way a layer is made changes
_RUNTIME_SECONDS = 900
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class _Layer:
    file: Path
    diff_id: str
    blob: Blob

    def content(self) -> Iterator[bytes]:
        with self.file.open("rb") as file:
            while block := file.read(1 << 20):
                yield block


def ensure_standin_image(
    registry: str, cache: Path, progress: Progress, version: str = VERSION
) -> str:
    """Make the stand-in image where it is not cached, push it where it is not in the registry.

    Args:
        registry: `host:port` of the sandbox's registry.
        cache: where layers and jars are kept, below `standin/`.
        progress: told each step.
        version: Kafka's, one whose jars are pinned.

    Returns the reference, `host:port/apache-kafka-standin:4.2.1`. Raises ToolchainError where a
    tool or a package cannot be had, RegistryError where the registry fails.
    """
    with lock(
        cache / "standin" / "lock",
        lambda: progress("Another process is making the stand-in image: waiting for it"),
    ):
        layers = [_runtime_layer(cache, progress), _kafka_layer(cache, progress, version)]
    configuration = _configuration(layers, version)
    with Registry(RegistrySession(registry)) as target:
        for layer in layers:
            if not target.has_blob(REPOSITORY, layer.blob.digest):
                progress(f"Pushing {layer.blob.size / 1e6:.0f} MB of the stand-in image")
                target.upload_blob(REPOSITORY, layer.blob, layer.content)
        blob = Blob(digest_of(configuration), len(configuration), _CONFIGURATION)
        if not target.has_blob(REPOSITORY, blob.digest):
            target.upload_blob(REPOSITORY, blob, lambda: [configuration])
        manifest = _document(_MANIFEST, config=_descriptor(blob), layers=_descriptors(layers))
        target.put_manifest(REPOSITORY, manifest.digest, manifest)
        entry = {
            **_descriptor(Blob(manifest.digest, len(manifest.content), _MANIFEST)),
            "platform": {"architecture": _architecture(), "os": "linux"},
        }
        target.put_manifest(REPOSITORY, version, _document(_INDEX, manifests=[entry]))
    return f"{registry}/{REPOSITORY}:{version}"


def kafka_jars(cache: Path, progress: Progress, version: str = VERSION) -> Path:
    """The directory with Apache Kafka's jars, fetched where they are not cached, each verified.

    Raises ToolchainError where they cannot be had or are not the pinned ones.
    """
    pom, pins = broker_directory() / "standin" / "pom.xml", _jar_pins(version)
    key = hashlib.sha256(json.dumps(sorted(pins.items())).encode()).hexdigest()[:12]
    directory = cache / "standin" / f"jars-{key}"
    if not directory.is_dir():
        progress(f"Fetching Apache Kafka {version}: {len(pins)} jars")
        with new_directory(directory) as partial:
            copy_dependencies(pom, partial, progress, {"kafka.version": version})
            check_files(partial, pins)
    return directory


def _jar_pins(version: str) -> dict[str, str]:
    """`jars-<version>.sha256` as `sha256sum` writes it: file name to sha256."""
    lines = (broker_directory() / "standin" / f"jars-{version}.sha256").read_text().splitlines()
    return {name.lstrip("*"): pin for pin, name in (line.split() for line in lines)}


def _architecture() -> str:
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise ToolchainError(f"There is no stand-in broker image for {machine}: set INKLESS_IMAGE.")
    return _ARCHITECTURES[machine]


def _java_home() -> str:
    return f"/usr/lib/jvm/java-17-openjdk-{_architecture()}"


# --- layers ---------------------------------------------------------------------------------------


def _runtime_layer(cache: Path, progress: Progress) -> _Layer:
    """Java and a shell on a Debian without package manager state."""

    def make(tar: Path) -> None:
        packages = ["mmdebstrap", "debian-archive-keyring"]
        purpose = "to make the Java runtime of the stand-in broker image"
        mmdebstrap = find_or_install("mmdebstrap", packages, purpose, progress)
        progress("Making a Java runtime from Debian's packages (about 20 s)")
        options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
        command = [mmdebstrap, "--variant=extract", f"--include={','.join(_PACKAGES)}", *options]
        output = run([*command, _SUITE, str(tar)], _RUNTIME_SECONDS)
        if output.code != 0:
            error = next((x for x in output.lines if x.startswith("E:")), output.last_line)
            raise ToolchainError(
                f"mmdebstrap could not make a Java runtime: {error}\nCheck that Debian's packages "
                "can be reached, or set INKLESS_IMAGE to a broker image that can be pulled."
            )

    return _layer(cache, "java", [_architecture(), _SUITE, *_PACKAGES, *_LEFT_OUT], make)


def _kafka_layer(cache: Path, progress: Progress, version: str) -> _Layer:
    """Kafka's jars, the user, and the commands that Debian's alternatives would have linked."""
    jars = kafka_jars(cache, progress, version)
    names = [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nappuser:x:1000:1000::/:/bin/sh\n"),
        ("etc/group", "root:x:0:\nappuser:x:1000:\n"),
    ]
    links = [("usr/local/bin/java", f"{_java_home()}/bin/java")]

    def make(path: Path) -> None:
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for name, text in names:
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
            for name, target in links:
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                tar.addfile(entry)
            for jar in sorted(jars.iterdir()):
                entry = tarfile.TarInfo(f"opt/kafka/libs/{jar.name}")
                entry.size = jar.stat().st_size
                with jar.open("rb") as content:
                    tar.addfile(entry, content)

    return _layer(cache, "kafka", [jars.name, names, links], make)


def _layer(cache: Path, kind: str, ingredients: list[Any], make: Callable[[Path], None]) -> _Layer:
    """A layer from the cache, or made: `make` writes a tar, which is compressed here."""
    key = hashlib.sha256(json.dumps([_FORMAT, ingredients]).encode()).hexdigest()[:12]
    directory = cache / "standin" / f"{kind}-{key}"
    if not directory.is_dir():
        with new_directory(directory) as partial:
            tar = partial / "layer.tar"
            make(tar)
            with tar.open("rb") as file:
                diff_id = hashlib.file_digest(file, "sha256").hexdigest()
            # Fast rather than small: it only ever goes over loopback.
            with (
                tar.open("rb") as file,
                gzip.GzipFile(
                    partial / "layer.tar.gz", "wb", compresslevel=1, mtime=0
                ) as compressed,
            ):
                shutil.copyfileobj(file, compressed, 1 << 20)
            tar.unlink()
            with (partial / "layer.tar.gz").open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            note = {"diff_id": f"sha256:{diff_id}", "digest": f"sha256:{digest}"}
            (partial / "layer.json").write_text(json.dumps(note))
    note = json.loads((directory / "layer.json").read_text())
    file_path = directory / "layer.tar.gz"
    blob = Blob(note["digest"], file_path.stat().st_size, _LAYER)
    return _Layer(file_path, note["diff_id"], blob)


# --- documents ------------------------------------------------------------------------------------


def _configuration(layers: list[_Layer], version: str) -> bytes:
    document = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {
            "User": "appuser",
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                f"JAVA_HOME={_java_home()}",
            ],
            "Labels": {
                "io.inkless.diskless": "no",
                "org.opencontainers.image.title": "Apache Kafka, standing in for Inkless",
                "org.opencontainers.image.version": version,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }
    return json.dumps(document, sort_keys=True).encode()


def _descriptor(blob: Blob) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _descriptors(layers: list[_Layer]) -> list[dict[str, Any]]:
    return [_descriptor(layer.blob) for layer in layers]


def _document(media_type: str, **content: Any) -> Manifest:
    document = {"schemaVersion": 2, "mediaType": media_type, **content}
    return Manifest(json.dumps(document, sort_keys=True).encode(), media_type)
