"""A Pulumi project of the sandbox's own, whose program is that of another project.

The other project stays untouched: stacks, their configuration and the engine's files are ours.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.environment import STAND_INS

__all__ = ["StackSettings", "stack_settings", "write_project"]


def write_project(directory: Path, project: Path) -> str:
    """Write `Pulumi.yaml` into a directory, for the program of the project in another.

    Returns: the project's name.

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
    return str(settings.get("name", ""))


@dataclass(frozen=True)
class StackSettings:
    """The configuration of a stack, as its file in the project has it."""

    plain: Mapping[str, str] = field(default_factory=dict)
    """What is not secret, structures as JSON."""
    secret: tuple[str, ...] = ()
    """The keys of secrets. Their values are not ours to know."""


def stack_settings(project: Path, stack: str) -> StackSettings:
    """Read `Pulumi.<stack>.yaml` of a project; nothing where there is none.

    Raises SandboxError where it is not YAML.
    """
    path = project / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        return StackSettings()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SandboxError(f"{path} is not YAML: {error}") from error
    config = content.get("config") if isinstance(content, dict) else None
    plain, secret = {}, []
    for key, value in (config or {}).items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            secret.append(key)
        elif isinstance(value, bool):
            plain[key] = "true" if value else "false"
        else:
            plain[key] = value if isinstance(value, str) else json.dumps(value)
    return StackSettings(plain, tuple(secret))


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
