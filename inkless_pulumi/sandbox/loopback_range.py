"""Which loopback addresses are a sandbox's own: a range that no other sandbox on this machine has.

Nodes listen on fixed ports, so two sandboxes must not share an address, and what listens now tells
nothing of a network interface whose machine is not started yet. So a sandbox claims a range at its
first `up`, before it has any address. The range stands in its settings, because addresses stand in
the states of its stacks; the claims of all sandboxes of a user are files in one directory in
memory. A claim whose sandbox is gone, or has another range, counts no more.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.home import Home

__all__ = ["DATABASE_OCTET", "SETTING", "TWIN_OCTETS", "claim", "first_octet", "release"]

SETTING: Final = "loopback_range"
"""The setting of a home that records the number of its range."""
TWIN_OCTETS: Final = range(15)
"""Second octets of a range, counted from its first, that stand for networks of the account."""
DATABASE_OCTET: Final = 15
"""The one of a range, likewise, where its databases are."""
_OCTETS = len(TWIN_OCTETS) + 1
_RANGES = range(15)
"""127.0.x.x is where this machine's own services are, and 127.241.x.x and above stay free."""
_MEMORY = Path("/dev/shm")  # noqa: S108  made 0700, and checked


def first_octet(number: int) -> int:
    """The first second octet of a range: 1, 17, 33 and so on."""
    return 1 + number * _OCTETS


def claim(home: Home) -> None:
    """Record a range of its own in a home's settings; one that it has already stays.

    Raises SandboxError where another sandbox has taken that one since, as it can after a restart of
    the machine, or where none is left.
    """
    with _claims() as directory:
        settings = home.read_settings()
        owners = {number: _owner(directory / str(number), number) for number in _RANGES}
        number = settings.get(SETTING)
        if number is None:
            number = next((free for free, owner in owners.items() if owner is None), None)
            if number is None:
                raise SandboxError(
                    f"{len(_RANGES)} sandboxes run on this machine, and there are no loopback "
                    "addresses for another. Remove one with `inkless-pulumi sandbox down`; they "
                    f"are in {', '.join(str(owner) for owner in owners.values())}"
                )
        elif owners[number] not in (None, home.root):
            raise SandboxError(
                f"the addresses of the sandbox in {home.root} are used by the one in "
                f"{owners[number]} by now. Remove one of them with `inkless-pulumi sandbox down`"
            )
        (directory / str(number)).write_text(str(home.root), encoding="utf-8")
        home.write_settings({**settings, SETTING: number})


def release(home: Home) -> None:
    """Give a home's range back. Does nothing where it has none."""
    with _claims() as directory:
        for path in directory.iterdir():
            if path.read_text(encoding="utf-8") == str(home.root):
                path.unlink()


def _owner(path: Path, number: int) -> Path | None:
    """The home that has a range; None where there is none (any more)."""
    try:
        home = Home(Path(path.read_text(encoding="utf-8")))
        return home.root if home.read_settings().get(SETTING) == number else None
    except FileNotFoundError:
        return None
    except SandboxError:  # its settings are damaged: it may be running all the same
        return home.root


@contextlib.contextmanager
def _claims() -> Iterator[Path]:
    """The directory of all claims, alone. It is removed behind the last of them."""
    directory = _MEMORY / f"inkless-sandboxes-{os.geteuid()}"
    while True:
        directory.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # removed in between, behind another sandbox's last claim
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_uid != os.geteuid():
                raise SandboxError(f"{directory} is another user's: remove it")
            if not _is_open_as(descriptor, directory):
                continue
            try:
                yield directory
            finally:
                with contextlib.suppress(OSError):  # not empty
                    directory.rmdir()
            return
        finally:
            os.close(descriptor)


def _is_open_as(descriptor: int, directory: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), directory.stat())
    except FileNotFoundError:
        return False
