"""The overlay: the one layer this package puts on top of the upstream broker image.

Its files come from two places that are merged: `rootfs` beside the node script (text, part of
the package) and what is too big for a repository, such as the JMX exporter's jar, which is fetched
once into a cache and pinned in `artefacts.json` by its sha256.

Two digests matter, and both are the same on every machine:

- the *overlay digest* is taken over the listing (path, mode, sha256 of the content). A pinned
  artefact counts with its pin, so a preview can tell whether the overlay changed without having
  fetched anything;
- the *layer* is a tar of sorted entries with owner 0, time 0 and modes 0755 or 0644, in a gzip
  container of stored (uncompressed) blocks. Deflate's output differs between zlib versions and
  forks, which would roll every node because somebody else ran `pulumi up`; stored blocks cannot.
  The layer is a few megabytes of jars, which would not compress anyway.
"""

import hashlib
import io
import json
import os
import struct
import tarfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from inkless_pulumi.core.broker_files import broker_directory
from inkless_pulumi.core.errors import RegistryError

__all__ = ["Layer", "Overlay", "find_overlay"]

ENTRYPOINT = "/opt/inkless/bin/start"
ARTEFACTS_VARIABLE = "INKLESS_OVERLAY_ARTEFACTS"
_STORED_BLOCK = 65535  # the most that a stored deflate block holds


@dataclass(frozen=True)
class Layer:
    """The overlay as a registry stores it."""

    content: bytes = field(repr=False)
    """The gzip container."""
    diff_id: str
    """`sha256:…` of the tar inside, as an image's configuration lists it."""

    @property
    def digest(self) -> str:
        """`sha256:…` of the gzip container, the blob's digest."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


@dataclass(frozen=True)
class Overlay:
    """The files of the overlay, found but not read yet."""

    rootfs: Path
    """Directory of the package's own files, laid out as in the container."""
    artefacts: Path
    """Directory of the fetched files, laid out likewise; need not exist for a preview."""
    pins: dict[str, str] = field(default_factory=dict)
    """Path in the container (without the leading slash) to sha256, for each fetched file."""

    @cached_property
    def digest(self) -> str:
        """`sha256:…` of the listing. Raises RegistryError where the package's files are gone."""
        listing = {path: [mode, _sha256(file)] for path, (file, mode) in self._own().items()}
        listing |= {path: [0o644, pin] for path, pin in self.pins.items()}
        text = json.dumps(listing, sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def layer(self) -> Layer:
        """Build the layer.

        Raises RegistryError where a fetched file is missing, or is not the pinned one.
        """
        files = {path: (file.read_bytes(), mode) for path, (file, mode) in self._own().items()}
        files |= {path: (self._fetched(path, pin), 0o644) for path, pin in self.pins.items()}
        tar = _tar(files)
        return Layer(_stored_gzip(tar), f"sha256:{hashlib.sha256(tar).hexdigest()}")

    def _own(self) -> dict[str, tuple[Path, int]]:
        files = {
            file.relative_to(self.rootfs).as_posix(): (file, _mode(file))
            for file in self.rootfs.rglob("*")
            if file.is_file() and not file.name.startswith(".git")
        }
        if ENTRYPOINT.lstrip("/") not in files:
            raise RegistryError(
                f"The image overlay in {self.rootfs} has no {ENTRYPOINT}. The package is "
                "incomplete: install it again, or restore the checkout's broker/rootfs."
            )
        return files

    def _fetched(self, path: str, pin: str) -> bytes:
        file = self.artefacts / path
        remedy = (
            "Run `python -m inkless_pulumi.sandbox.artefacts`, which fetches it, or name the "
            f"directory that has it in {ARTEFACTS_VARIABLE}."
        )
        try:
            content = file.read_bytes()
        except OSError as error:
            raise RegistryError(
                f"The image overlay's /{path} is not at {file} ({error.strerror}). {remedy}"
            ) from error
        if hashlib.sha256(content).hexdigest() != pin:
            raise RegistryError(
                f"The image overlay's {file} is not the pinned one: its sha256 is not {pin}. "
                f"Remove it. {remedy}"
            )
        return content


def find_overlay() -> Overlay:
    """The overlay of this installation.

    Fetched files are looked for in the directory `$INKLESS_OVERLAY_ARTEFACTS` names, else in the
    checkout's `.cache/overlay/rootfs`, or in the user's cache where the package is installed.
    """
    broker = broker_directory()
    if named := os.environ.get(ARTEFACTS_VARIABLE):
        cache = Path(named)
    elif broker.name == "_broker":
        user_caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache = user_caches / "inkless-pulumi" / "overlay" / "rootfs"
    else:
        cache = broker.parent / ".cache" / "overlay" / "rootfs"
    return Overlay(broker / "rootfs", cache, _pins(broker / "artefacts.json"))


def _pins(path: Path) -> dict[str, str]:
    """Read `artefacts.json`: a list of objects with at least `path` and `sha256`."""
    try:
        return {
            entry["path"].lstrip("/"): entry["sha256"] for entry in json.loads(path.read_text())
        }
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RegistryError(
            f"{path} cannot be understood: it lists objects with path and sha256. "
            "The package is incomplete: install it again, or restore the checkout's file."
        ) from error


def _mode(file: Path) -> int:
    """0755 for programs, 0644 otherwise; by place, for a copy's permissions depend on its way."""
    return 0o755 if file.parent.name == "bin" else 0o644


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    directories = {parent.as_posix() for path in files for parent in Path(path).parents} - {"."}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(directories | files.keys()):
            entry = tarfile.TarInfo(path)  # owner 0, time 0 unless told otherwise
            if path in files:
                content, entry.mode = files[path]
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            else:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
    return buffer.getvalue()


def _stored_gzip(content: bytes) -> bytes:
    """A gzip stream (RFC 1952) of stored deflate blocks (RFC 1951, 3.2.4)."""
    stream = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for start in range(0, max(len(content), 1), _STORED_BLOCK):
        block = content[start : start + _STORED_BLOCK]
        last = start + _STORED_BLOCK >= len(content)
        stream += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    stream.append(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(stream)
