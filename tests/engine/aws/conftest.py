"""The engine over a recorded AWS account: nothing real behind it, nothing left of it on disk."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from inkless_pulumi.sandbox.environment import recorded_environment
from inkless_pulumi.sandbox.home import Home
from tests.engine.aws.rehearsal import Rehearsal

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    """What the plugin did outside, had it been the real one."""
    directory = tmp_path / "rehearsal"
    directory.mkdir()
    return Rehearsal(directory)


@pytest.fixture
def engine_environment(
    tmp_path: Path, rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, str]:
    """Stand-in for Pulumi's AWS plugin, rehearsed plugin for our own."""
    # The program runs in this process, and reads the stack's configuration here.
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    environment = recorded_environment(Home.at(tmp_path / "sandbox"))
    path = os.pathsep.join([str(PLUGINS), environment["PATH"]])
    return {**environment, "PATH": path, "INKLESS_REHEARSAL": str(rehearsal.directory)}
