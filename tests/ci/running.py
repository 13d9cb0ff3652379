"""Runs the scripts of the templates for CI, as they are, as the hosts' own runners would."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

__all__ = [
    "CHECKOUT",
    "GITLAB",
    "WORKFLOWS",
    "Run",
    "gitlab_jobs",
    "job_of",
    "run_job",
    "run_script",
]

CHECKOUT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = CHECKOUT / ".github" / "workflows"
GITLAB: Final = CHECKOUT / "ci" / "kafka-preview.gitlab-ci.yml"
_EXPRESSION: Final = re.compile(r"\$\{\{ *(.+?) *\}\}")
_INPUT: Final = re.compile(r"\$\[\[ *inputs\.(\w+) *\]\]")
_NAME: Final = re.compile(r"\b(?:github|inputs|runner|steps)\.[\w.-]+")
_SHELL: Final = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""What GitHub makes of `shell: bash`."""
_SHIMMED: Final = ("curl", "jq")


@dataclass
class Run:
    """What a job did."""

    exit_code: int = 0
    output: str = ""
    commands: str = ""
    """The command lines of what it called, one argument a line."""
    ran: list[str] = field(default_factory=list)


def job_of(workflow: str) -> dict[str, Any]:
    """The one job of a workflow of GitHub's."""
    (job,) = yaml.safe_load((WORKFLOWS / workflow).read_text())["jobs"].values()
    assert isinstance(job, dict)
    return job


def gitlab_jobs(**inputs: str) -> dict[str, Any]:
    """The jobs of GitLab's template, with its inputs put in as GitLab does."""
    head, content = GITLAB.read_text().split("\n---\n")
    declared = yaml.safe_load(head)["spec"]["inputs"]
    values = {name: inputs.get(name, one.get("default")) for name, one in declared.items()}
    assert set(inputs) <= set(declared)
    assert None not in values.values(), "an input without a default is given"

    def interpolated(found: Any) -> Any:
        if isinstance(found, dict):
            return {interpolated(key): interpolated(value) for key, value in found.items()}
        if isinstance(found, list):
            return [interpolated(value) for value in found]
        if isinstance(found, str):
            return _INPUT.sub(lambda one: str(values[one[1]]), found)
        return found

    jobs = interpolated(yaml.safe_load(content))
    assert isinstance(jobs, dict)
    return jobs


def run_job(
    job: Mapping[str, Any],
    workspace: Path,
    context: Mapping[str, str],
    environment: Mapping[str, str],
    artifacts: Path,
) -> Run:
    """Run the scripts of a job of GitHub's, one after the other.

    Args:
        job: the job.
        workspace: where it runs; what `actions/checkout` would put there is there.
        context: what expressions stand for, by name; another name is an error.
        environment: the runner's.
        artifacts: where artifacts are, each a directory.
    """
    assert job["defaults"]["run"]["shell"] == "bash"
    run = Run()
    known = dict(context)
    if not _holds(job.get("if", "true"), known):
        return run
    outputs = workspace / "outputs"
    for step in job["steps"]:
        if run.exit_code and step.get("if") != "always()":
            continue
        name = step.get("name") or step["uses"].partition("@")[0]
        run.ran.append(name)
        if "run" in step:
            outputs.write_text("")
            variables = {key: _text(text, known) for key, text in step.get("env", {}).items()}
            variables |= {**environment, "GITHUB_OUTPUT": str(outputs)}
            directory = workspace / _text(step.get("working-directory", "."), known)
            done = run_script([*_SHELL, step["run"]], directory, variables)
            for line in outputs.read_text().splitlines():
                key, _, text = line.partition("=")
                known[f"steps.{step['id']}.outputs.{key}"] = text
            run.output += done.output
            run.commands += done.commands
            run.exit_code = run.exit_code or done.exit_code
        else:
            wanted = {key: _text(str(text), known) for key, text in step.get("with", {}).items()}
            worked = _act(name, wanted, workspace, artifacts)
            assert worked or step.get("continue-on-error"), name
    return run


def _act(action: str, wanted: Mapping[str, str], workspace: Path, artifacts: Path) -> bool:
    """What an action of GitHub's own does; whether it succeeds."""
    if action in ("actions/checkout", "actions/setup-python"):
        return True
    assert not re.search(r"[\":<>|*?\r\n\\/]", wanted["name"]), "GitHub takes no such name"
    kept = artifacts / wanted["name"]
    place = workspace / wanted["path"]
    if action == "actions/upload-artifact":
        if place.is_dir() and any(place.iterdir()):
            shutil.copytree(place, kept, symlinks=True)
        return True
    assert action == "actions/download-artifact"
    if kept.is_dir():
        shutil.copytree(kept, place, symlinks=True)
    return kept.is_dir()


def run_script(command: list[str], directory: Path, variables: Mapping[str, str]) -> Run:
    """Run a script, with all that it calls written down."""
    shims = directory / ".shims"
    shims.mkdir(exist_ok=True)
    calls = shims / "calls"
    calls.write_text("")
    for name in _SHIMMED:
        real = shutil.which(name)
        assert real is not None, f"there is no {name}, which the runners have"
        _executable(shims / name, f'printf "%s\\n" {name} "$@" >>"{calls}"\nexec {real} "$@"')
    _executable(shims / "apk", f'printf "%s\\n" apk "$@" >>"{calls}"')
    search = f"{shims}{os.pathsep}{variables.get('PATH', os.environ['PATH'])}"
    done = subprocess.run(
        command,
        cwd=directory,
        env={"HOME": str(directory), **variables, "PATH": search},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Run(done.returncode, done.stdout + done.stderr, calls.read_text())


def _executable(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def _text(text: str, context: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: context[found[1]], text)


def _holds(condition: str, context: Mapping[str, str]) -> bool:
    """Whether a job's condition holds, of the kinds that there are here."""
    allowed = r"contains\(fromJSON\('\[([^]]*)\]'\), ([\w.]+)\)"
    text = re.sub(allowed, r"\2 in (\1)", condition)
    text = _NAME.sub(lambda name: repr(context[name[0]]), text)
    text = text.replace("&&", "and").replace("true", "True").replace("\n", " ")
    return bool(eval(text, {"__builtins__": {}}))  # noqa: S307  the checkout's own file
