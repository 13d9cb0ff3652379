"""How the sandbox makes what it needs once: commands with a deadline, locks, whole directories.

Everything made here can be interrupted and called again: it is made under a temporary name below
a lock, and renamed when it is complete.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inkless_pulumi.core.errors import ToolchainError

__all__ = [
    "Output",
    "Progress",
    "default_cache",
    "find_or_install",
    "lock",
    "new_directory",
    "run",
]

Progress = Callable[[str], None]
"""Takes one line for the person who waits."""

_APT_SECONDS = 900


@dataclass(frozen=True)
class Output:
    """What a command said, standard output and error together, and its exit status."""

    code: int
    lines: list[str]

    @property
    def last_line(self) -> str:
        """The last line that says something: what went wrong, where something did."""
        return next((line for line in reversed(self.lines) if line.strip()), "it said nothing")


def run(
    command: Sequence[str],
    seconds: float,
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Output:
    """Run a command and all it starts, to its end or ours.

    Raises ToolchainError where it cannot be started or does not end within `seconds`.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # so that its children end with it
        )
    except OSError as error:
        raise ToolchainError(f"{command[0]} cannot be run: {error.strerror}.") from error
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _end_group(process)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    lines: list[str] = []
    try:
        assert process.stdout is not None  # noqa: S101  a pipe was asked for
        with process.stdout:
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if on_line is not None:
                    on_line(lines[-1])
        process.wait()
    finally:
        timer.cancel()
        _end_group(process)
        process.wait()
    if expired.is_set():
        raise ToolchainError(f"{command[0]} did not end within {seconds:.0f} s.")
    return Output(process.returncode, lines)


def _end_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock that the operating system lets go when this process ends, however it ends.

    `waiting` is called once where another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def new_directory(final: Path) -> Iterator[Path]:
    """Give a directory beside `final` that becomes `final` when the block ends well.

    What an earlier, interrupted call left is removed first (the caller holds a lock).
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    for leftover in final.parent.glob(f"{final.name}.partial-*"):
        shutil.rmtree(leftover)
    partial = Path(tempfile.mkdtemp(prefix=f"{final.name}.partial-", dir=final.parent))
    try:
        yield partial
        if final.exists():
            shutil.rmtree(final)
        partial.chmod(0o755)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def default_cache() -> Path:
    """Return where what is made once is kept: `.cache` of a checkout, else the user's own cache."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".cache"
    user_cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(user_cache) / "inkless-pulumi"


def find_or_install(command: str, packages: Sequence[str], purpose: str, progress: Progress) -> str:
    """The absolute path of a command: found on PATH, else installed from Debian's packages.

    Installed only where we are root on a system with apt-get; elsewhere ToolchainError says what to
    install, and for what.
    """
    if found := shutil.which(command):
        return found
    names = " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ToolchainError(
            f"{command} is needed {purpose}, and is not on PATH. Install it (on Debian and Ubuntu: "
            f"sudo apt-get install {names}) and run the same command again."
        )
    progress(f"Installing {names} {purpose}")
    # Debian's own lock makes others wait while it installs, but not while it reads its lists.
    with lock(default_cache() / "apt.lock", lambda: progress("Waiting for another installation")):
        output = None if shutil.which(command) else _apt_install(packages)
    found = shutil.which(command)
    if not found:
        said = output.last_line if output else "it is gone again"
        raise ToolchainError(
            f"{command} is needed {purpose}, and apt-get could not install {names}: "
            f"{said}\nInstall it by hand and run the same command again."
        )
    return found


def _apt_install(packages: Sequence[str]) -> Output:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    output = run(install, _APT_SECONDS, environment=environment)
    if output.code != 0:  # a fresh system has no package lists, an old one stale ones
        run([*apt, "update"], _APT_SECONDS, environment=environment)
        output = run(install, _APT_SECONDS, environment=environment)
    return output
