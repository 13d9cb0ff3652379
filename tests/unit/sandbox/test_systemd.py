"""A service that is kept running, as systemd would."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.core.host_files import _SERVICE, _VOLUME_SERVICE
from inkless_pulumi.core.node_paths import NODE_SCRIPT
from inkless_pulumi.sandbox.systemd import Service, Unit, parse_requests, parse_unit

UNIT = """
[Unit]
Description=A node

[Service]
# what it runs
ExecStartPre=/bin/prepare "with space"
ExecStart=/bin/run
ExecStop=/bin/stop
Restart=always
RestartSec=5
TimeoutStopSec=2min
"""


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_unit_is_read_with_systemd_s_defaults() -> None:
    unit = parse_unit("a.service", UNIT)
    assert unit.start_before == (("/bin/prepare", "with space"),)
    assert (unit.start, unit.stop) == (("/bin/run",), ("/bin/stop",))
    assert (unit.restart_after, unit.stop_timeout, unit.start_timeout) == (5, 120, 90)


def test_the_units_of_a_node_are_understood() -> None:
    assert parse_unit("inkless-node.service", _SERVICE).stop_timeout == 330
    volume = parse_unit("inkless-volume.service", _VOLUME_SERVICE)
    assert (volume.start, volume.restart_after) == ((NODE_SCRIPT, "grow"), 60)


@pytest.mark.parametrize(
    "line", ["Restart=no", "WatchdogSec=5", "KillMode=process", "RestartSec=soon"]
)
def test_what_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(SandboxError, match=line.partition("=")[0]):
        parse_unit("a.service", f"[Service]\nExecStart=/bin/run\n{line}\n")


def test_a_service_without_a_command_is_refused() -> None:
    with pytest.raises(SandboxError, match="one ExecStart"):
        parse_unit("a.service", "[Service]\nRestart=always\n")


def test_systemctl_enables_what_it_was_asked_to() -> None:
    assert parse_requests("daemon-reload\nenable --now a.service\n") == ["a.service"]


class Stage:
    """Scripts below a root directory, and what the service said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []

    def script(self, name: str, body: str) -> tuple[str, ...]:
        path = self.root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ncd {self.root}\n{body}\n")
        path.chmod(0o755)
        return (f"/bin/{name}",)

    def service(self, unit: Unit) -> Service:
        return Service(unit, self.root, {"PATH": os.environ["PATH"]}, self.said.append)

    def count(self, name: str) -> int:
        path = self.root / name
        return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_service_that_ends_is_started_again(stage: Stage) -> None:
    run = stage.script("run", "echo started >>starts; exit 4")
    service = stage.service(Unit("a", run, restart_after=0.01))
    service.start()
    eventually(lambda: stage.count("starts") >= 3)
    service.stop()
    ended = stage.count("starts")
    assert "a: ended with status 4" in stage.said
    assert stage.count("starts") == ended


def test_a_failed_preparation_keeps_the_service_from_starting(stage: Stage) -> None:
    before = stage.script("before", "echo tried >>tries; exit 3")
    run = stage.script("run", "echo started >>starts")
    service = stage.service(Unit("a", run, start_before=(before,), restart_after=0.01))
    service.start()
    eventually(lambda: stage.count("tries") >= 2)
    service.stop()
    assert stage.count("starts") == 0
    assert "a: /bin/before ended with status 3" in stage.said


def test_stopping_runs_the_stop_command_and_then_asks_the_service_itself(stage: Stage) -> None:
    run = stage.script("run", "trap 'echo asked >>order; exit 0' TERM; echo >up; sleep 60 & wait")
    stop = stage.script("stop", "echo command >>order")
    service = stage.service(Unit("a", run, stop=stop))
    service.start()
    eventually(lambda: (stage.root / "up").exists())
    service.stop()
    assert (stage.root / "order").read_text().split() == ["command", "asked"]


def test_a_service_that_does_not_stop_is_killed_at_its_deadline(stage: Stage) -> None:
    run = stage.script("run", "trap '' TERM; echo >up; while :; do sleep 1; done")
    service = stage.service(Unit("a", run, stop_timeout=0.2))
    service.start()
    eventually(lambda: (stage.root / "up").exists())
    began = time.monotonic()
    service.stop()
    assert 0.2 <= time.monotonic() - began < 5


def test_what_a_service_leaves_behind_ends_with_it(stage: Stage) -> None:
    run = stage.script("run", "sleep 60 & echo $! >child; wait")
    service = stage.service(Unit("a", run))
    service.start()
    eventually(lambda: stage.count("child") == 1)
    service.stop()
    child = int((stage.root / "child").read_text())
    eventually(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
