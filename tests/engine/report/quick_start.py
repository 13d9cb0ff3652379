"""The quick-start as a project that pull requests change, deployed by the real engine."""

import difflib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from inkless_pulumi.report.plan import Plan
from inkless_pulumi.report.reading import read_plan
from inkless_pulumi.sandbox.environment import STAND_INS

EXAMPLE = Path(__file__).parents[3] / "examples" / "aws-quickstart"
PLUGINS = Path(__file__).parents[1] / "plugins"
REGION = "us-east-1"
Edit = tuple[str, str]


@dataclass(frozen=True)
class Ran:
    """What a run of the engine told."""

    events: str
    output: str
    exit_code: int

    @property
    def plan(self) -> Plan:
        """The events read as a preview."""
        return read_plan(self.events, self.exit_code)


class Project:
    """A project whose stack is selected, and what the engine tells of it."""

    def __init__(self, directory: Path, program: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self._program = program / "__main__.py"
        self._environment = {
            **environment,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
        }

    @property
    def text(self) -> str:
        """The program."""
        return self._program.read_text()

    def write(self, text: str) -> None:
        """Change the program."""
        self._program.write_text(text)

    def preview(self) -> Ran:
        """What an update would do."""
        return self._run("preview")

    def digest(self) -> Ran:
        """The same in the engine's other form."""
        done = self.pulumi("preview", "--json", "--show-sames", check=False)
        return Ran(done.stdout, done.stderr, done.returncode)

    def up(self) -> Ran:
        """Do it."""
        return self._run("up", "--yes", "--skip-preview")

    def preview_destroy(self) -> Ran:
        """What the removal of the stack would do."""
        return self._run("destroy", "--preview-only")

    def destroy(self) -> Ran:
        """Remove the stack's resources."""
        return self._run("destroy", "--yes", "--skip-preview")

    def _run(self, *command: str) -> Ran:
        with tempfile.TemporaryDirectory(prefix="inkless-events-") as directory:
            events = Path(directory) / "events"
            done = self.pulumi(*command, "--event-log", str(events), check=False)
            return Ran(events.read_text(), done.stdout + done.stderr, done.returncode)

    def pulumi(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command of the engine."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done


class QuickStart(Project):
    """A copy of the quick-start, and one stack of it."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        project = directory / "project"
        self.backend = {
            "PATH": environment["PATH"],
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_BACKEND_URL": (directory / "state").as_uri(),
        }
        """What it takes to reach the stack's state, and not to decrypt it."""
        super().__init__(
            project,
            project,
            {
                **os.environ,
                "PULUMI_CONFIG_PASSPHRASE": "for tests",
                **environment,
                **self.backend,
            },
        )
        (directory / "state").mkdir()
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__"))
        settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
        plugins = {"aws": STAND_INS, "inkless": PLUGINS}
        settings["plugins"] = {
            "providers": [{"name": name, "path": str(path)} for name, path in plugins.items()]
        }
        (project / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        self.pulumi("stack", "init", "production")
        self.pulumi("config", "set", "aws:region", REGION)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """A program with passages replaced; each must be there once."""
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times in the program: {old}"
        text = text.replace(old, new)
    return text


def difference(old: str, new: str) -> str:
    """The lines that a change removes and adds, as a pull request shows them."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=1, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
