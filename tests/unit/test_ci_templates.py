"""The templates for CI: valid, with the least permissions, and called as docs/ci.md says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.running import CHECKOUT, GITLAB, WORKFLOWS, gitlab_jobs, job_of

PREVIEW, COMMENT = "kafka-preview.yml", "kafka-preview-comment.yml"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", (CHECKOUT / "docs" / "ci.md").read_text(), re.DOTALL)
BIN = Path(sys.executable).parent


def validated(schema: str, content: Any, place: Path) -> str:
    """What is wrong with the content of a file by the schema of its host; nothing, if empty."""
    file = place / "file.json"
    file.write_text(json.dumps(content))
    options = ["--data-transform", "gitlab-ci"] if schema == "gitlab-ci" else []
    command: list[str | Path] = [BIN / "check-jsonschema", *options]
    command += ["--builtin-schema", f"vendor.{schema}", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def triggers(workflow: dict[Any, Any]) -> Any:
    """What a workflow runs on; YAML reads the key as a boolean."""
    return workflow.pop(True)


def called() -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Of each call in an example: what it runs on, the calling job, and the called workflow."""
    for text in EXAMPLES:
        found = yaml.safe_load(text)
        if "jobs" in found:
            on = triggers(found)
            for job in found["jobs"].values():
                name = job["uses"].rpartition("/")[2].partition("@")[0]
                yield on, job, yaml.safe_load((WORKFLOWS / name).read_text())


def test_the_job_that_runs_a_pull_request_may_only_read() -> None:
    job = job_of(PREVIEW)
    assert job["permissions"] == {"contents": "read"}
    checkout = next(step for step in job["steps"] if "checkout" in step.get("uses", ""))
    assert checkout["with"]["persist-credentials"] is False
    assert "secrets" not in (WORKFLOWS / PREVIEW).read_text()


def test_the_job_that_writes_runs_nothing_of_a_pull_request() -> None:
    job = job_of(COMMENT)
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    used = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert used == ["actions/download-artifact"]


@pytest.mark.parametrize("name", [PREVIEW, COMMENT])
def test_nothing_is_permitted_but_what_a_job_asks_for(name: str) -> None:
    assert yaml.safe_load((WORKFLOWS / name).read_text())["permissions"] == {}


def test_the_job_with_the_token_runs_nothing_of_a_merge_request() -> None:
    preview, note = gitlab_jobs(stack="production", name="kafka").values()
    assert note["variables"]["GIT_STRATEGY"] == "none"
    assert "KAFKA_PREVIEW_TOKEN" not in str(preview)
    assert "environment" not in preview
    assert preview["script"][1] not in note["script"]


def test_a_gitlab_template_can_be_included_twice() -> None:
    names = [*gitlab_jobs(stack="a", name="one"), *gitlab_jobs(stack="b", name="two")]
    assert names == ["one", "one-note", "two", "two-note"]


def test_gitlab_takes_the_template(tmp_path: Path) -> None:
    head = yaml.safe_load(GITLAB.read_text().split("\n---\n")[0])
    assert validated("gitlab-ci", head, tmp_path) == ""
    jobs = gitlab_jobs(stack="production")
    assert validated("gitlab-ci", jobs, tmp_path) == ""
    jobs["kafka-preview"]["artefacts"] = jobs["kafka-preview"].pop("artifacts")
    assert "artefacts" in validated("gitlab-ci", jobs, tmp_path)


def test_the_scripts_pass_shellcheck(tmp_path: Path) -> None:
    scripts = {
        f"{step['name']}.bash": step["run"]
        for name in (PREVIEW, COMMENT)
        for step in job_of(name)["steps"]
        if "run" in step
    }
    scripts |= {
        f"{name}.sh": "\n".join(job["script"])
        for name, job in gitlab_jobs(stack="production").items()
    }
    assert len(scripts) >= 5
    for file, script in scripts.items():
        (tmp_path / file).write_text(f"set -e\n{script}")
        shell = "bash" if file.endswith(".bash") else "sh"
        command: list[str | Path] = [BIN / "shellcheck", "--shell", shell, tmp_path / file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_documentation_calls_what_there_is_and_grants_what_it_needs() -> None:
    seen = []
    for on, job, workflow in called():
        inputs = triggers(workflow)["workflow_call"]["inputs"]
        required = {name for name, one in inputs.items() if one.get("required")}
        assert required <= set(job["with"]) <= set(inputs)
        (called_job,) = workflow["jobs"].values()
        assert job["permissions"] == called_job["permissions"]
        assert "pull_request_target" not in str(on), "it would run a fork's code with our rights"
        seen.append(workflow["name"])
    assert seen == ["Kafka preview", "Kafka preview comment"]


def test_what_the_documentation_shows_is_valid(tmp_path: Path) -> None:
    hosts = []
    for text in EXAMPLES:
        found = yaml.safe_load(text)
        if "jobs" in found:
            found["on"] = triggers(found)
            assert found["permissions"] == {}
        host = "gitlab-ci" if "include" in found else "github-workflows"
        assert validated(host, found, tmp_path) == ""
        hosts.append(host)
    assert hosts == ["github-workflows", "github-workflows", "gitlab-ci"]


def test_the_documentation_gives_gitlab_what_its_template_takes() -> None:
    (include,) = yaml.safe_load(EXAMPLES[2])["include"]
    assert include["file"] == str(GITLAB.relative_to(CHECKOUT))
    assert gitlab_jobs(**include["inputs"])
