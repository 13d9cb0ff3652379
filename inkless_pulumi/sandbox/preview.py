"""A preview without an account: no credentials, no container, nothing left on disk.

The stack, its configuration and the engine's own files live in a temporary directory, the cloud's
plugin is a stand-in that writes nothing down, and the program is run where it lies.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from inkless_pulumi.sandbox.environment import recorded_environment, stand_in_path
from inkless_pulumi.sandbox.making import Progress, default_cache
from inkless_pulumi.sandbox.project import write_project
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack
from inkless_pulumi.sandbox.toolchain import find_or_make_engine

__all__ = ["preview"]

_STACK = "preview"


def preview(
    project: Path, config: Mapping[str, str], console: Console, *, progress: Progress
) -> None:
    """Show what the program of a Pulumi project would create in an empty account.

    Args:
        project: the directory with `Pulumi.yaml`.
        config: the stack's configuration, `aws:region` among it.
        console: where the engine's words go.
        progress: told each step that takes time.

    Raises:
        SandboxError: there is no project, or the engine refused the program; it says why itself.
        ToolchainError: there is no engine, and none could be made.
    """
    with tempfile.TemporaryDirectory(prefix="inkless-preview-") as name:
        directory = Path(name)
        write_project(directory, project)
        toolchain = find_or_make_engine(default_cache(), progress).environment()
        stack = PulumiStack(directory, _STACK, _environment(directory, toolchain))
        stack.create(config)
        stack.preview(console)


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
