"""The directory of a sandbox."""

from pathlib import Path

import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import home_directory
from inkless_pulumi.sandbox.home import Home, write_whole


def test_the_environment_names_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INKLESS_SANDBOX_HOME", str(tmp_path))
    assert Home.default().root == tmp_path
    monkeypatch.delenv("INKLESS_SANDBOX_HOME")
    monkeypatch.chdir(tmp_path)
    assert Home.default().root == tmp_path / ".inkless-sandbox"


def test_a_directory_with_other_files_is_not_made_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with (
        pytest.raises(SandboxError, match="not empty and no sandbox's"),
        home_directory.locked(Home.at(tmp_path), lambda _: None),
    ):
        raise AssertionError("must not be held")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_directory_that_no_sandbox_made_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    (tmp_path / "logs").mkdir()
    with pytest.raises(SandboxError, match="is not a sandbox's directory"):
        home_directory.refuse_foreign(Home.at(tmp_path))


def test_a_file_of_someone_else_survives_the_removal(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    with home_directory.locked(home, lambda _: None):
        home.logs.mkdir()
        (home.root / "notes.txt").write_text("mine")
        home_directory.remove_files(home)
    assert [path.name for path in home.root.iterdir()] == ["notes.txt"]


def test_an_empty_home_is_removed_whole(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    with home_directory.locked(home, lambda _: None):
        home.logs.mkdir()
        home_directory.remove_files(home)
    assert not home.root.exists()


def test_damaged_settings_are_told_with_the_way_out(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    home.settings_file.write_text("{")
    with pytest.raises(SandboxError, match="sandbox down"):
        home.read_settings()


def test_a_file_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, "text")
    assert path.read_text() == "text"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
