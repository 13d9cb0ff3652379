"""The quick-start's preview, against a program with as many resources that do nothing."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, median, wall_seconds
from inkless_pulumi.sandbox.environment import recorded_environment
from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.toolchain import find_or_make_engine

_TIMES = 5
_CHECKOUT = Path(__file__).parent.parent
_NOTHING_PROGRAM = """\
import pulumi


class Nothing(pulumi.CustomResource):
    def __init__(self, name):
        super().__init__("nothing:index:Nothing", name, {{"value": name}})


for number in range({count}):
    Nothing(f"nothing-{{number}}")
"""


def measure() -> list[Figure]:
    """Seconds of `pulumi preview` of an undeployed stack, the median of several."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        environment = _environment(root)
        example = _quick_start(root, environment)
        count = _resources(example, environment)
        nothing = _nothing(root, environment, count)
        command = ["pulumi", "preview", "--non-interactive", "--stack", "benchmark"]
        # In turns, so that whatever else the machine does hits both alike.
        pairs = [
            (
                wall_seconds(command, example, environment),
                wall_seconds(command, nothing, environment),
            )
            for _ in range(_TIMES)
        ]
    ours = median(iter([pair[0] for pair in pairs]).__next__, _TIMES)
    floor = median(iter([pair[1] for pair in pairs]).__next__, _TIMES)
    return [
        Figure(
            f"preview of the quick-start, {count} resources",
            f"{ours:.1f} s ({ours / floor:.1f}x)",
            f"{floor:.1f} s, {count} resources that do nothing",
            "1.5x",
        )
    ]


def _environment(root: Path) -> dict[str, str]:
    toolchain = find_or_make_engine(default_cache(), print).environment()
    environment = {**os.environ, **toolchain, **recorded_environment(None)}
    path = [str(_CHECKOUT / "benchmarks" / "nothing"), environment["PATH"], toolchain["PATH"]]
    (root / "state").mkdir()
    return {
        **environment,
        "PATH": os.pathsep.join(path),
        "BENCHMARK_PYTHON": sys.executable,
        "PYTHONPATH": str(_CHECKOUT),
        "PULUMI_BACKEND_URL": (root / "state").as_uri(),
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "for benchmarks",
    }


def _pulumi(arguments: list[str], directory: Path, environment: dict[str, str]) -> str:
    command = ["pulumi", *arguments, "--non-interactive"]
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _quick_start(root: Path, environment: dict[str, str]) -> Path:
    directory = root / "quickstart"
    shutil.copytree(_CHECKOUT / "examples" / "aws-quickstart", directory)
    _pulumi(["stack", "init", "benchmark"], directory, environment)
    _pulumi(["config", "set", "aws:region", "eu-west-1"], directory, environment)
    return directory


def _resources(directory: Path, environment: dict[str, str]) -> int:
    answer = json.loads(_pulumi(["preview", "--json"], directory, environment))
    return int(answer["changeSummary"]["create"])


def _nothing(root: Path, environment: dict[str, str], count: int) -> Path:
    directory = root / "nothing"
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text("name: nothing\nruntime: python\n")
    (directory / "__main__.py").write_text(_NOTHING_PROGRAM.format(count=count))
    _pulumi(["stack", "init", "benchmark"], directory, environment)
    return directory
