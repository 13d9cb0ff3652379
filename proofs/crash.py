"""Kills at random moments: `make crash`, or `python -m proofs.crash --kills 50 --seed 1`.

A service is created, changed, and destroyed, again and again. In each of these operations one
process is killed (SIGKILL) at a random moment: the engine, one of its plugins, or a part of the
sandbox. Then the sandbox is made whole and the operation is run once more, as a user would. After
that everything must be as declared, and nothing may be left of what was interrupted. A seed gives
the same kills again; the moment is counted in the engine's own lines of progress.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import lifecycle, processes
from inkless_pulumi.sandbox.demo import narrator
from inkless_pulumi.sandbox.making import default_cache
from proofs.stage import Stage, Watch, stage
from proofs.traces import problems_after_destroy, problems_after_up

__all__ = ["OPERATIONS", "Kill", "kills", "run"]

OPERATIONS = ("create", "roll", "destroy")
_LINES = {"create": 95, "roll": 45, "destroy": 95}
"""About how many lines of progress an operation has."""
_TARGETS = ("engine", "engine", "inkless plugin", "cloud plugin", "machine", "registry")
_LONGEST_DELAY = 1.5


@dataclass(frozen=True)
class Kill:
    """One kill: what is killed, during what, and when."""

    number: int
    operation: str
    target: str
    after_lines: int
    delay: float
    """Seconds after that line."""

    def __str__(self) -> str:
        moment = f"{self.delay:.2f} s after line {self.after_lines}"
        return f"kill {self.number}: {self.target} during {self.operation}, {moment}"


def kills(seed: int, operations: tuple[str, ...] = OPERATIONS) -> Iterator[Kill]:
    """Endlessly many kills; the operations take turns, so that each finds what it needs."""
    chance = random.Random(seed)  # noqa: S311 - a seed has to give the same kills again
    number = 0
    while True:
        for operation in operations:
            number += 1
            target = chance.choice(_TARGETS)
            lines = chance.randrange(_LINES[operation])
            yield Kill(number, operation, target, lines, chance.uniform(0, _LONGEST_DELAY))


class _Killer:
    """Waits for its moment among the engine's lines, and kills then."""

    def __init__(self, place: Stage, kill: Kill) -> None:
        self.killed: str | None = None
        self._place = place
        self._kill = kill
        self._lines = 0
        self._timer: threading.Timer | None = None

    def watch(self, line: str) -> None:
        """Count a line."""
        self._lines += 1
        if self._lines > self._kill.after_lines and self._timer is None:
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
        for part in processes.running(place.home):
            if part.name == target or (target == "machine" and part.name.startswith("i-")):
                yield part.pid, part.name


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
    changes = 0
    for kill in wanted:
        narrate(str(kill))
        if kill.operation == "roll":
            changes += 1
        settings = {"settings": {"queued.max.requests": 500 - changes}}
        operations: dict[str, Callable[[Watch | None], None]] = {
            "create": lambda watch, settings=settings: place.deploy(settings, watch),  # type: ignore[misc]
            "roll": lambda watch, settings=settings: place.deploy(settings, watch),  # type: ignore[misc]
            "destroy": place.destroy,
        }
        operate = operations[kill.operation]
        narrate(f"  {_interrupt(place, kill, operate)}")
        found = _taken_up(place, kill, operate)
        problems += [f"{kill}: {problem}" for problem in found]
        for problem in found:
            narrate(f"  PROBLEM {problem}")
    return problems


def _interrupt(place: Stage, kill: Kill, operate: Callable[[Watch | None], None]) -> str:
    killer = _Killer(place, kill)
    try:
        operate(killer.watch)
        ended = "the operation succeeded"
    except SandboxError:
        ended = "the operation failed"
    finally:
        killer.done()
    return f"killed {killer.killed or 'nothing: it had ended before'}; {ended}"


def _taken_up(place: Stage, kill: Kill, operate: Callable[[Watch | None], None]) -> list[str]:
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
    return (
        problems_after_destroy(place) if kill.operation == "destroy" else problems_after_up(place)
    )


def main(
    count: Annotated[int, typer.Option("--kills", help="How many kills there are.")] = 50,
    seed: Annotated[int, typer.Option(help="Which kills.")] = 1,
    home: Annotated[Path | None, typer.Option(help="Where the sandbox is kept meanwhile.")] = None,
) -> None:
    """Kill processes at random moments, and see that the next run sets everything right."""
    console = Console(highlight=False, emoji=False)
    narrate = narrator(console)

    with stage(home or default_cache() / "crash", narrate) as place:
        problems = run(place, islice(kills(seed), count), narrate)
    console.print(f"crash: seed={seed} kills={count} problems={len(problems)}", soft_wrap=True)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    typer.run(main)
