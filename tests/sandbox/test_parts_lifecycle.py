"""A sandbox started, killed, made whole and removed."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import lifecycle, processes
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.parts import aws_server, registry

UP = """
import sys
from inkless_pulumi.sandbox import lifecycle
from inkless_pulumi.sandbox.home import Home
lifecycle.up(Home.at(sys.argv[1]), progress=lambda line: print(line, flush=True))
print("up", flush=True)
"""
SECONDS = 300


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home.at(tmp_path / "home")
    yield home
    lifecycle.down(home)
    assert not home.root.exists()
    assert list(processes.running(home)) == []


def starting(home: Home) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", UP, str(home.root)], stdout=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    return output.splitlines()


@contextlib.contextmanager
def listening(address: str, port: int) -> Iterator[None]:
    import socket

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What was stopped a moment ago may hold it until its last thread is gone.
        processes.refuse_taken_port(address, port, "the test")
        other.bind((address, port))
        other.listen()
        yield


def ports(home: Home) -> tuple[int, int]:
    settings = home.read_settings()
    return settings["aws_port"], settings["registry_port"]


def states(home: Home) -> set[str]:
    return {part.state for part in lifecycle.status(home).parts}


def test_up_again_changes_nothing_that_runs(home: Home) -> None:
    first = lifecycle.up(home)
    running = {part.pid for part in processes.running(home)}
    assert lifecycle.up(home) == first
    assert {part.pid for part in processes.running(home)} == running
    status = lifecycle.status(home)
    assert status.healthy
    assert [part.name for part in status.parts] == [aws_server.NAME, registry.NAME]


def test_a_killed_part_is_told_and_comes_back_where_it_was(home: Home) -> None:
    lifecycle.up(home)
    before = ports(home)
    for part in list(processes.running(home)):
        os.kill(part.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while states(home) != {"failed"} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert states(home) == {"failed"}
    lifecycle.up(home)
    assert lifecycle.status(home).healthy
    assert ports(home) == before


def test_two_ups_at_once_make_one_sandbox(home: Home) -> None:
    first, second = starting(home), starting(home)
    assert finished(first)[-1] == finished(second)[-1] == "up"
    names = sorted(part.name for part in processes.running(home))
    assert names == [aws_server.NAME, registry.NAME]


@pytest.mark.parametrize("lines", range(5))
def test_an_up_that_is_killed_at_any_step_can_be_done_again(home: Home, lines: int) -> None:
    process = starting(home)
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.kill()
    process.communicate()
    lifecycle.up(home)
    assert lifecycle.status(home).healthy
    names = sorted(part.name for part in processes.running(home))
    assert names == [aws_server.NAME, registry.NAME]


@pytest.mark.parametrize("lines", range(1, 4))
def test_an_up_that_is_killed_at_any_step_can_be_removed(home: Home, lines: int) -> None:
    process = starting(home)
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.kill()
    process.communicate()
    lifecycle.down(home)
    assert list(processes.running(home)) == []
    assert not home.root.exists()


def test_down_needs_no_records(home: Home) -> None:
    lifecycle.up(home)
    shutil.rmtree(home.processes)
    home.settings_file.unlink()
    lifecycle.down(home)
    assert list(processes.running(home)) == []
    assert not home.root.exists()


def test_down_ends_what_is_left_of_a_home_that_is_gone(home: Home) -> None:
    lifecycle.up(home)
    shutil.rmtree(home.root)
    lifecycle.down(home)
    assert list(processes.running(home)) == []


def test_down_where_nothing_is_does_nothing(home: Home) -> None:
    lifecycle.down(home)
    assert not home.root.exists()


def test_down_leaves_other_processes_and_sandboxes_alone(home: Home, tmp_path: Path) -> None:
    other = Home.at(tmp_path / "other")
    lifecycle.up(other)
    # A process of the user's, started where the home is exported to the environment.
    environment = {**os.environ, "INKLESS_SANDBOX_HOME": str(home.root)}
    users = subprocess.Popen(["sleep", "60"], env=environment)
    try:
        lifecycle.up(home)
        lifecycle.down(home)
        assert users.poll() is None
        assert lifecycle.status(other).healthy
    finally:
        users.kill()
        users.wait()
        lifecycle.down(other)


def test_a_port_that_another_program_took_is_told_with_the_way_out(home: Home) -> None:
    lifecycle.up(home)
    processes.stop(home, registry.NAME)
    with (
        listening(registry.ADDRESS, ports(home)[1]),
        pytest.raises(SandboxError, match=r"in use by another program .* sandbox down"),
    ):
        lifecycle.up(home)


def test_a_full_disk_is_told_before_anything_is_started(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SandboxError, match=r"has 1\.0 GB left"):
        lifecycle.up(home)
    assert list(processes.running(home)) == []


def test_an_image_that_was_asked_for_and_cannot_be_had_is_an_error(home: Home) -> None:
    port = processes.free_port("127.0.0.1")
    with pytest.raises(SandboxError, match=f"the image 127.0.0.1:{port}/inkless:1 cannot be used"):
        lifecycle.up(home, image=f"127.0.0.1:{port}/inkless:1")


def test_the_image_of_a_running_sandbox_stays_unless_another_is_asked_for(home: Home) -> None:
    first = lifecycle.up(home)
    same = f"{first.registry}/apache-kafka-standin:4.2.1"
    assert lifecycle.up(home).image == first.image
    if first.image == same:
        return
    assert lifecycle.up(home, image=same).image == same


def test_clients_see_nothing_of_the_users_own_aws_profile(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setenv("AWS_PROFILE", "production")
    lifecycle.up(home)
    for name, value in lifecycle.environment(home).items():
        monkeypatch.setenv(name, value)
    # A session of its own, as a new process has: boto3's default one keeps what it read before.
    client = boto3.session.Session().client("sts")
    assert client.get_caller_identity()["Account"] == "123456789012"


def test_what_a_sandbox_needs_is_told_where_none_is(home: Home) -> None:
    for ask in (lifecycle.environment, lifecycle.stack_config):
        with pytest.raises(SandboxError, match="inkless-pulumi sandbox up"):
            ask(home)
    assert not lifecycle.status(home).healthy
