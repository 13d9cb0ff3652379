"""The workflows for CI: least permissions, and one comment that is kept up to date."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).parents[1].parent
WORKFLOWS = CHECKOUT / ".github" / "workflows"
GITLAB = CHECKOUT / "ci" / "kafka-preview.gitlab-ci.yml"
MARKER = "<!-- inkless-pulumi preview-report: ./production -->"
GH = """\
#!/bin/sh
# Answers what is there, and writes down what is changed.
case "$*" in
    *"-F body"*) echo "$@" >>"$CALLS"; cat comment.md >>"$CALLS" ;;
    *"/pulls"*) echo '[{"number": 7, "head": {"sha": "abc"}}]' ;;
    *) cat "$COMMENTS" ;;
esac
"""


def workflow(name: str) -> dict[str, Any]:
    """A workflow of GitHub's."""
    found = yaml.safe_load((WORKFLOWS / name).read_text())
    assert isinstance(found, dict)
    return found


def comment_script(name: str) -> str:
    """The shell script that writes the comment."""
    steps = workflow(name)["jobs"]["comment"]["steps"]
    return str(next(step["run"] for step in steps if step.get("name") == "Comment"))


@pytest.mark.parametrize("name", ["kafka-preview.yml", "kafka-preview-comment.yml"])
def test_who_can_write_runs_nothing_of_a_pull_request(name: str) -> None:
    found = workflow(name)
    assert found["permissions"] == {}, "none but what a job asks for"
    for job in found["jobs"].values():
        writes = [what for what, how in job["permissions"].items() if how == "write"]
        checks_out = any("checkout" in step.get("uses", "") for step in job["steps"])
        assert writes == (["id-token"] if checks_out else ["pull-requests"])
    assert "persist-credentials: false" in (WORKFLOWS / "kafka-preview.yml").read_text()


@pytest.mark.parametrize("name", ["kafka-preview.yml", "kafka-preview-comment.yml"])
def test_no_script_is_made_of_what_a_pull_request_says(name: str) -> None:
    for job in workflow(name)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "values come through the environment"


@pytest.mark.parametrize("name", ["kafka-preview.yml", "kafka-preview-comment.yml"])
@pytest.mark.parametrize("there", [True, False])
def test_there_is_one_comment_and_it_is_updated(tmp_path: Path, name: str, there: bool) -> None:
    if shutil.which("jq") is None:
        pytest.skip("there is no jq, which GitHub's runners have")
    gh = tmp_path / "gh"
    gh.write_text(GH)
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    mine = {"id": 42, "user": {"login": "github-actions[bot]"}, "body": f"{MARKER}\nold"}
    others = [
        {"id": 1, "user": {"login": "somebody"}, "body": f"{MARKER}\nnot ours"},
        {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "another one"},
    ]
    listed = [*others, *([mine] if there else [])]
    (tmp_path / "comments.json").write_text(json.dumps(listed))
    (tmp_path / "comment.md").write_text(f"{MARKER}\n### Kafka preview\n")
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", comment_script(name)],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(tmp_path / "calls"),
            "COMMENTS": str(tmp_path / "comments.json"),
            "REPOSITORY": "acme/shop",
            "NUMBER": "7",
            "SHA": "abc",
            "OWNER": "fork",
            "BRANCH": "change",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    calls = (tmp_path / "calls").read_text()
    wanted = "comments/42" if there else "issues/7/comments"
    assert wanted in calls.splitlines()[0]
    assert MARKER in calls


def test_the_job_with_the_token_runs_nothing_of_a_merge_request() -> None:
    head, content = yaml.safe_load_all(GITLAB.read_text())
    assert "stack" in head["spec"]["inputs"]
    assert content["kafka-preview-note"]["variables"]["GIT_STRATEGY"] == "none"
    assert "KAFKA_PREVIEW_TOKEN" not in str(content["kafka-preview"])
    assert "environment" not in content["kafka-preview"]
