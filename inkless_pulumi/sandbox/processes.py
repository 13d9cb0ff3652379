"""Processes that outlive the command that started them, found again by what they are.

A process is known by its pid together with its start time, so that a pid that was given to another
process since is never taken for ours. Each carries the sandbox's home and its own name in its
environment: what was started a moment before a kill, and never recorded, is found by that.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.home import HOME_VARIABLE, Home, write_whole

PART_VARIABLE = "INKLESS_SANDBOX_PART"
"""Names the part a process is; set, with the home, in every process of a sandbox and no other."""

_POLL_SECONDS = 0.05
_PORT_SECONDS = 3
_LOG_LINES_SHOWN = 8
_children: dict[int, subprocess.Popen[bytes]] = {}
"""By pid. Threads start processes side by side: one step each adds or removes one entry."""


@atexit.register
def _let_go() -> None:
    """They outlive us on purpose: nobody need be warned of that."""
    for child in _children.values():
        if child.poll() is None:
            child.returncode = 0


@dataclass(frozen=True)
class PartProcess:
    """A process of the sandbox. `started` is its start time in the kernel's own unit."""

    name: str
    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_time(self.pid) == self.started


def start_time(pid: int) -> str | None:
    """When a process was started; None when there is none (a zombie counts as none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name, in parentheses, may hold anything; fields are counted behind it.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def start(
    home: Home,
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    directory: Path | None = None,
) -> PartProcess:
    """Start a detached process and record it under `name`.

    Its output goes to `log` (default: `logs/<name>.log` of the home), appended. Raises
    SandboxError when it cannot be started.
    """
    log = log or home.logs / f"{name}.log"
    full = {**os.environ, **(environment or {}), HOME_VARIABLE: str(home.root), PART_VARIABLE: name}
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=full,
                cwd=directory or home.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise SandboxError(f"{name} cannot be started: {error}") from error
    # Kept, so that an ended child is not left a zombie, nor its object called forgotten.
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)
    _children[process.pid] = process
    return record(home, name, process.pid)


def record(home: Home, name: str, pid: int) -> PartProcess:
    """Write down that a running process is the part `name`."""
    part = PartProcess(name, pid, start_time(pid) or "gone")
    write_whole(_file(home, name), json.dumps(asdict(part)) + "\n")
    return part


def find(home: Home, name: str) -> PartProcess | None:
    """The recorded process of a part, if it is still running."""
    try:
        part = PartProcess(**json.loads(_file(home, name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return part if part.alive else None


def stop(home: Home, name: str, seconds: float = 10) -> None:
    """End a part and forget it: asked first, killed after `seconds`. Nothing if it is gone.

    A process of that name that a kill kept from being recorded ends with it.
    """
    recorded = find(home, name)
    others = [part for part in running(home) if part.name == name and part != recorded]
    # The recorded process first: it ends those it started itself, and better.
    for parts in ([recorded] if recorded else [], others):
        _end(parts, seconds)
    _file(home, name).unlink(missing_ok=True)


def stop_all(home: Home, seconds: float = 10) -> int:
    """End every process of the sandbox, recorded or not. Returns how many there were."""
    ours = list(running(home))
    _end(ours, seconds)
    # A process may have started another between the look and its end.
    late = list(running(home))
    _end(late, seconds)
    return len(ours) + len(late)


def running(home: Home) -> Iterator[PartProcess]:
    """Every running process that carries this home and a part's name, besides this one."""
    wanted = f"{HOME_VARIABLE}={home.root}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        names = [v for v in variables if v.startswith(f"{PART_VARIABLE}=".encode())]
        if wanted in variables and names:
            started = start_time(int(entry.name))
            if started is not None:
                name = names[0].partition(b"=")[2].decode(errors="replace")
                yield PartProcess(name, int(entry.name), started)


def _end(parts: Sequence[PartProcess], seconds: float) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for part in parts:
            if part.alive:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(part.pid, sign)
        deadline = time.monotonic() + seconds
        while any(part.alive for part in parts) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    left = [part for part in parts if part.alive]
    if left:
        names = ", ".join(f"{part.name} (pid {part.pid})" for part in left)
        raise SandboxError(f"could not be ended: {names}")


def _file(home: Home, name: str) -> Path:
    return home.processes / f"{name}.json"


def wait_until(
    ready: Callable[[], bool], part: PartProcess, log: Path, seconds: float, doing: str
) -> None:
    """Wait for a part to serve. Raises SandboxError, with the end of its log, when it ends or
    takes longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not part.alive:
            raise SandboxError(f"{doing}: {part.name} ended at once; {_end_of(log)}")
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{doing}: {part.name} did not serve within {seconds:.0f} s; {_end_of(log)}"
            )
        time.sleep(_POLL_SECONDS)


def _end_of(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{log} could not be read"
    shown = "\n  ".join(lines[-_LOG_LINES_SHOWN:])
    return f"the end of {log}:\n  {shown}" if shown else f"{log} is empty"


def free_port(address: str) -> int:
    """A port that nothing listens on at this address."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def accepts(address: str, port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def refuse_taken_port(address: str, port: int, what: str) -> None:
    """Raise SandboxError when a port that we need is another program's.

    One of ours that was just killed may hold it a moment longer, until its last thread is gone.
    """
    deadline = time.monotonic() + _PORT_SECONDS
    while (error := _bind_error(address, port)) is not None:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{what} needs port {port} of {address}, which is in use by another program "
                f"({error.strerror}). End that program (`ss -ltnp 'sport = :{port}'` shows it), or "
                "remove the sandbox with `inkless-pulumi sandbox down`, to get other ports"
            ) from error
        time.sleep(_POLL_SECONDS)


def _bind_error(address: str, port: int) -> OSError | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error
    return None


def listening_addresses() -> frozenset[str]:
    """The IPv4 addresses of this machine that something listens on, `0.0.0.0` left out."""
    found = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[1][:8] != "00000000":
                raw = bytes.fromhex(fields[1][:8])
                found.add(socket.inet_ntoa(raw[::-1] if sys.byteorder == "little" else raw))
    return frozenset(found)
