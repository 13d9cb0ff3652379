"""How things are measured: processes from outside, repeated, the median told."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Figure", "cpu_seconds", "median", "resident_mib", "wall_seconds"]


@dataclass(frozen=True)
class Figure:
    """One measurement beside its floor and its aim."""

    what: str
    measured: str
    floor: str
    aim: str


def median(measure: Callable[[], float], times: int) -> float:
    """The median of several measurements."""
    return statistics.median(measure() for _ in range(times))


def cpu_seconds(code: str) -> float:
    """User and system time that a fresh interpreter spends on a piece of code."""
    process = subprocess.Popen([sys.executable, "-c", code])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{code!r} failed")
    return usage.ru_utime + usage.ru_stime


def wall_seconds(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> float:
    """Seconds until a command has ended well."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def resident_mib(pid: int, field: str = "VmHWM") -> float:
    """Resident memory of a process in MiB: its peak, or with `VmRSS` that of the moment."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no {field}")
