"""Runs `pulumi preview` and gives what its engine tells of it."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inkless_pulumi.core.errors import ReportError

__all__ = ["Preview", "run_preview"]


@dataclass(frozen=True)
class Preview:
    """A preview that was run."""

    events: str
    """The engine's events, a JSON object a line."""
    exit_code: int


def run_preview(
    directory: Path,
    stack: str | None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    relay: Callable[[str], None] = print,
) -> Preview:
    """Run a preview of a stack.

    Args:
        directory: the project's, where `Pulumi.yaml` is.
        stack: the stack's name. Default: the one that is selected.
        options: more options of `pulumi preview`.
        environment: of the command.
        relay: told each line that it prints.

    Raises:
        ReportError: there is no `pulumi`, or it ended before its engine said anything.
    """
    with tempfile.TemporaryDirectory(prefix="inkless-report-") as name:
        log = Path(name) / "events"
        command = ["pulumi", "preview", "--event-log", str(log), "--non-interactive"]
        command += ["--color", "never", *(["--stack", stack] if stack else []), *options]
        said: list[str] = []
        code = _run(command, directory, environment, said, relay)
        events = log.read_text("utf-8") if log.is_file() else ""
        if not events:
            told = "\n".join(said[-20:]) or "it said nothing"
            raise ReportError(f"`pulumi preview` did not begin (exit status {code}):\n{told}")
        return Preview(events, code)


def _run(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    said: list[str],
    relay: Callable[[str], None],
) -> int:
    # The option --event-log is one of those for debugging, which have to be switched on.
    variables = {**environment, "PULUMI_DEBUG_COMMANDS": "true", "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        with subprocess.Popen(
            command,
            cwd=directory,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None  # noqa: S101  a pipe was asked for
            for line in process.stdout:
                said.append(line.rstrip("\n"))
                relay(said[-1])
        return process.returncode
    except FileNotFoundError as error:
        if not directory.is_dir():
            raise ReportError(f"there is no directory {directory}") from error
        raise ReportError(
            "there is no `pulumi` on PATH: install it, or give the report a file with what "
            "`pulumi preview --json --show-sames` printed"
        ) from error
