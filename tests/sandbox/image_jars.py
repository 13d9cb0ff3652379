"""The jars inside of a broker image, taken from its registry without a container engine."""

import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from inkless_pulumi.core.image import parse_reference
from inkless_pulumi.provider.registry import Blob, Manifest, Registry
from inkless_pulumi.provider.registry_session import RegistrySession

LIBRARIES = PurePosixPath("opt/kafka/libs")


def extract_jars(image: str, directory: Path) -> None:
    """Write the jars of `/opt/kafka/libs` into a directory; later layers win, as in a container."""
    reference = parse_reference(image)
    with Registry(RegistrySession(reference.registry, None)) as registry:
        top = registry.get_manifest(
            reference.repository, reference.digest or reference.tag or "latest"
        )
        manifest = _of_any_platform(registry, reference.repository, top)
        for layer in manifest.document["layers"]:
            blob = Blob(layer["digest"], layer["size"], layer["mediaType"])
            _unpack(registry.read_blob(reference.repository, blob), directory)


def has_package(directory: Path, package: str) -> bool:
    """Whether one of the jars has classes below `package`, which is written with slashes."""
    for jar in directory.glob("*.jar"):
        with zipfile.ZipFile(jar) as archive:
            if any(name.startswith(package) for name in archive.namelist()):
                return True
    return False


def _of_any_platform(registry: Registry, repository: str, top: Manifest) -> Manifest:
    """Jars are the same on every platform."""
    if not top.is_index:
        return top
    real = [entry for entry in top.document["manifests"] if entry["platform"]["os"] == "linux"]
    return registry.get_manifest(repository, real[0]["digest"])


def _unpack(pieces: Iterator[bytes], directory: Path) -> None:
    with tempfile.TemporaryFile() as layer:
        for piece in pieces:
            layer.write(piece)
        layer.seek(0)
        with tarfile.open(fileobj=layer) as archive:
            for member in archive:
                path = PurePosixPath(member.name.removeprefix("./"))
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and path.parent == LIBRARIES and path.suffix == ".jar":
                    (directory / path.name).write_bytes(content.read())
