"""A report for a person at a terminal, with colour where there is one."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from inkless_pulumi.report.assessment import Report, Status
from inkless_pulumi.report.findings import Finding, Level
from inkless_pulumi.report.gates import Tripped
from inkless_pulumi.report.writing import cut, grouped, segments

__all__ = ["show"]

_MOST = 12
_STYLES: dict[Status, str] = {
    "incomplete": "bold red",
    "refused": "bold red",
    "data-loss": "bold red",
    "downtime": "bold red",
    "wider-access": "bold red",
    "at-risk": "bold yellow",
    "safe": "bold green",
    "no-changes": "bold green",
}
_LEVELS = {Level.DANGER: "red", Level.WARNING: "yellow", Level.NOTICE: "", Level.INFO: "dim"}
_SIGNS = {"+": "yellow", "-": "cyan"}


def show(report: Report, console: Console, stops: Iterable[Tripped] = ()) -> None:
    """Print a report."""
    lead, colon, rest = report.verdict.partition(": ")
    verdict = Text(lead, style=_STYLES[report.status])
    verdict.append(colon, style="")
    verdict.append_text(_text(f"{rest}."))
    console.print(verdict)
    for stop in (one for one in stops if one.gate not in ("incomplete", "refused")):
        console.print(Text(f"stopped by {stop.gate}: ", style="bold red") + _text(stop.reason))
    _section(console, "At risk", report.at_risk)
    _section(console, "What else happens", report.others)
    if report.said:
        console.print()
        console.print(Text("The engine said", style="bold"))
        for said in report.said:
            style = {"error": "red", "warning": "yellow"}.get(said.severity, "")
            plain = "".join(one for one in said.message if one.isprintable() or one == "\n")
            console.print(Padding(Text(plain, style=style), (0, 0, 0, 2), expand=False))
    if report.limits:
        console.print()
        console.print(Text("What this preview can't know", style="bold"))
        for line in report.limits:
            console.print(Padding(_text(f"- {line}."), (0, 0, 0, 2), expand=False))


def _section(console: Console, title: str, findings: tuple[Finding, ...]) -> None:
    if not findings:
        return
    console.print()
    console.print(Text(title, style="bold"))
    for finding in findings:
        mark = "●" if finding.level >= Level.WARNING else "·"
        end = ":" if finding.details else "."
        line = Text(f"{mark} ", style=_LEVELS[finding.level])
        line.append_text(_text(f"{finding.title}{end}"))
        console.print(Padding(line, (0, 0, 0, 2), expand=False))
        for detail in cut(grouped(finding.details), _MOST):
            style = _SIGNS.get(detail[:1], "dim") if detail[1:2] == " " else "dim"
            console.print(Padding(_text(detail, style), (0, 0, 0, 6), expand=False))


def _text(text: str, style: str = "") -> Text:
    """A text with its names standing out."""
    shown = Text(style=style)
    for part, marked in segments(text):
        shown.append(part, style="bold" if marked else None)
    return shown
