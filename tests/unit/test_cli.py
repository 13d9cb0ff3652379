"""The command line: what it says, and what it answers to what is wrong."""

import sys
from pathlib import Path

import pytest

from inkless_pulumi import cli
from inkless_pulumi.sandbox import demo, preview, toolchain


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line; its exit status."""
    monkeypatch.setattr(sys, "argv", ["inkless-pulumi", *arguments])
    monkeypatch.setenv("COLUMNS", "200")
    for variable in ("INKLESS_SANDBOX_HOME", "INKLESS_IMAGE", "KEEP"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_an_error_is_one_clear_message_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "sandbox", "env", "--home", str(tmp_path / "none")) == 1
    said = capsys.readouterr()
    assert "error: there is no sandbox in" in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_the_status_of_no_sandbox_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "sandbox", "status", "--home", str(tmp_path)) == 1
    assert f"There is no sandbox in {tmp_path}." in capsys.readouterr().out


def test_logs_of_an_unknown_part_name_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "sandbox", "logs", "database", "--home", str(tmp_path)) == 1
    assert "there is no part database; there are: none" in capsys.readouterr().err


def test_a_preview_without_a_sandbox_points_to_pulumi(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", ".") == 1
    assert "use `pulumi preview`" in capsys.readouterr().err


def test_a_preview_of_no_project_names_the_directory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "preview", "--sandbox", str(tmp_path)) == 1
    assert f"{tmp_path} is not a Pulumi project" in capsys.readouterr().err


def test_configuration_without_a_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--sandbox", "-c", "zones") == 1
    assert "--config zones: give it as KEY=VALUE" in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupted)
    assert run(monkeypatch, "sandbox", "demo") == 130
    assert "Traceback" not in capsys.readouterr().err


def test_the_demonstration_ends_with_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = demo.Result("registry/kafka@sha256:0", 3, 1000, 1000, 0, "yes", 61.4, 40.0)
    monkeypatch.setattr(demo, "run", lambda *_, **__: result)
    assert run(monkeypatch, "sandbox", "demo") == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "demo: image=registry/kafka@sha256:0 nodes=3 produced=1000 consumed=1000 "
        "second_preview_changes=0 diskless=yes seconds=61"
    )


@pytest.mark.parametrize("command", [["env"], ["configure", "dev"]])
def test_no_engine_is_made_where_there_is_no_sandbox_to_use_it_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    monkeypatch.setattr(toolchain, "find_or_make_engine", no_engine)
    assert run(monkeypatch, "sandbox", *command, "--home", str(tmp_path)) == 1


def test_no_engine_is_made_to_preview_what_is_no_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(preview, "find_or_make_engine", no_engine)
    assert run(monkeypatch, "preview", "--sandbox", str(tmp_path)) == 1


def no_engine(*_: object) -> None:
    raise AssertionError("an engine was asked for")
