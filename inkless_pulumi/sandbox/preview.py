"""A preview without an account: no credentials, no container, nothing left on disk.

The stack, its configuration and the engine's own files live in a temporary directory, the cloud's
plugin is a stand-in that writes nothing down, and the program is run where it lies. The account is
empty, or has what a snapshot of a deployment says.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.environment import recorded_environment, stand_in_path
from inkless_pulumi.sandbox.making import Progress, default_cache
from inkless_pulumi.sandbox.project import StackSettings, stack_settings, write_project
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack
from inkless_pulumi.sandbox.snapshot import Snapshot
from inkless_pulumi.sandbox.toolchain import find_or_make_engine

__all__ = ["LIMITS", "EmulatedStack", "emulated_stack", "preview"]

_STACK = "preview"
LIMITS = (
    "This preview was made in an emulated account: whether the real one has drifted from what is "
    "recorded, its quotas, its capacity and its own policies are not known",
    "Secrets are placeholders in it: whether a secret's value changes is not known",
)
"""What a preview in an emulated account can't tell."""


@dataclass(frozen=True)
class EmulatedStack:
    """A stack in an account that exists for a preview only."""

    directory: Path
    name: str
    environment: Mapping[str, str]

    @property
    def pulumi(self) -> PulumiStack:
        """The stack as a command line."""
        return PulumiStack(self.directory, self.name, self.environment)


def preview(
    project: Path,
    config: Mapping[str, str],
    console: Console,
    *,
    progress: Progress,
    snapshot: Path | None = None,
) -> None:
    """Show what the program of a Pulumi project would do in an emulated account.

    Args:
        project: the directory with `Pulumi.yaml`.
        config: the stack's configuration; it goes before that of the snapshot's stack.
        console: where the engine's words go.
        progress: told each step that takes time.
        snapshot: a file with the recorded state of a deployment. Default: an empty account.

    Raises:
        SandboxError: there is no project, or the engine refused the program; it says why itself.
        ToolchainError: there is no engine, and none could be made.
    """
    with emulated_stack(project, config, progress=progress, snapshot=snapshot) as stack:
        stack.pulumi.preview(console)


@contextmanager
def emulated_stack(
    project: Path,
    config: Mapping[str, str],
    *,
    progress: Progress,
    snapshot: Path | None = None,
) -> Iterator[EmulatedStack]:
    """Make the stack of a preview; it is gone afterwards. The arguments are those of `preview`.

    Raises:
        SandboxError: there is no project, or the snapshot is none of it.
        ToolchainError: there is no engine, and none could be made.
    """
    recorded = Snapshot(snapshot) if snapshot is not None else None
    with tempfile.TemporaryDirectory(prefix="inkless-preview-") as name:
        directory = Path(name)
        written = write_project(directory, project)
        if recorded is not None and recorded.project != written:
            raise SandboxError(
                f"the snapshot is of the project {recorded.project}, and {project} is {written}"
            )
        toolchain = find_or_make_engine(default_cache(), progress).environment()
        chosen = recorded.stack if recorded is not None else _STACK
        stack = EmulatedStack(directory, chosen, _environment(directory, toolchain))
        configured = stack_settings(project, chosen) if recorded is not None else StackSettings()
        stack.pulumi.create({**configured.plain, **config}, configured.secret)
        if recorded is not None:
            stack.pulumi.restore(recorded.content)
        yield stack


def _environment(directory: Path, toolchain: Mapping[str, str]) -> dict[str, str]:
    (directory / "state").mkdir()
    environment = {**os.environ, **toolchain, **recorded_environment(None)}
    return environment | {
        "PATH": stand_in_path(toolchain["PATH"]),
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_BACKEND_URL": (directory / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "of a stack that is never deployed",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PYTHONDONTWRITEBYTECODE": "1",  # nothing is left beside the program
    }
