"""The command `preview-report`: from a preview to files, a screen and an exit status."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from inkless_pulumi.core.errors import ReportError
from inkless_pulumi.report.assessment import assess
from inkless_pulumi.report.document import document_text, schema
from inkless_pulumi.report.gates import Gates, exit_status, parse_gates, tripped
from inkless_pulumi.report.markdown import LIMITS, markdown
from inkless_pulumi.report.prices import PriceTable, list_prices, read_prices
from inkless_pulumi.report.reading import read_plan
from inkless_pulumi.report.running import run_preview
from inkless_pulumi.report.terminal import show

__all__ = ["Options", "Source", "read", "report", "run", "schema_text"]

_STANDARD: Final = Path("-")


@dataclass(frozen=True)
class Source:
    """A preview to report."""

    text: str
    exit_code: int | None
    """None: not known."""
    limits: tuple[str, ...] = ()
    """What a preview made in this way can't know."""


@dataclass(frozen=True)
class Options:
    """What to write, and what to stop for."""

    markdown: Path | None = None
    json: Path | None = None
    key: str | None = None
    host: str = "github"
    fail_on: tuple[str, ...] = ()
    prices: Path | None = None

    def check(self) -> None:
        """Refuse what is wrong before a preview is run for it.

        Raises:
            ReportError: there is no such host or gate, or the prices can't be read.
        """
        if self.host not in LIMITS:
            raise ReportError(f"--host {self.host}: there are {', '.join(LIMITS)}")
        if self.markdown == self.json == _STANDARD:
            raise ReportError("--markdown - and --json -: only one can be on standard output")
        _ = self.gates, self.table

    @property
    def gates(self) -> Gates:
        """What to stop for."""
        return parse_gates(self.fail_on)

    @property
    def table(self) -> PriceTable:
        """The prices."""
        return read_prices(self.prices) if self.prices else list_prices()


def run(
    project: Path,
    stack: str | None,
    relay: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
    limits: tuple[str, ...] = (),
) -> Source:
    """Run the preview of a stack.

    Args:
        project: the directory with `Pulumi.yaml`.
        stack: the stack's name. Default: the one that is selected.
        relay: told each line that the engine prints.
        environment: of the engine.
        limits: what a preview there can't know.

    Raises:
        ReportError: it could not be run.
    """
    preview = run_preview(project, stack, environment=environment, relay=relay)
    return Source(preview.events, preview.exit_code, limits)


def read(path: Path, exit_code: int | None) -> Source:
    """Read what a preview wrote.

    Raises:
        ReportError: there is no such file.
    """
    if path == _STANDARD:
        return Source(sys.stdin.buffer.read().decode("utf-8", "replace"), exit_code)
    try:
        return Source(path.read_bytes().decode("utf-8", "replace"), exit_code)
    except OSError as error:
        raise ReportError(f"the preview can't be read: {error.strerror}: {path}") from error


def report(source: Source, options: Options, console: Console) -> int:
    """Write the report; answers the exit status.

    It is shown on the console where nothing else is asked for on standard output.

    Raises:
        ReportError: a file can't be written.
    """
    found = assess(read_plan(source.text, source.exit_code), options.table, source.limits)
    stops = tripped(found, options.gates)
    if options.markdown is not None:
        limit = LIMITS[options.host]
        _write(options.markdown, markdown(found, stops, limit, options.key))
    if options.json is not None:
        _write(options.json, document_text(found, stops))
    if _STANDARD not in (options.markdown, options.json):
        show(found, console, stops)
    return exit_status(stops)


def _write(path: Path, text: str) -> None:
    if path == _STANDARD:
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ReportError(f"the report can't be written: {error.strerror}: {path}") from error


def schema_text() -> str:
    """The JSON Schema of the report's JSON."""
    return json.dumps(schema(), indent=2) + "\n"
