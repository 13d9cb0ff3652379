"""The engine over a recorded AWS account: nothing real behind it, nothing left of it on disk."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from inkless_pulumi.sandbox.environment import recorded_environment
from inkless_pulumi.sandbox.home import Home
from tests.engine.aws.rehearsal import Rehearsal

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture(scope="session", autouse=True)
def _region() -> Iterator[None]:
    """Programs run in this process, and are asked for the region here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_REGION", "eu-west-1")
        yield


def account_environment(directory: Path, rehearsal: Rehearsal) -> Mapping[str, str]:
    """Stand-in for Pulumi's AWS plugin, rehearsed plugin for our own."""
    environment = recorded_environment(Home.at(directory / "sandbox"))
    path = os.pathsep.join([str(PLUGINS), environment["PATH"]])
    return {**environment, "PATH": path, "INKLESS_REHEARSAL": str(rehearsal.directory)}


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    """What the plugin did outside, had it been the real one."""
    return Rehearsal.below(tmp_path)


@pytest.fixture
def engine_environment(tmp_path: Path, rehearsal: Rehearsal) -> Mapping[str, str]:
    return account_environment(tmp_path, rehearsal)
