"""A service with brokers of its own, which grows and shrinks."""

import pytest

from tests.engine.report.conftest import Deployment
from tests.engine.report.playing import play
from tests.engine.report.pull_requests import SCALED, SCALING, PullRequest


@pytest.mark.parametrize("request_", [SCALED, *SCALING], ids=lambda one: one.name)
def test_a_service_grows_and_shrinks_as_its_report_says(
    deployment: Deployment, request_: PullRequest
) -> None:
    play(deployment, request_)
