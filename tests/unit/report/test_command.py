"""The command line `inkless-pulumi preview-report`, over files and over a stand-in for `pulumi`."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.report.previews import CLASSIC, delete, digest, events, topic

LOSS = delete(CLASSIC, "orders", topic("orders"))


def run(
    directory: Path, *arguments: str, given: str = "", path: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command as a pipeline would."""
    search = os.environ["PATH"] if path is None else f"{path}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return subprocess.run(
        [sys.executable, "-m", "inkless_pulumi.cli", "preview-report", *arguments],
        cwd=directory,
        env={**os.environ, "PATH": search, "COLUMNS": "200"},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def engine(directory: Path, script: str) -> Path:
    """A directory for PATH, with a `pulumi` of a few lines in it."""
    directory.mkdir()
    command = directory / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return directory


def test_a_preview_is_read_from_a_file_and_written_in_each_form(tmp_path: Path) -> None:
    (tmp_path / "preview.json").write_text(digest(LOSS))
    options = ("--markdown", "comment.md", "--json", "report.json", "--fail-on", "data-loss")
    done = run(tmp_path, "preview.json", *options)
    assert done.returncode == 10
    assert done.stdout.startswith("Data is lost: 1 topic is deleted with all records")
    assert "`orders`" in (tmp_path / "comment.md").read_text()
    assert json.loads((tmp_path / "report.json").read_text())["status"] == "data-loss"


def test_a_preview_is_read_from_standard_input(tmp_path: Path) -> None:
    done = run(tmp_path, "-", "--json", "-", given=events(LOSS))
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "data-loss", "nothing else is on standard output"


@pytest.mark.parametrize("given", ["", "not a preview", digest(LOSS)[:90], "\udcff\x00"])
def test_what_is_no_preview_has_its_own_exit_status_and_a_report(
    tmp_path: Path, given: str
) -> None:
    (tmp_path / "preview").write_text(given, "utf-8", errors="surrogateescape")
    done = run(tmp_path, "preview", "--markdown", "comment.md")
    assert done.returncode == 20
    assert "Incomplete, so don't rely on it" in (tmp_path / "comment.md").read_text()


def test_the_exit_status_of_a_preview_makes_it_incomplete(tmp_path: Path) -> None:
    (tmp_path / "preview.json").write_text(digest())
    assert run(tmp_path, "preview.json", "--preview-exit-code", "0").returncode == 0
    assert run(tmp_path, "preview.json", "--preview-exit-code", "255").returncode == 20


def test_the_preview_is_run_where_no_file_is_given(tmp_path: Path) -> None:
    (tmp_path / "told").write_text(events(LOSS))
    path = engine(
        tmp_path / "bin", f'echo "Previewing"; test "$2" = --event-log && cat {tmp_path}/told >"$3"'
    )
    done = run(tmp_path, "--stack", "production", "--fail-on", "data-loss", path=path)
    assert done.returncode == 10, done.stderr
    assert "Previewing" in done.stderr, "the engine's own words are progress"
    assert "1 topic is deleted" in done.stdout


def test_a_preview_that_fails_half_way_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "told").write_text("\n".join(events(LOSS).splitlines()[:2]))
    path = engine(tmp_path / "bin", f'cat {tmp_path}/told >"$3"; exit 255')
    done = run(tmp_path, path=path)
    assert done.returncode == 20
    assert "the stream ends before the preview did" in done.stdout
    assert "exit status 255" in done.stdout


def test_an_engine_that_does_not_begin_is_an_error_with_its_own_words(tmp_path: Path) -> None:
    path = engine(tmp_path / "bin", 'echo "error: no Pulumi.yaml" >&2; exit 255')
    done = run(tmp_path, path=path)
    assert done.returncode == 1
    assert "`pulumi preview` did not begin (exit status 255)" in done.stderr
    assert "no Pulumi.yaml" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.json",), "the preview can't be read: No such file or directory: nowhere.json"),
        (("-", "--host", "bitbucket"), "there are github, gitlab"),
        (("-", "--fail-on", "everything"), "there are data-loss, downtime, wider-access and cost"),
        (("-", "--markdown", "-", "--json", "-"), "only one can be on standard output"),
        (("-", "--prices", "nowhere.json"), "the prices can't be read"),
        (("-", "--markdown", "no/such/directory.md"), "the report can't be written"),
        (("--project", "nowhere"), "there is no directory nowhere"),
    ],
)
def test_a_wrong_option_is_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, *arguments, given=digest())
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_schema_is_printed(tmp_path: Path) -> None:
    done = run(tmp_path, "--schema")
    assert json.loads(done.stdout)["title"] == "ReportDocument"
