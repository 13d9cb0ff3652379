"""The pipeline of a pull request, of its two jobs, on either host."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.ci.hosts import GitHub, GitLab, Host
from tests.ci.running import Run, gitlab_jobs, job_of, run_job, run_script

__all__ = ["GitHubPipeline", "GitLabPipeline", "Pipeline"]

COMMIT = "abc123"


class Pipeline(ABC):
    """A pipeline of request 7.

    Args:
        host: the host, which is up.
        place: a directory for what the jobs leave.
        inputs: of the template.
    """

    host: Host
    artifact: ClassVar[str]
    of_a_fork: ClassVar[Mapping[str, str]]
    """What is different where the request comes from a fork."""

    def __init__(self, host: Host, place: Path, **inputs: str) -> None:
        self.host = host
        self.place = place
        self.inputs = {"project": ".", "stack": "production", **inputs}
        self.artifacts = place / "artifacts"
        self._runs = 0

    def leave(self, report: str | Path | None) -> None:
        """Have the first job left a report: a text, a link to a file, or nothing."""
        shutil.rmtree(self.artifacts, ignore_errors=True)
        if report is None:
            return
        file = self.artifacts / self.artifact / "comment.md"
        file.parent.mkdir(parents=True)
        if isinstance(report, Path):
            file.symlink_to(report)
        else:
            file.write_text(report)

    def comment(self, **differently: str) -> Run:
        """Run the second job, in a workspace of its own."""
        self._runs += 1
        workspace = self.place / f"run-{self._runs}"
        workspace.mkdir()
        return self._comment(workspace, differently)

    @abstractmethod
    def preview(self, checkout: Path, runner: Mapping[str, str]) -> Run:
        """Run the first job in a checkout, with the environment of its runner."""

    @abstractmethod
    def _comment(self, workspace: Path, differently: Mapping[str, str]) -> Run: ...


class GitHubPipeline(Pipeline):
    """Two workflows, the second of which runs when the first has ended."""

    host: GitHub
    artifact = "kafka-preview-.-production"
    of_a_fork: ClassVar[Mapping[str, str]] = {
        "github.event.workflow_run.head_repository.full_name": "mallory/shop",
        "github.event.workflow_run.head_repository.owner.login": "mallory",
    }

    @property
    def _context(self) -> dict[str, str]:
        return {f"inputs.{name}": text for name, text in self.inputs.items()}

    def preview(self, checkout: Path, runner: Mapping[str, str]) -> Run:
        temporary = self.place / "temporary"
        context = {
            **self._context,
            "inputs.python-version": "3.12",
            "runner.temp": str(temporary),
        }
        environment = {**runner, "RUNNER_TEMP": str(temporary)}
        job = job_of("kafka-preview.yml")
        return run_job(job, checkout, context, environment, self.artifacts)

    def _comment(self, workspace: Path, differently: Mapping[str, str]) -> Run:
        event = "github.event.workflow_run"
        context = {
            **self._context,
            "github.token": self.host.token,
            f"{event}.event": "pull_request",
            f"{event}.id": "99",
            f"{event}.conclusion": "failure",
            f"{event}.head_repository.full_name": "acme/shop",
            f"{event}.head_repository.owner.login": "acme",
            f"{event}.head_branch": "change",
            f"{event}.head_sha": COMMIT,
            f"{event}.html_url": "https://github.example/runs/99",
            **differently,
        }
        environment = {"GITHUB_API_URL": self.host.address, "GITHUB_REPOSITORY": "acme/shop"}
        job = job_of("kafka-preview-comment.yml")
        return run_job(job, workspace, context, environment, self.artifacts)


class GitLabPipeline(Pipeline):
    """One pipeline; artifacts are laid where they came from."""

    host: GitLab
    artifact = "kafka-preview-5"
    of_a_fork: ClassVar[Mapping[str, str]] = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"}

    def preview(self, checkout: Path, runner: Mapping[str, str]) -> Run:
        job, _ = gitlab_jobs(**self.inputs).values()
        done = self._run(job, checkout, {**runner, "CI_PROJECT_DIR": str(checkout)})
        for path in job["artifacts"]["paths"]:
            kept = path.replace("$DIRECTORY", self.artifact)
            shutil.copytree(checkout / kept, self.artifacts / kept, symlinks=True)
        return done

    def _comment(self, workspace: Path, differently: Mapping[str, str]) -> Run:
        _, job = gitlab_jobs(**self.inputs).values()
        if self.artifacts.is_dir():
            shutil.copytree(self.artifacts, workspace, symlinks=True, dirs_exist_ok=True)
        predefined = {
            "CI_API_V4_URL": f"{self.host.address}/api/v4",
            "CI_PROJECT_ID": "1",
            "CI_PIPELINE_URL": "https://gitlab.example/pipelines/5",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
            "CI_COMMIT_SHA": COMMIT,
            "CI_ENVIRONMENT_NAME": job["environment"]["name"],
            "KAFKA_PREVIEW_TOKEN": self.host.token,
        }
        return self._run(job, workspace, {**predefined, **differently})

    def _run(self, job: Mapping[str, Any], directory: Path, variables: Mapping[str, str]) -> Run:
        own = {
            name: text.replace("$CI_PIPELINE_ID", "5") for name, text in job["variables"].items()
        }
        # The shell of Alpine's image is busybox's; here it may be another plain one.
        shell = ["busybox", "sh"] if shutil.which("busybox") else ["sh"]
        command = [*shell, "-e", "-c", "\n".join(job["script"])]
        return run_script(command, directory, {**variables, **own})
