"""Reports of real previews, made by the real engine, compared with what the updates then did."""

import os

import pytest

from inkless_pulumi.report.gates import exit_status, parse_gates, tripped
from tests.engine.report import goldens
from tests.engine.report.claims import broken_claims, cluster
from tests.engine.report.conftest import Deployment
from tests.engine.report.playing import play, report_of
from tests.engine.report.pull_requests import CREATED, PULL_REQUESTS, PullRequest
from tests.engine.report.quick_start import edited

ALL = (CREATED, *PULL_REQUESTS)


@pytest.mark.parametrize("request_", ALL, ids=lambda one: one.name)
def test_a_pull_request_does_what_its_report_says(
    deployment: Deployment, request_: PullRequest
) -> None:
    play(deployment, request_)


def test_the_digest_gives_the_same_report_as_the_events(deployment: Deployment) -> None:
    project, _ = deployment
    text = project.text
    project.write(edited(text, (('"num.network.threads": 5', '"num.network.threads": 6'),)))
    try:
        assert report_of(project.digest()) == report_of(project.preview())
    finally:
        project.write(text)


def test_a_removal_is_reported_and_carried_out(deployment: Deployment) -> None:
    project, rehearsal = deployment
    preview = project.preview_destroy()
    report = report_of(preview)
    assert report.status == "data-loss"
    assert exit_status(tripped(report, parse_gates(["data-loss"]))) == 10
    goldens.check("destroy", goldens.page("The service is removed", "", report, project.directory))
    before = cluster(rehearsal)
    done = project.destroy()
    assert [*broken_claims(preview.plan, report, done, before, cluster(rehearsal))] == []
    assert cluster(rehearsal).topics.all == {}


def test_the_pages_are_listed() -> None:
    from tests.engine.report.pull_requests import SCALED, SCALING

    entries = [(one.name, one.title) for one in (*ALL, SCALED, *SCALING)]
    entries.append(("destroy", "The service is removed"))
    text = goldens.index(entries)
    file = goldens.DIRECTORY / "README.md"
    if goldens.WRITE:
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")
    listed = {f"{name}.md" for name, _ in entries} | {"README.md"}
    assert listed == {*os.listdir(goldens.DIRECTORY)}
