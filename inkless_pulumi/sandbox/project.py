"""A Pulumi project of the sandbox's own, whose program is that of another project.

The other project stays untouched: stacks, their configuration and the engine's files are ours.
"""

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.environment import STAND_INS

__all__ = ["write_project"]


def write_project(directory: Path, project: Path) -> None:
    """Write `Pulumi.yaml` into a directory, for the program of the project in another.

    It names where the plugins are: the engine warns of those that it finds on PATH.

    Raises SandboxError where the other is no project.
    """
    settings = _project_settings(project)
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "program"  # the engine wants it below the project's directory
    program.unlink(missing_ok=True)
    program.symlink_to(project.resolve(), target_is_directory=True)
    settings["main"] = os.path.join(program.name, str(settings.get("main", "")))
    runtime = settings.get("runtime")
    if isinstance(runtime, dict) and (chosen := (runtime.get("options") or {}).get("virtualenv")):
        runtime["options"]["virtualenv"] = str((project / chosen).resolve())
    ours = {"aws": STAND_INS, "inkless": Path(sys.executable).parent}
    providers = [{"name": name, "path": str(path)} for name, path in ours.items()]
    settings["plugins"] = {"providers": providers}
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def _project_settings(project: Path) -> dict[str, Any]:
    path = project / "Pulumi.yaml"
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SandboxError(
            f"{project} is not a Pulumi project: {error.strerror}: {path}. Name the directory "
            "that has Pulumi.yaml."
        ) from error
    except yaml.YAMLError as error:
        raise SandboxError(f"{path} is not YAML: {error}") from error
    if not isinstance(settings, dict):
        raise SandboxError(f"{path} describes no project.")
    return settings
