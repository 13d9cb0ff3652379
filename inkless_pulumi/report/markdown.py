"""A report as Markdown (CommonMark with the `<details>` that GitHub and GitLab know).

Names and values, which may come from a pull request, stand in code spans, where neither markup nor
HTML nor a mention means anything.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from inkless_pulumi.report.assessment import Report
from inkless_pulumi.report.findings import Finding, Level
from inkless_pulumi.report.gates import Tripped
from inkless_pulumi.report.plan import Diagnostic
from inkless_pulumi.report.writing import cut, grouped, written

__all__ = ["LIMITS", "markdown"]

LIMITS: Final = {"github": 65_536, "gitlab": 1_000_000}
"""The longest comment that a host takes, in characters."""
_SLACK = 512
"""What a host's own count may differ by."""
_DETAILS: Final = (50, 20, 10, 5, 2, 0)
"""How many lines a finding may have; the first with which the whole fits."""
_KEY: Final = re.compile(r"[^A-Za-z0-9._/-]|--+")
_HEADING: Final = {Level.DANGER: "Danger", Level.WARNING: "Warning"}


def markdown(
    report: Report,
    stops: Iterable[Tripped] = (),
    limit: int = LIMITS["github"],
    key: str | None = None,
) -> str:
    """The report as the text of a comment. Its first line is what it is found by again.

    Args:
        report: the report.
        stops: gates that it does not pass.
        limit: the most characters that the comment may have; lists are cut until it fits.
        key: tells the comment from others. Default: the project's and the stack's name.
    """
    marker = _KEY.sub("-", key or f"{report.project}/{report.stack}")
    stopped = list(stops)
    text = ""
    for most in _DETAILS:
        text = "\n".join(_blocks(report, stopped, most, marker)) + "\n"
        if len(text) <= limit - _SLACK:
            return text
    # Hundreds of findings, or very long words: the end goes, and a folded part must still close.
    note = "\n\n(cut: the rest is in the JSON)\n"
    kept = text[: limit - _SLACK - len(note)].rpartition("\n")[0]
    folded = kept.count("<details>") > kept.count("</details>")
    return kept + ("\n\n</details>" if folded else "") + note


def _blocks(report: Report, stops: list[Tripped], most: int, marker: str) -> Iterator[str]:
    yield f"<!-- inkless-pulumi preview-report: {marker} -->"
    yield f"### Kafka preview{f' of {_code(report.stack)}' if report.stack else ''}"
    yield ""
    lead, _, rest = report.verdict.partition(": ")
    yield f"**{_text(lead)}**{f': {_text(rest)}' if rest else ''}."
    for stop in stops:
        if stop.gate not in ("incomplete", "refused"):  # the verdict says it
            yield ""
            yield f"Stopped by `--fail-on {stop.gate}`: {_text(stop.reason)}."
    if report.at_risk:
        yield ""
        yield "#### At risk"
        yield ""
        for finding in report.at_risk:
            yield from _finding(finding, most, label=_HEADING[finding.level])
    yield from _folded(f"What else happens ({len(report.others)})", report.others, most)
    if report.said:
        errors = [said for said in report.said if said.severity != "warning"]
        words = "What the engine said" if errors else "Warnings"
        yield from _fold(f"{words} ({len(report.said)})", [_quoted(report.said, most)])
    if report.limits:
        lines = [f"- {_text(line)}." for line in report.limits]
        yield from _fold("What this preview can't know", lines)
    counts = ", ".join(f"{number} {name}" for name, number in report.counts)
    yield ""
    yield f"<sub>{counts or 'no resources'}</sub>"


def _folded(summary: str, findings: tuple[Finding, ...], most: int) -> Iterator[str]:
    if findings:
        yield from _fold(summary, [line for one in findings for line in _finding(one, most)])


def _fold(summary: str, lines: list[str]) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{summary}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _finding(finding: Finding, most: int, label: str = "") -> Iterator[str]:
    title = _text(finding.title)
    end = ":" if finding.details and most else "" if title.endswith(".") else "."
    yield f"- {f'**{label}.** ' if label else ''}{title}{end}"
    for line in cut(grouped(finding.details), most):
        yield f"  - {_detail(line)}"


def _detail(line: str) -> str:
    """A line; one that begins with a sign would be a list of its own."""
    sign = line[:2] if line[:2] in ("+ ", "- ") else ""
    shown = {"+ ": "**+** ", "- ": "**-** ", "": ""}[sign]
    text = _text(line[len(sign) :])
    return f"{shown}{text}{'' if text.endswith((':', '.')) else '.'}"


def _quoted(said: tuple[Diagnostic, ...], most: int) -> str:
    lines = [
        f"{one.severity.removesuffix('#err')}: {line}" if place == 0 else line
        for one in said
        for place, line in enumerate(_plain(one.message).splitlines())
    ]
    shown = [line[:400] for line in cut(lines, max(most, 10))]
    fence = "`" * max(3, _longest_run("\n".join(shown)) + 1)
    return "\n".join([f"{fence}text", *shown, fence])


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _text(text: str) -> str:
    return written(text, _code)


def _code(name: str) -> str:
    """A code span, whatever the name holds."""
    fence = "`" * (_longest_run(name) + 1)
    space = " " if name.startswith("`") or name.endswith("`") else ""
    return f"{fence}{space}{name}{space}{fence}"
