"""A quick-start on a recorded account."""

from pathlib import Path

import pytest

from tests.engine.aws.conftest import account_environment
from tests.engine.aws.rehearsal import Rehearsal
from tests.engine.report.quick_start import QuickStart

Deployment = tuple[QuickStart, Rehearsal]


def quick_start(directory: Path, pulumi_command: Path) -> Deployment:
    """A quick-start that is not deployed yet, and what the plugin does outside for it."""
    rehearsal = Rehearsal.below(directory)
    environment = dict(account_environment(directory, rehearsal))
    environment["PATH"] = f"{environment['PATH']}:{pulumi_command.parent}"
    return QuickStart(directory, environment), rehearsal


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, pulumi_command: Path) -> Deployment:
    """One for a module, whose tests go on where the one before stopped."""
    return quick_start(tmp_path_factory.mktemp("quick-start"), pulumi_command)
