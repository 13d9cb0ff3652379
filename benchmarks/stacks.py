"""Pulumi projects to be measured, and ones that do nothing to compare with."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.toolchain import find_or_make_engine

__all__ = ["engine_environment", "make_project", "nothing_project", "pulumi"]

_CHECKOUT = Path(__file__).parent.parent
_NOTHING_PROGRAM = """\
import pulumi


class Nothing(pulumi.CustomResource):
    def __init__(self, name):
        super().__init__("nothing:index:Nothing", name, {{"value": name}})


for number in range({count}):
    Nothing(f"nothing-{{number}}")
"""


def engine_environment(root: Path) -> dict[str, str]:
    """Variables under which `pulumi` keeps all of its own below a directory."""
    toolchain = find_or_make_engine(default_cache(), print).environment()
    plugins = [str(_CHECKOUT / "benchmarks" / "nothing"), str(Path(sys.executable).parent)]
    (root / "state").mkdir(exist_ok=True)
    return {
        **os.environ,
        **toolchain,
        "PATH": os.pathsep.join([*plugins, toolchain["PATH"], os.environ["PATH"]]),
        "BENCHMARK_PYTHON": sys.executable,
        "PYTHONPATH": str(_CHECKOUT),
        "PULUMI_BACKEND_URL": (root / "state").as_uri(),
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "for benchmarks",
    }


def make_project(directory: Path, program: str, environment: Mapping[str, str]) -> Path:
    """A project with a program and a stack named `benchmark`."""
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text(f"name: {directory.name}\nruntime: python\n")
    (directory / "__main__.py").write_text(program)
    pulumi(["stack", "init", "benchmark"], directory, environment)
    return directory


def nothing_project(directory: Path, count: int, environment: Mapping[str, str]) -> Path:
    """A project of so many resources that do nothing."""
    return make_project(directory, _NOTHING_PROGRAM.format(count=count), environment)


def pulumi(arguments: list[str], directory: Path, environment: Mapping[str, str]) -> str:
    """Run a command of the engine; answers what it printed."""
    command = ["pulumi", *arguments, "--non-interactive"]
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
