"""Programs run by our own language host, with the real command line of the engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.toolchain import Toolchain, find_or_make_engine


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find_or_make_engine(default_cache(), print)


class Project:
    """A Pulumi project in a directory, with one stack."""

    def __init__(self, directory: Path, toolchain: Toolchain) -> None:
        self.directory = directory
        host = directory / "bin" / "pulumi-language-python"
        host.parent.mkdir()
        module = "inkless_pulumi.sandbox.language_host"
        host.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m {module} "$@"\n')
        host.chmod(0o755)
        (directory / "state").mkdir()
        (directory / "Pulumi.yaml").write_text("name: hosted\nruntime: python\n")
        path = os.pathsep.join([str(host.parent), toolchain.environment()["PATH"]])
        self._environment = {
            **os.environ,
            **toolchain.environment(),
            "PATH": path,
            "PULUMI_BACKEND_URL": (directory / "state").as_uri(),
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "for tests",
        }
        assert self.pulumi("stack", "init", "test").returncode == 0

    def pulumi(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    def write(self, program: str, **modules: str) -> None:
        for name, text in {"__main__": program, **modules}.items():
            (self.directory / f"{name}.py").write_text(text)


@pytest.fixture
def project(tmp_path: Path, toolchain: Toolchain) -> Project:
    return Project(tmp_path, toolchain)


def test_an_update_runs_the_programs_modules_again_after_its_preview(project: Project) -> None:
    project.write("import parts", parts="import pulumi\npulumi.export('made', 1)\n")
    done = project.pulumi("up", "--yes")
    assert done.returncode == 0, done.stdout
    assert project.pulumi("stack", "output", "made").stdout.strip() == "1"
    again = project.pulumi("up", "--yes", "--expect-no-changes")
    assert again.returncode == 0, again.stdout
    assert project.pulumi("stack", "output", "made").stdout.strip() == "1"


def test_what_a_program_prints_is_shown(project: Project) -> None:
    project.write("print('said by the program')")
    assert "said by the program" in project.pulumi("preview").stdout


def test_a_run_error_is_its_message_only(project: Project) -> None:
    project.write("import pulumi\nraise pulumi.RunError('zones: two are too few')")
    done = project.pulumi("preview")
    assert done.returncode != 0
    assert "error: zones: two are too few" in done.stdout
    assert "Traceback" not in done.stdout
    assert "unhandled" not in done.stdout


def test_a_mistake_in_a_program_is_shown_where_it_is(project: Project) -> None:
    project.write("import parts", parts="\nundefined_name\n")
    done = project.pulumi("preview")
    assert done.returncode != 0
    assert 'parts.py", line 2' in done.stdout
    assert "NameError: name 'undefined_name' is not defined" in done.stdout
    assert "runpy" not in done.stdout
    assert "language_host" not in done.stdout


def test_a_program_that_exits_does_not_pass_for_one_that_ended_well(project: Project) -> None:
    project.write("import os\nos._exit(3)")
    done = project.pulumi("preview")
    assert done.returncode != 0
    assert "ended with code 3" in done.stdout


def test_the_interrupt_that_ends_the_host_does_not_reach_the_program(project: Project) -> None:
    # The engine interrupts the host's group when a preview is refused. A program that still waits
    # then told of a KeyboardInterrupt, as if it were wrong; now and then a report said so.
    project.write("import os; print('alone:', os.getpgid(0) != os.getpgid(os.getppid()))")
    assert "alone: True" in project.pulumi("preview").stdout


def test_a_virtual_environment_that_is_not_there_is_named(project: Project) -> None:
    (project.directory / "Pulumi.yaml").write_text(
        "name: hosted\nruntime:\n  name: python\n  options:\n    virtualenv: missing\n"
    )
    project.write("print('must not run')")
    done = project.pulumi("preview")
    assert done.returncode != 0
    assert "missing/bin/python" in done.stdout
