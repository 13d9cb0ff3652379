"""The quick-start's preview, against a program with as many resources that do nothing."""

import json
import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, median, wall_seconds
from benchmarks.stacks import engine_environment, nothing_project, pulumi
from inkless_pulumi.sandbox.environment import recorded_environment

_TIMES = 5
_CHECKOUT = Path(__file__).parent.parent


def measure() -> list[Figure]:
    """Seconds of `pulumi preview` of an undeployed stack, the median of several."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        environment = _environment(root)
        example = _quick_start(root, environment)
        count = _resources(example, environment)
        nothing = nothing_project(root / "nothing", count, environment)
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
    """An engine whose cloud plugins are stand-ins that record."""
    engine, recorded = engine_environment(root), recorded_environment(None)
    return {**engine, **recorded, "PATH": os.pathsep.join([recorded["PATH"], engine["PATH"]])}


def _quick_start(root: Path, environment: dict[str, str]) -> Path:
    directory = root / "quickstart"
    shutil.copytree(_CHECKOUT / "examples" / "aws-quickstart", directory)
    pulumi(["stack", "init", "benchmark"], directory, environment)
    pulumi(["config", "set", "aws:region", "eu-west-1"], directory, environment)
    return directory


def _resources(directory: Path, environment: dict[str, str]) -> int:
    answer = json.loads(pulumi(["preview", "--json"], directory, environment))
    return int(answer["changeSummary"]["create"])
