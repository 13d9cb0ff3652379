"""The directory of a sandbox as a thing to own: made, held by one command at a time, removed.

Only what a sandbox makes is ever removed, and only from a directory that it marked as its own.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.home import HOME_VARIABLE, MARKER_NAME, Home, write_whole
from inkless_pulumi.sandbox.making import Progress

_FREE_BYTES = 2 * 1024**3
_CONTENT = frozenset(
    (
        ".gitignore",
        MARKER_NAME,
        "account.db",
        "account.db-journal",
        "account.db-shm",
        "account.db-wal",
        "aws-config",
        "aws.journal",
        "databases",
        "demo",
        "instances",
        "lock",
        "logs",
        "passphrase",
        "processes",
        "pulumi",
        "quickstart",
        "registry",
        "run",
        "sandbox.json",
        "trust",
        "volumes",
    )
)
"""All that a sandbox's directory may hold, and so all that is ever removed from it."""
_TEMPORARY = ("demo.", *(f".{name}." for name in _CONTENT))
_MARKER = "This directory is an inkless-pulumi sandbox; `inkless-pulumi sandbox down` removes it.\n"


def refuse_foreign(home: Home) -> None:
    """Raise SandboxError for a directory that no sandbox ever made its own."""
    if not home.marker.is_file() and not all(_is_ours(path.name) for path in home.root.iterdir()):
        raise SandboxError(
            f"{home.root} is not a sandbox's directory (it has no file {home.marker.name}); "
            f"nothing was removed. Is {HOME_VARIABLE} right?"
        )


def ensure_passphrase(home: Home) -> str:
    """What encrypts the sandbox's secrets; made where there is none."""
    if not home.passphrase_file.is_file():
        write_whole(home.passphrase_file, secrets.token_urlsafe(32) + "\n")
    return home.passphrase_file.read_text(encoding="utf-8").strip()


@contextlib.contextmanager
def locked(home: Home, progress: Progress) -> Iterator[None]:
    """Hold the home alone. It is made where it is not, and may be gone again behind a `down`."""
    while True:
        _make_home(home)
        with home.lock_file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("Another command is working on this sandbox: waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle.fileno()), home.lock_file.stat()):
                    yield
                    return


def _make_home(home: Home) -> None:
    try:
        home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not home.marker.is_file():
            if not all(_is_ours(path.name) for path in home.root.iterdir()):
                raise SandboxError(
                    f"{home.root} is not empty and no sandbox's: set {HOME_VARIABLE} to a "
                    "directory of its own"
                )
            write_whole(home.marker, _MARKER)
            write_whole(home.root / ".gitignore", "*\n")
    except OSError as error:
        raise SandboxError(f"{home.root} cannot be made: {error}") from error


def _is_ours(name: str) -> bool:
    return name in _CONTENT or name.startswith(_TEMPORARY)


def refuse_full_disk(home: Home) -> None:
    """Raise SandboxError where the disk has too little room for images and data."""
    free = shutil.disk_usage(home.root).free
    if free < _FREE_BYTES:
        raise SandboxError(
            f"the disk of {home.root} has {free / 1e9:.1f} GB left, and a sandbox needs "
            f"{_FREE_BYTES / 1e9:.1f} GB for images and data: make room, or set {HOME_VARIABLE} to "
            "a directory on another disk"
        )


def remove_files(home: Home) -> None:
    """Remove what is a sandbox's; a file that someone else put there stays, and its directory."""
    found = [path for path in home.root.iterdir() if _is_ours(path.name)]
    # The marker and the lock last: with them, an interrupted removal can be taken up again.
    for path in sorted(found, key=lambda path: path in (home.lock_file, home.marker)):
        if path.is_dir() and not path.is_symlink():
            _remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        home.root.rmdir()


def _remove_tree(path: Path) -> None:
    def refuse(_: Callable[..., Any], name: str, error: BaseException) -> None:
        if not isinstance(error, FileNotFoundError):
            raise SandboxError(f"{name} cannot be removed: {error}") from error

    def on_error(function: Callable[..., Any], name: str, info: Any) -> None:
        refuse(function, name, info[1])

    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=refuse)
    else:
        shutil.rmtree(path, onerror=on_error)
