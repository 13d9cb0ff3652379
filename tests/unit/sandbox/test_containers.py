"""The container engine: which one is taken, and what is said where there is none."""

import resource
import tomllib
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import SandboxError, ToolchainError
from inkless_pulumi.sandbox import containers
from inkless_pulumi.sandbox.containers import ContainerEngine, find_container_engine, label_of


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv(containers.ENGINE_VARIABLE, raising=False)
    return directory


def program(directory: Path, name: str, body: str = "exit 0") -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_podman_is_preferred(programs: Path, tmp_path: Path) -> None:
    program(programs, "docker")
    podman = program(programs, "podman")
    engine = find_container_engine(tmp_path / "c")
    assert engine.kind == "podman"
    assert f"exec {podman} " in Path(engine.command).read_text()


def test_docker_is_taken_where_its_daemon_answers(programs: Path, tmp_path: Path) -> None:
    docker = program(programs, "docker")
    assert find_container_engine(tmp_path / "c") == ContainerEngine("docker", str(docker))


def test_the_engine_can_be_named(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "docker")
    program(programs, "podman")
    monkeypatch.setenv(containers.ENGINE_VARIABLE, "docker")
    assert find_container_engine(tmp_path / "c").kind == "docker"
    monkeypatch.setenv(containers.ENGINE_VARIABLE, "nerdctl")
    with pytest.raises(ToolchainError, match="INKLESS_CONTAINER_ENGINE=nerdctl is not a command"):
        find_container_engine(tmp_path / "c")


def test_without_an_engine_it_is_said_what_to_install(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "docker", "echo no daemon >&2; exit 1")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ToolchainError) as refusal:
        find_container_engine(tmp_path / "c")
    assert "daemon does not answer" in str(refusal.value)
    assert "apt-get install podman runc" in str(refusal.value)


def test_a_broken_podman_is_told_in_its_own_words(programs: Path, tmp_path: Path) -> None:
    program(programs, "podman", "echo cannot find newuidmap >&2; exit 125")
    with pytest.raises(ToolchainError, match="cannot find newuidmap"):
        find_container_engine(tmp_path / "c")


def test_podman_is_kept_apart_from_the_system_s(programs: Path, tmp_path: Path) -> None:
    program(programs, "podman")
    program(programs, "runc")
    directory = tmp_path / "c"
    engine = find_container_engine(directory)
    settings = tomllib.loads(Path(engine.environment["CONTAINERS_CONF"]).read_text())
    storage = tomllib.loads(Path(engine.environment["CONTAINERS_STORAGE_CONF"]).read_text())
    assert settings["engine"]["runtime"] == "runc"
    assert Path(storage["storage"]["graphroot"]).is_relative_to(directory)
    command = Path(engine.command).read_text()
    assert f"--root {directory}/graph --runroot {engine.runtime}/storage" in command
    # Measured: with 52 characters every start takes 20 s longer, with 35 not.
    assert len(storage["storage"]["runroot"]) <= 40


def test_no_limit_of_a_container_exceeds_ours(programs: Path, tmp_path: Path) -> None:
    program(programs, "podman")
    engine = find_container_engine(tmp_path / "c")
    settings = tomllib.loads(Path(engine.environment["CONTAINERS_CONF"]).read_text())
    limits = dict(limit.split("=") for limit in settings["containers"]["default_ulimits"])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(limits["nofile"].split(":")[1]) <= hard


def test_an_engine_is_recorded_and_recalled(programs: Path, tmp_path: Path) -> None:
    program(programs, "podman")
    engine = find_container_engine(tmp_path / "c")
    assert ContainerEngine.recalled(engine.recorded()) == engine


def test_a_failure_is_told_in_the_engine_s_words(programs: Path) -> None:
    engine = ContainerEngine("podman", str(program(programs, "podman", "echo why >&2; exit 1")))
    with pytest.raises(SandboxError, match="`podman pull` failed: why"):
        engine.run("pull", "x")


def test_a_container_that_takes_its_time_to_stop_is_removed_at_once(
    programs: Path, tmp_path: Path
) -> None:
    """Podman's `rm --force` stops first, and waits for a running one as long as it may take."""
    state = tmp_path / "state"
    state.write_text("running\n")
    body = f"""
case "$1" in
  kill) echo dead >{state} ;;
  rm) read -r state <{state}; [ "$state" = dead ] ;;
esac
"""
    engine = ContainerEngine("podman", str(program(programs, "engine", body)))
    engine.remove("node")


def test_homes_have_labels_of_their_own(tmp_path: Path) -> None:
    assert label_of(tmp_path / "a") == label_of(tmp_path / "b" / ".." / "a")
    assert label_of(tmp_path / "a") != label_of(tmp_path / "b")
