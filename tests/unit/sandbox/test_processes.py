"""Processes that outlive the command that started them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home.at(tmp_path / "home")
    home.root.mkdir()
    yield home
    processes.stop_all(home)


def test_a_process_that_another_thread_starts_meanwhile_is_not_forgotten(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forgotten one would never be waited for: a zombie, and a warning of Python's."""

    class Ended:
        """A child that has ended; while one looks at it, another process is started."""

        started: processes.PartProcess | None = None

        def poll(self) -> int:
            if self.started is None:
                self.started = processes.PartProcess("meanwhile", 0, "")
                self.started = processes.start(home, "meanwhile", ["sleep", "60"])
            return 0

    ended = Ended()
    monkeypatch.setattr(processes, "_children", children := {-1: cast(Any, ended)})
    first = processes.start(home, "first", ["sleep", "60"])
    assert ended.started is not None
    kept = dict(children)
    for child in kept.values():
        child.kill()
        child.wait()
    assert set(kept) == {first.pid, ended.started.pid}
