"""Previews against a snapshot: what a pull request from a fork gets, without any credential."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inkless_pulumi.report.document import ReportDocument
from tests.ci.hosts import GitHub, GitLab, Host, serving
from tests.ci.pipelines import GitHubPipeline, GitLabPipeline, Pipeline
from tests.engine.report.conftest import Deployment
from tests.engine.report.quick_start import REGION, edited
from tests.engine.test_preview_command import CREDENTIALS

ZONES = '    "zones": zones,\n'
SHORTER_RETENTION = (('"retention.ms": "7d"', '"retention.ms": "1d"'),)
CHANGE = ((ZONES, f'{ZONES}    "settings": {{"num.io.threads": 9}},\n'),)


def clean() -> dict[str, str]:
    """This process's environment, without credentials."""
    return {name: text for name, text in os.environ.items() if not name.startswith(CREDENTIALS)}


def run(directory: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `inkless-pulumi` with nothing of ours in its environment but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "inkless_pulumi.cli", *arguments],
        cwd=directory,
        env={**clean(), "TMPDIR": str(directory), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def snapshot(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshot of a deployed quick-start."""
    project, _ = deployment
    assert project.up().exit_code == 0
    file = tmp_path_factory.mktemp("snapshot") / "production.json"
    done = run(project.directory, "snapshot", str(file), **project.backend)
    assert done.returncode == 0, done.stderr
    return file


def report(deployment: Deployment, snapshot: Path, directory: Path) -> ReportDocument:
    """The report of the program as it is, against the snapshot."""
    file = directory / "report.json"
    done = run(
        directory,
        *("preview-report", "--sandbox", "--snapshot", str(snapshot), "--json", str(file)),
        *("--project", str(deployment[0].directory)),
    )
    assert file.is_file(), done.stdout + done.stderr
    return ReportDocument.model_validate_json(file.read_text())


def test_a_snapshot_has_no_secret(deployment: Deployment, snapshot: Path) -> None:
    text = snapshot.read_text()
    assert "ciphertext" not in text
    assert "secrets_providers" not in text
    for secret in deployment[1].secrets:
        assert json.dumps(secret)[1:-1] not in text
    assert '"\\"[secret]\\""' in text, "the database's password was one"


def test_an_unchanged_program_has_no_changes(
    deployment: Deployment, snapshot: Path, tmp_path: Path
) -> None:
    found = report(deployment, snapshot, tmp_path)
    assert found.status == "no-changes", found.model_dump_json(indent=2)
    assert found.cost.region == REGION, "the stack's own configuration"
    assert any("quotas" in limit for limit in found.limits)


def test_a_changed_program_is_reported_as_with_an_account(
    deployment: Deployment, snapshot: Path, tmp_path: Path
) -> None:
    project, _ = deployment
    text = project.text
    project.write(edited(text, CHANGE))
    try:
        found = report(deployment, snapshot, tmp_path)
    finally:
        project.write(text)
    (roll,) = [one for one in found.findings if one.rule == "nodes-replaced"]
    assert roll.title.startswith("3 nodes are replaced, one at a time")
    assert "num.io.threads changes from unset to 9" in roll.title


def test_a_snapshot_of_another_project_is_refused(snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: another\nruntime: python\n")
    done = run(tmp_path, "preview-report", "--sandbox", "--snapshot", str(snapshot))
    assert done.returncode == 1
    assert "the snapshot is of the project inkless-quickstart, and . is another" in done.stderr


@pytest.mark.parametrize(
    ("host", "kind", "fail_on"),
    [(GitHub(), GitHubPipeline, "fail-on"), (GitLab(), GitLabPipeline, "fail_on")],
    ids=["github", "gitlab"],
)
def test_a_gate_fails_the_pipeline_and_the_comment_comes_all_the_same(
    deployment: Deployment,
    snapshot: Path,
    tmp_path: Path,
    host: Host,
    kind: type[Pipeline],
    fail_on: str,
) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(deployment[0].directory, checkout / "infra")
    shutil.copy(snapshot, checkout)
    program = checkout / "infra" / "__main__.py"
    program.write_text(edited(program.read_text(), SHORTER_RETENTION))
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inputs = {"project": "infra", "stack": "production", "snapshot": snapshot.name}
    inputs |= {fail_on: "downtime data-loss", "install": "true"}
    pipeline = kind(host, tmp_path, **inputs)

    done = pipeline.preview(checkout, {**clean(), "PATH": commands, "TMPDIR": str(tmp_path)})
    assert done.exit_code == 10, done.output
    with serving(host):
        done = pipeline.comment()
    assert done.exit_code == 0, done.output
    (comment,) = host.comments
    first, second, _, verdict, *_ = comment.body.splitlines()
    assert first == "<!-- inkless-pulumi preview-report: infra/production -->"
    assert second == "### Kafka preview of `production`"
    assert verdict.startswith("**Data is lost**"), comment.body
    assert "Stopped by `--fail-on data-loss`" in comment.body
