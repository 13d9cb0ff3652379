"""Gates of a pipeline: what it stops for, and with which exit status.

| status | meaning |
|---|---|
| 0 | nothing that was asked about |
| 1 | the report could not be made: wrong options, no such file, no engine |
| 10 | `--fail-on data-loss` |
| 11 | `--fail-on downtime` |
| 12 | `--fail-on wider-access` |
| 13 | `--fail-on cost=<amount>`: more a month, or not all of it is priced |
| 20 | the preview is not whole; whatever was asked about |
| 21 | the update would be refused; whatever was asked about |

Where several hold, the first of 20, 21, 10, 11, 12, 13 is taken; the report has all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from inkless_pulumi.core.errors import ReportError
from inkless_pulumi.report.assessment import Report
from inkless_pulumi.report.findings import Gate
from inkless_pulumi.report.quantities import money_text

__all__ = ["EXIT_STATUS", "Gates", "Tripped", "exit_status", "parse_gates", "tripped"]

EXIT_STATUS: Final = {
    "incomplete": 20,
    "refused": 21,
    "data-loss": 10,
    "downtime": 11,
    "wider-access": 12,
    "cost": 13,
}
"""In the order in which one is taken."""
_KINDS: Final[dict[str, Gate]] = {
    "data-loss": "data-loss",
    "downtime": "downtime",
    "wider-access": "wider-access",
}


@dataclass(frozen=True)
class Gates:
    """What a pipeline stops for."""

    kinds: frozenset[Gate] = frozenset()
    cost: float | None = None
    """The most that a month may cost more, in the currency of the prices."""


@dataclass(frozen=True)
class Tripped:
    """A gate that stops the pipeline."""

    gate: str
    reason: str


def parse_gates(texts: Iterable[str]) -> Gates:
    """Gates as they are written on the command line: `data-loss`, `cost=50`.

    Raises:
        ReportError: there is no such gate, or the amount is none.
    """
    kinds: set[Gate] = set()
    cost = None
    for text in texts:
        name, _, amount = text.partition("=")
        if name == "cost":
            try:
                cost = float(amount)
            except ValueError:
                raise ReportError(
                    f"--fail-on {text}: give the most that a month may cost more, cost=50"
                ) from None
        elif text in _KINDS:
            kinds.add(_KINDS[text])
        else:
            raise ReportError(f"--fail-on {text}: there are {', '.join(_KINDS)} and cost=<amount>")
    return Gates(frozenset(kinds), cost)


def tripped(report: Report, gates: Gates) -> list[Tripped]:
    """What stops the pipeline, in the order of `EXIT_STATUS`."""
    found = []
    if report.status in ("incomplete", "refused"):
        found.append(Tripped(report.status, report.verdict))
    for kind in _KINDS.values():
        if kind in gates.kinds:
            reasons = [one.brief or one.title for one in report.findings if kind in one.gates]
            found += [Tripped(kind, "; ".join(reasons))] if reasons else []
    if gates.cost is not None:
        total = report.cost.total
        if total is None:
            names = ", ".join(line.what for line in report.cost.unpriced)
            found.append(Tripped("cost", f"not all that changes has a price: {names}"))
        elif total > gates.cost:
            found.append(
                Tripped("cost", f"{money_text(total)} a month, and {gates.cost:g} is the most")
            )
    return found


def exit_status(stops: Iterable[Tripped]) -> int:
    """The exit status for what stops the pipeline; 0 for nothing."""
    names = {stop.gate for stop in stops}
    return next((status for name, status in EXIT_STATUS.items() if name in names), 0)
