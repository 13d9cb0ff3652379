"""Every kind of change under load: `make soak`, or `python -m proofs.soak --records 1000000`.

An idempotent producer with acks=all and a consumer go on while the service is changed in one way
after the other. In the end each acknowledged record is read back. The last line sums it up; the
exit status is 0 only if nothing was lost and every record was acknowledged in the end.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from inkless_pulumi.sandbox.demo import narrator
from inkless_pulumi.sandbox.making import default_cache
from proofs.changes import CHANGES, Change
from proofs.load import Gaps, Load, Reading, read_back
from proofs.stage import Stage, Watch, stage

__all__ = ["Result", "run"]

_RATE = 1500.0
_BASELINE_SECONDS = 15.0


@dataclass
class Result:
    """What the load saw."""

    load: Load
    records: int = 0
    acked: int = 0
    reading: Reading = field(default_factory=Reading)
    phases: list[tuple[str, float, Gaps]] = field(default_factory=list)
    """By change: its name, its duration (s), and the gaps in the acknowledgements."""

    @property
    def passed(self) -> bool:
        """Nothing was lost, and a client that tries again got every record through."""
        return self.reading.lost == 0 and self.acked == self.records

    @property
    def line(self) -> str:
        """The one line that sums it up."""
        longest = max((gaps.worst for _, _, gaps in self.phases), default=0.0)
        return (
            f"soak: records={self.records} acked={self.acked} lost={self.reading.lost} "
            f"duplicated={self.reading.duplicated} longest_gap_s={longest:.1f} "
            f"changes={len(self.phases) - 1}"
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
    nothing = Change("no change", lambda _: time.sleep(baseline_seconds))
    for change in (nothing, *changes):
        narrate(f"under load: {change.name}")
        began = time.monotonic()
        with load.phase() as gaps:
            change.make(place)
        result.phases.append((change.name, time.monotonic() - began, gaps))
        narrate(f"  {gaps.acked} records acknowledged, longest gap {gaps.worst:.1f} s")
    narrate(f"producing the rest of {records} records, and reading all back")
    load.finish(records)
    result.records, result.acked = load.sent, load.acked
    result.reading = read_back(place.client(), load.run, load.acked_by_topic())
    return result


def _table(result: Result) -> Table:
    topics = sorted({topic for _, _, gaps in result.phases for topic in gaps.longest})
    table = Table("change", "seconds", "acked", *(f"gap {topic} (s)" for topic in topics))
    for name, seconds, gaps in result.phases:
        longest = (f"{gaps.longest.get(topic, 0.0):.2f}" for topic in topics)
        table.add_row(name, f"{seconds:.0f}", str(gaps.acked), *longest)
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
        result = run(place, changes, records, narrate, rate=rate)
        if not place.sandbox.diskless:
            narrate(f"no diskless topic: {place.sandbox.diskless_reason}")
    console.print(_table(result))
    console.print(result.line, soft_wrap=True)
    sys.exit(0 if result.passed else 1)


if __name__ == "__main__":
    typer.run(main)
