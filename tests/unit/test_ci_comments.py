"""The comment that the templates for CI write: one, kept up to date, and nobody else's touched.

Their scripts run as they are, against the hosts' APIs on loopback.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.hosts import Comment, GitHub, GitLab, Host, serving
from tests.ci.pipelines import GitHubPipeline, GitLabPipeline, Pipeline
from tests.ci.running import Run

MISSING = [name for name in ("curl", "jq") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the runners have {MISSING}; here is none")

MARKER = "<!-- inkless-pulumi preview-report: ./production -->"
REPORT = "<!-- inkless-pulumi preview-report: any -->\n### Kafka preview\n\n**{}**.\n"


@pytest.fixture(params=["GitHub", "GitLab"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pipeline]:
    if request.param == "GitHub":
        with serving(GitHub()) as github:
            yield GitHubPipeline(github, tmp_path)
    else:
        with serving(GitLab()) as gitlab:
            yield GitLabPipeline(gitlab, tmp_path)


def run(pipeline: Pipeline, report: str | Path | None, **differently: str) -> Run:
    """Run the job that comments, after the other has left a report."""
    pipeline.leave(report)
    return pipeline.comment(**differently)


def written(host: Host) -> list[str]:
    return [request.method for request in host.requests if request.method != "GET"]


def test_there_is_one_comment_and_it_is_updated(pipeline: Pipeline) -> None:
    first = run(pipeline, REPORT.format("Data is lost"))
    assert first.exit_code == 0, first.output
    second = run(pipeline, REPORT.format("No risk found"))
    assert second.exit_code == 0, second.output
    (comment,) = pipeline.host.comments
    assert comment.author == pipeline.host.me
    assert comment.body == (
        f"{MARKER}\n### Kafka preview\n\n**No risk found**.\n\n<sub>of commit abc123</sub>\n"
    )
    assert len(written(pipeline.host)) == 2


def test_comments_of_others_stay_even_if_they_begin_like_ours(pipeline: Pipeline) -> None:
    host = pipeline.host
    others = [
        host.say("mallory", f"{MARKER}\nNo risk found."),
        host.say(host.me, "Something else that the same account says."),
        host.say(host.me, f"> {MARKER}\nquoted"),
        host.say(host.me, MARKER.replace("production", "staging") + "\nof another stack"),
        host.say("mallory", ""),
    ]
    before = [Comment(one.id, one.author, one.body) for one in others]
    for _ in range(2):
        assert run(pipeline, REPORT.format("Data is lost")).exit_code == 0
    assert host.comments[:-1] == before
    assert len(host.comments) == len(before) + 1
    assert "Data is lost" in host.comments[-1].body


@pytest.mark.parametrize("place", [0, 100, 249])
def test_the_comment_is_found_among_hundreds(pipeline: Pipeline, place: int) -> None:
    host = pipeline.host
    for number in range(250):
        if number == place:
            ours = host.say(host.me, f"{MARKER}\nold")
        else:
            host.say("somebody", f"comment {number}")
    assert run(pipeline, REPORT.format("Data is lost")).exit_code == 0
    assert len(host.comments) == 250
    assert "Data is lost" in ours.body


@pytest.mark.parametrize(("there", "method"), [(False, "POST"), (True, "write"), (True, "GET")])
def test_a_host_that_refuses_fails_the_job_and_is_named(
    pipeline: Pipeline, there: bool, method: str
) -> None:
    host = pipeline.host
    if there:
        host.say(host.me, f"{MARKER}\nold")
    methods = ["PATCH", "PUT"] if method == "write" else [method]
    host.failing = dict.fromkeys(methods, 403)
    done = run(pipeline, REPORT.format("Data is lost"))
    assert done.exit_code != 0
    assert "refuses" in done.output
    assert "not today" in done.output, "what the host says"
    assert [one.body for one in host.comments] == ([f"{MARKER}\nold"] if there else [])


def test_a_host_that_is_not_there_fails_the_job(pipeline: Pipeline) -> None:
    pipeline.host.address = "http://127.0.0.1:1"
    # Connections that are refused are not tried again, so this takes no time.
    done = run(pipeline, REPORT.format("Data is lost"))
    assert done.exit_code != 0
    assert "Failed to connect" in done.output


def test_a_token_that_is_wrong_fails_the_job(pipeline: Pipeline) -> None:
    token = {"github.token": "wrong", "KAFKA_PREVIEW_TOKEN": "wrong"}
    done = run(pipeline, REPORT.format("Data is lost"), **token)
    assert done.exit_code != 0
    assert "Bad credentials" in done.output


def test_the_token_is_on_no_command_line_and_in_no_output(pipeline: Pipeline) -> None:
    for failing in ({}, {"PATCH": 403, "PUT": 403}):
        pipeline.host.failing = dict(failing)
        done = run(pipeline, REPORT.format("Data is lost"))
        assert pipeline.host.requests
        assert "--request\nPOST" in done.commands or failing, "the calls are written down"
        assert pipeline.host.token not in done.commands + done.output


def test_a_preview_that_left_no_report_takes_the_place_of_the_old_one(pipeline: Pipeline) -> None:
    assert run(pipeline, REPORT.format("No risk found")).exit_code == 0
    assert run(pipeline, None).exit_code == 0
    (comment,) = pipeline.host.comments
    assert "No risk found" not in comment.body
    assert "**Incomplete**: there is no report of this commit" in comment.body


def test_the_report_of_a_fork_says_so(pipeline: Pipeline) -> None:
    report = REPORT.replace("any", "--> <!-- whatever").format("No risk found")
    if isinstance(pipeline.host, GitHub):
        pipeline.host.head = "mallory:change"
    done = run(pipeline, report, **pipeline.of_a_fork)
    assert done.exit_code == 0, done.output
    (comment,) = pipeline.host.comments
    lines = comment.body.splitlines()
    assert lines[0] == MARKER, "ours, and not what the fork wrote"
    assert lines[1].startswith("> From a fork: its own code made this")


@pytest.mark.parametrize("text", ["", "hello\n", "\n<!-- inkless-pulumi preview-report: x -->\n"])
def test_what_is_no_report_is_not_said(pipeline: Pipeline, text: str) -> None:
    done = run(pipeline, text)
    assert done.exit_code == 1
    assert "The artifact is no report" in done.output
    assert pipeline.host.comments == []


def test_a_link_is_no_report(pipeline: Pipeline) -> None:
    secret = pipeline.place / "secret"
    secret.write_text(REPORT.format("a file of the runner's"))
    assert run(pipeline, secret).exit_code == 0
    assert "**Incomplete**" in pipeline.host.comments[0].body


def test_a_report_in_disguise_runs_nothing(pipeline: Pipeline) -> None:
    report = REPORT.format("$(touch run) `touch run` %s %n \\x41 '; touch run; '\"")
    assert run(pipeline, report).exit_code == 0
    (comment,) = pipeline.host.comments
    assert report.splitlines()[3] in comment.body
    assert not [*pipeline.place.rglob("run")]


def test_a_commit_that_was_overtaken_is_not_spoken_of(pipeline: Pipeline) -> None:
    pipeline.host.commit = "def456"
    done = run(pipeline, REPORT.format("No risk found"))
    assert done.exit_code == 0
    assert "abc123, so there is nothing to" in done.output
    assert pipeline.host.comments == []


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubPipeline]:
    with serving(GitHub()) as host:
        yield GitHubPipeline(host, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("event", "push"), ("event", "pull_request_target"), ("conclusion", "cancelled")],
)
def test_other_runs_are_not_commented_on(github: GitHubPipeline, name: str, value: str) -> None:
    done = run(github, REPORT.format("x"), **{f"github.event.workflow_run.{name}": value})
    assert done.ran == []
    assert github.host.requests == []


def test_a_run_that_succeeded_without_a_preview_leaves_the_comment(github: GitHubPipeline) -> None:
    assert run(github, REPORT.format("Data is lost")).exit_code == 0
    done = run(github, None, **{"github.event.workflow_run.conclusion": "success"})
    assert done.exit_code == 0
    assert "The run has made no preview" in done.output
    assert "Data is lost" in github.host.comments[0].body


def test_the_service_may_have_any_name(github: GitHubPipeline) -> None:
    github.inputs |= {"project": "infra/kafka", "stack": "acme/shop/production"}
    done = run(github, None)
    assert done.exit_code == 0, done.output
    marker = "<!-- inkless-pulumi preview-report: infra/kafka/acme/shop/production -->"
    assert github.host.comments[0].body.startswith(marker)


def test_a_branch_with_odd_letters_is_asked_for_as_it_is(github: GitHubPipeline) -> None:
    github.host.head = "acme:fix&state=closed#1 ä"
    branch = {"github.event.workflow_run.head_branch": "fix&state=closed#1 ä"}
    assert run(github, REPORT.format("x"), **branch).exit_code == 0
    assert len(github.host.comments) == 1


def test_without_its_token_the_note_says_what_is_missing(tmp_path: Path) -> None:
    with serving(GitLab()) as host:
        done = run(GitLabPipeline(host, tmp_path), REPORT.format("x"), KAFKA_PREVIEW_TOKEN="")
    assert done.exit_code == 1
    assert "There is no KAFKA_PREVIEW_TOKEN in the environment kafka-preview" in done.output
