"""Kills at random moments: `make crash`, or `python -m proofs.crash --kills 50 --seed 1`.

A service is created, changed, and destroyed, again and again, with either topology in turn. In each
of these operations one process is killed (SIGKILL) at a random moment: the engine, one of its
plugins, a part of the sandbox, or all of its parts. Then the sandbox is made whole and the
operation is run once more, as a user would. After that everything must be as declared, and nothing
may be left of what was interrupted. A seed gives the same kills again; the moment is counted in the
engine's own lines of progress.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import lifecycle, processes
from inkless_pulumi.sandbox.demo import narrator
from inkless_pulumi.sandbox.making import default_cache
from proofs.stage import Stage, Watch, stage
from proofs.traces import problems_after_destroy, problems_after_up

__all__ = ["OPERATIONS", "Kill", "Operation", "kills", "run"]


@dataclass(frozen=True)
class Operation:
    """Something that is done to the service."""

    name: str
    lines: int
    """About how many lines of progress it has."""
    arguments: Mapping[str, Any] | None
    """What is declared otherwise than before; None: the service is destroyed."""
    creates: bool = False
    """Nothing was declared before."""


OPERATIONS = (
    Operation("create", 200, {}, creates=True),
    Operation("roll", 90, {}),
    Operation("destroy", 190, None),
    Operation("create dedicated", 290, {"topology": "dedicated", "rebalance": True}, creates=True),
    Operation("scale out", 50, {"brokers": 4}),
    Operation("scale in", 50, {"brokers": 3}),
    Operation("destroy dedicated", 270, None),
)
"""They take turns, so that each finds what it needs."""

_TARGETS = (
    "engine",
    "engine",
    "inkless plugin",
    "cloud plugin",
    "machine",
    "database",
    "registry",
    "aws",
    "sandbox",
)
_LONGEST_DELAY = 4.0
"""Seconds; a gate that waits says so every five."""
_PATIENCE_SECONDS = 120
"""How long a node is waited for: of a sandbox that was killed nothing comes back by itself."""


@dataclass(frozen=True)
class Kill:
    """One kill: what is killed, during what, and when."""

    number: int
    operation: Operation
    target: str
    after_lines: int
    delay: float
    """Seconds after that line."""

    def __str__(self) -> str:
        moment = f"{self.delay:.2f} s after line {self.after_lines}"
        return f"kill {self.number}: {self.target} during {self.operation.name}, {moment}"


def kills(seed: int) -> Iterator[Kill]:
    """Endlessly many kills."""
    chance = random.Random(seed)  # noqa: S311 - a seed has to give the same kills again
    for number, operation in enumerate(cycle(OPERATIONS), 1):
        target = chance.choice(_TARGETS)
        lines = chance.randrange(operation.lines)
        yield Kill(number, operation, target, lines, chance.uniform(0, _LONGEST_DELAY))


class _Killer:
    """Waits for its moment among the engine's lines, and kills then."""

    def __init__(self, place: Stage, kill: Kill) -> None:
        self.killed: str | None = None
        self._place = place
        self._kill = kill
        self.lines = 0
        self._timer: threading.Timer | None = None

    def watch(self, line: str) -> None:
        """Count a line."""
        self.lines += 1
        if self.lines > self._kill.after_lines and self._timer is None:
            self._timer = threading.Timer(self._kill.delay, self._strike)
            self._timer.start()

    def done(self) -> None:
        """The operation has ended, killed or not."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _strike(self) -> None:
        for pid, what in _targets(self._place, self._kill.target):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.killed = what
            if self._kill.target != "sandbox":  # of which all parts are
                return


def _targets(place: Stage, target: str) -> Iterator[tuple[int, str]]:
    """Processes of a kind, and what they are."""
    engines = [
        pid
        for pid, command in _children(os.getpid())
        if Path(command.partition(" ")[0]).name == "pulumi"
    ]
    if target == "engine":
        yield from ((pid, "engine") for pid in engines)
    elif target.endswith("plugin"):
        name = "pulumi-resource-inkless" if target == "inkless plugin" else "standin"
        for engine in engines:
            for pid, command in _children(engine):
                if name in command:
                    yield pid, target
    else:
        for part in list(processes.running(place.home)):
            if _is_part(part.name, target):
                yield part.pid, target if target == "sandbox" else part.name


def _is_part(name: str, target: str) -> bool:
    beginnings = {"machine": "i-", "database": "database-", "sandbox": ""}
    return name.startswith(beginnings[target]) if target in beginnings else name == target


def _children(parent: int) -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if int(stat[1]) == parent:
            yield int(entry.name), command


def run(place: Stage, wanted: Iterator[Kill], narrate: Watch) -> list[str]:
    """Carry out the kills, and tell everything that was wrong afterwards."""
    problems: list[str] = []
    for kill in wanted:
        narrate(str(kill))
        operate = partial(_operate, place, kill)
        narrate(f"  {_interrupt(place, kill, operate)}")
        found = _taken_up(place, kill, operate)
        problems += [f"{kill}: {problem}" for problem in found]
        for problem in found:
            narrate(f"  PROBLEM {problem}")
    return problems


def _operate(place: Stage, kill: Kill, watch: Watch) -> None:
    changed = kill.operation.arguments
    if changed is None:
        place.destroy(watch)
        return
    if kill.operation.creates:
        place.arguments.clear()
    # Of a service that stays as it is, each kill's setting is another: that is a roll.
    rolls = not changed and not kill.operation.creates
    settings = {"settings": {"queued.max.requests": 500 - kill.number}} if rolls else {}
    place.deploy({**changed, **settings, "node_timeout_seconds": _PATIENCE_SECONDS}, watch)


def _interrupt(place: Stage, kill: Kill, operate: Callable[[Watch], None]) -> str:
    killer = _Killer(place, kill)
    try:
        operate(killer.watch)
        ended = "the operation succeeded"
    except SandboxError:
        ended = "the operation failed"
    finally:
        killer.done()
    killed = killer.killed or "nothing: it had ended before"
    return f"killed {killed}; {ended} after {killer.lines} lines"


def _taken_up(place: Stage, kill: Kill, operate: Callable[[Watch], None]) -> list[str]:
    """Run the operation once more, and look."""
    began = time.monotonic()
    lines: list[str] = []
    lifecycle.up(place.home, progress=lambda line: place.narrate(f"  {line}"))
    try:
        operate(lines.append)
    except SandboxError:
        said = [line.strip() for line in lines if "error: " in line]
        return [f"the next run failed: {' | '.join(said[:3]) or lines[-5:]}"]
    place.narrate(f"  taken up in {time.monotonic() - began:.0f} s")
    destroyed = kill.operation.arguments is None
    return problems_after_destroy(place) if destroyed else problems_after_up(place)


def main(
    count: Annotated[int, typer.Option("--kills", help="How many kills there are.")] = 50,
    seed: Annotated[int, typer.Option(help="Which kills.")] = 1,
    skip: Annotated[
        int, typer.Option(help="How many of them to leave out; a creation has to be the next.")
    ] = 0,
    home: Annotated[Path | None, typer.Option(help="Where the sandbox is kept meanwhile.")] = None,
) -> None:
    """Kill processes at random moments, and see that the next run sets everything right."""
    console = Console(highlight=False, emoji=False)
    narrate = narrator(console)

    with stage(home or default_cache() / "crash", narrate) as place:
        problems = run(place, islice(kills(seed), skip, skip + count), narrate)
    console.print(f"crash: seed={seed} kills={count} problems={len(problems)}", soft_wrap=True)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    typer.run(main)
