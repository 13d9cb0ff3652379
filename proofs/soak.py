"""Every kind of change under load: `make soak`, or `python -m proofs.soak --records 1000000`.

The service has a dedicated topology and starts with the oldest supported version, so that it can
grow, shrink and be upgraded. An idempotent producer with acks=all and a consumer go on while it is
changed in one way after the other, and what the report of each change's preview says is held
against what happens. In the end each acknowledged record is read back. The last line sums it up;
the exit status is 0 only if every record was acknowledged in the end, each is there exactly once,
and all that was said of a change happened, and nothing else.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from inkless_pulumi.sandbox.demo import narrator
from inkless_pulumi.sandbox.making import default_cache
from proofs.changes import CHANGES, Change, start_at_oldest
from proofs.claims.audit import Audit
from proofs.load import Gaps, Load, Reading, read_back
from proofs.nodes import machines, restart_seconds
from proofs.stage import Stage, Watch, stage

__all__ = ["Phase", "Result", "run"]

_RATE = 1500.0
_USER = "load"
_BASELINE_SECONDS = 15.0


@dataclass(frozen=True)
class Phase:
    """What was seen of one change."""

    change: str
    seconds: float
    gaps: Gaps
    restarts: list[float]
    """Of each node that was replaced, how long its restart took by itself (s)."""

    @property
    def ratio(self) -> float | None:
        """How much longer than all these restarts one after the other the change took."""
        return self.seconds / sum(self.restarts) if self.restarts else None


@dataclass
class Result:
    """What the load saw."""

    load: Load
    records: int = 0
    acked: int = 0
    reading: Reading = field(default_factory=Reading)
    phases: list[Phase] = field(default_factory=list)
    broken_claims: list[str] = field(default_factory=list)
    """What the report of a change said and was not so, each with the change's name."""

    @property
    def passed(self) -> bool:
        """A client that tries again got every record through, and each is there exactly once.

        What the report of each change's preview said happened, and nothing else did.
        """
        through = self.reading == Reading() and self.acked == self.records
        return through and not self.broken_claims

    @property
    def line(self) -> str:
        """The one line that sums it up."""
        longest = max((phase.gaps.worst for phase in self.phases), default=0.0)
        return (
            f"soak: records={self.records} acked={self.acked} lost={self.reading.lost} "
            f"duplicated={self.reading.duplicated} longest_gap_s={longest:.1f} "
            f"changes={len(self.phases) - 1} broken_claims={len(self.broken_claims)}"
        )


def run(
    place: Stage,
    changes: Sequence[Change],
    records: int,
    narrate: Watch,
    *,
    rate: float = _RATE,
    baseline_seconds: float = _BASELINE_SECONDS,
) -> Result:
    """Deploy, load, change, and read back.

    Raises:
        SandboxError: a change failed.
        RuntimeError: the load got no record through for a quarter of an hour.
    """
    narrate("deploying the service")
    place.deploy()
    load = Load(place.client(), place.topics, rate)
    load.start()
    result = Result(load)
    nothing = Change("no change", lambda _: time.sleep(baseline_seconds), foreseen=False)
    for change in (nothing, *changes):
        narrate(f"under load: {change.name}")
        audit = Audit(place, users=[_USER])
        with place.beside(audit.deployment) if change.foreseen else nullcontext():
            phase = _under_load(place, load, change)
        result.phases.append(phase)
        result.broken_claims += [f"{change.name}: {claim}" for claim in audit.broken]
        narrate(
            f"  {phase.seconds:.0f} s, {phase.gaps.acked} records acknowledged, "
            f"longest gap {phase.gaps.worst:.1f} s"
        )
    narrate(f"producing the rest of {records} records, and reading all back")
    load.finish(records)
    result.records, result.acked = load.sent, load.acked
    result.reading = read_back(place.client(), load.run, load.acked_by_topic())
    return result


def _under_load(place: Stage, load: Load, change: Change) -> Phase:
    before = machines(place.home)
    with load.phase() as gaps:
        began, updating = time.monotonic(), place.up_seconds
        change.make(place)
        seconds = place.up_seconds - updating or time.monotonic() - began
    restarts = restart_seconds(place.home, before, machines(place.home))
    return Phase(change.name, seconds, gaps, restarts)


def _table(result: Result) -> Table:
    topics = sorted({topic for phase in result.phases for topic in phase.gaps.longest})
    gaps = (f"{topic.removeprefix('load-')}\ngap" for topic in topics)
    columns = ("took", "nodes\nreplaced", "restarts", "ratio", *gaps)
    table = Table(Column("change", no_wrap=True), *columns, box=None, padding=(0, 2, 0, 0))
    for phase in result.phases:
        longest = (f"{phase.gaps.longest.get(topic, 0.0):.2f} s" for topic in topics)
        table.add_row(
            phase.change,
            f"{phase.seconds:.0f} s",
            str(len(phase.restarts) or ""),
            f"{sum(phase.restarts):.0f} s" if phase.restarts else "",
            f"{phase.ratio:.2f}" if phase.ratio else "",
            *longest,
        )
    return table


def main(
    records: Annotated[int, typer.Option(help="How many records there are at least.")] = 1_000_000,
    rate: Annotated[float, typer.Option(help="Records a second while changes are made.")] = _RATE,
    only: Annotated[
        list[str] | None, typer.Option(help="A change to make; repeatable.  [default: all]")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Where the sandbox is kept meanwhile.")] = None,
) -> None:
    """Change a service in every way under load, and read every acknowledged record back."""
    console = Console(highlight=False, emoji=False)
    narrate = narrator(console)

    unknown = set(only or []) - {change.name for change in CHANGES}
    if unknown:
        raise typer.BadParameter(f"no such change: {', '.join(sorted(unknown))}", param_hint="only")
    changes = [change for change in CHANGES if not only or change.name in only]
    with stage(home or default_cache() / "soak", narrate) as place:
        start_at_oldest(place)
        result = run(place, changes, records, narrate, rate=rate)
        if not place.sandbox.diskless:
            narrate(f"no diskless topic: {place.sandbox.diskless_reason}")
    console.print(_table(result))
    for claim in result.broken_claims:
        console.print(claim, style="red", markup=False, soft_wrap=True)
    console.print(result.line, soft_wrap=True)
    sys.exit(0 if result.passed else 1)


if __name__ == "__main__":
    typer.run(main)
