"""As much of systemd as the units of a node ask for: a service that is kept running.

A directive that is not understood is refused rather than passed over: a unit that works here has
to mean the same on a machine with systemd.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from inkless_pulumi.core.errors import SandboxError

__all__ = ["SYSTEMCTL", "Service", "Unit", "parse_requests", "parse_unit"]

_PASSED_OVER = {
    "Unit": {"Description", "Documentation", "Wants", "After", "Requires", "RequiresMountsFor"}
    | {"StartLimitIntervalSec", "StartLimitBurst"},
    "Install": {"WantedBy"},
}
"""What orders units at boot, and here is in order anyway."""

_FIXED = {
    "Type": {"simple", "exec"},
    "Restart": {"always"},
    "KillMode": {"mixed"},
    "SuccessExitStatus": {"143"},
}
"""Directives of [Service] and the values under which they mean what `Service` does."""

SYSTEMCTL = """\
#!/bin/sh
# Stands for systemctl in a rehearsed machine: notes what is asked of it.
case "$# $1 $2" in
  '1 daemon-reload ' | '3 enable --now') ;;
  *) echo "systemctl: not understood here: $*" >&2; exit 1 ;;
esac
printf '%s\\n' "$*" >>"$INKLESS_SYSTEMCTL_REQUESTS"
"""


@dataclass(frozen=True)
class Unit:
    """A service unit. Times are in seconds; the defaults are systemd's."""

    name: str
    start: tuple[str, ...]
    start_before: tuple[tuple[str, ...], ...] = ()
    stop: tuple[str, ...] | None = None
    restart_after: float = 0.1
    start_timeout: float = 90.0
    stop_timeout: float = 90.0


def parse_unit(name: str, text: str) -> Unit:
    """Read a unit file. Raises SandboxError for what is not understood."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        if line.startswith("["):
            section = line.strip("[] ")
            continue
        key, _, value = (part.strip() for part in line.partition("="))
        if key in _PASSED_OVER.get(section, ()):
            continue
        if section != "Service" or key not in _DIRECTIVES:
            raise SandboxError(f"{name}: the sandbox does not know {key} in [{section}].")
        if key in _FIXED and value not in _FIXED[key]:
            raise SandboxError(f"{name}: the sandbox does not know {key}={value}.")
        found.setdefault(key, []).append(value)
    if len(found.get("ExecStart", ())) != 1:
        raise SandboxError(f"{name}: a service has one ExecStart.")

    def seconds(key: str, default: float) -> float:
        return _seconds(name, key, found[key][-1]) if key in found else default

    stop = found.get("ExecStop")
    return Unit(
        name=name,
        start=tuple(shlex.split(found["ExecStart"][0])),
        start_before=tuple(tuple(shlex.split(line)) for line in found.get("ExecStartPre", ())),
        stop=tuple(shlex.split(stop[-1])) if stop else None,
        restart_after=seconds("RestartSec", Unit.restart_after),
        start_timeout=seconds("TimeoutStartSec", Unit.start_timeout),
        stop_timeout=seconds("TimeoutStopSec", Unit.stop_timeout),
    )


_TIMES = {"RestartSec", "TimeoutStartSec", "TimeoutStopSec"}
_DIRECTIVES = {"ExecStart", "ExecStartPre", "ExecStop", *_TIMES, *_FIXED}
_UNITS_OF_TIME = {"": 1.0, "s": 1.0, "ms": 0.001, "min": 60.0}


def _seconds(unit: str, key: str, value: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min|)", value)
    if not found:
        raise SandboxError(f"{unit}: the sandbox does not know {key}={value}.")
    return float(found[1]) * _UNITS_OF_TIME[found[2]]


def parse_requests(text: str) -> list[str]:
    """The units to start, in order, from what the stand-in for systemctl noted."""
    lines = (shlex.split(line) for line in text.splitlines())
    return [words[2] for words in lines if words[0] == "enable"]


class Service:
    """One service that is started, started again whenever it ends, and stopped once.

    All commands get the same environment, output goes where ours does, and a path is looked for
    below the machine's root directory.
    """

    def __init__(
        self,
        unit: Unit,
        root: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        """Nothing is started yet."""
        self.unit = unit
        self._root = root
        self._environment = environment
        self._say = say
        self._stopping = threading.Event()
        self._current: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep_running, name=unit.name, daemon=True)

    def start(self) -> None:
        """Start it, and keep it running until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it as systemd would: ExecStop, SIGTERM, and at the deadline SIGKILL to all of it."""
        with self._lock:
            self._stopping.set()
            running = self._current
        if running is not None:
            # The deadline is one for both: ExecStop and what remains of the service.
            killer = threading.Timer(self.unit.stop_timeout, _kill_group, [running])
            killer.daemon = True
            killer.start()
            if self.unit.stop is not None:
                with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                    self._popen(self.unit.stop).wait(self.unit.stop_timeout)
            running.terminate()
            running.wait()
            killer.cancel()
        self._thread.join()

    def _keep_running(self) -> None:
        # That it ended well is not told: a unit that looks at something now and then always does.
        while not self._stopping.is_set():
            if self._run_before() and (status := self._run(self.unit.start)):
                self._say(f"{self.unit.name}: ended with status {status}")
            self._stopping.wait(self.unit.restart_after)

    def _run_before(self) -> bool:
        for command in self.unit.start_before:
            status = self._run(command, self.unit.start_timeout)
            if status != 0:
                self._say(f"{self.unit.name}: {shlex.join(command)} ended with status {status}")
                return False
        return not self._stopping.is_set()

    def _run(self, command: tuple[str, ...], deadline: float | None = None) -> int | None:
        """Run to the end; the exit status, None where we are stopping or it cannot be run."""
        with self._lock:
            if self._stopping.is_set():
                return None
            try:
                process = self._current = self._popen(command)
            except OSError as error:
                self._say(f"{self.unit.name}: {command[0]} cannot be run: {error.strerror}")
                return None
        killer = threading.Timer(deadline or 0, _kill_group, [process])
        killer.daemon = True
        if deadline is not None:
            killer.start()
        status = process.wait()
        killer.cancel()
        _kill_group(process)  # what it left behind, as systemd does with a control group
        with self._lock:
            self._current = None
        return status

    def _popen(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [below(self._root, command[0]), *command[1:]],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def below(root: Path, program: str) -> str:
    """The machine's own program of an absolute path, where it has one."""
    own = root / program.lstrip("/")
    return str(own) if program.startswith("/") and own.exists() else program


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
