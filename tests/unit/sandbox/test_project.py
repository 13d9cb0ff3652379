"""A project of the sandbox's own over the program of another."""

from pathlib import Path

import pytest
import yaml

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.project import write_project


def written(directory: Path, project: Path) -> dict[str, object]:
    write_project(directory, project)
    settings: dict[str, object] = yaml.safe_load((directory / "Pulumi.yaml").read_text())
    return settings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "theirs"
    directory.mkdir()
    (directory / "__main__.py").touch()
    return directory


def test_it_runs_the_other_projects_program(tmp_path: Path, project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
    settings = written(tmp_path / "ours", project)
    assert settings["name"] == "theirs"
    assert (tmp_path / "ours" / str(settings["main"]) / "__main__.py").samefile(
        project / "__main__.py"
    )


def test_a_program_in_a_directory_of_its_own_is_found(tmp_path: Path, project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: theirs\nruntime: python\nmain: source\n")
    assert written(tmp_path / "ours", project)["main"] == "program/source"


def test_a_virtual_environment_is_still_the_other_projects(tmp_path: Path, project: Path) -> None:
    (project / "Pulumi.yaml").write_text(
        "name: theirs\nruntime:\n  name: python\n  options:\n    virtualenv: venv\n"
    )
    assert written(tmp_path / "ours", project)["runtime"] == {
        "name": "python",
        "options": {"virtualenv": str(project / "venv")},
    }


def test_the_other_project_stays_untouched(tmp_path: Path, project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
    written(tmp_path / "ours", project)
    written(tmp_path / "ours", project)
    assert {path.name for path in project.iterdir()} == {"Pulumi.yaml", "__main__.py"}
    assert (project / "Pulumi.yaml").read_text() == "name: theirs\nruntime: python\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "is not a Pulumi project"), ("a: [", "is not YAML"), ("5", "describes no project")],
)
def test_what_is_no_project_is_refused(
    tmp_path: Path, project: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (project / "Pulumi.yaml").write_text(text)
    with pytest.raises(SandboxError, match=message):
        write_project(tmp_path / "ours", project)
