"""What tests on the real engine share."""

import asyncio
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.engine.real_engine import Engine, TolerantLog


@pytest.fixture(scope="session", autouse=True)
def _programs_end_cleanly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulumi.automation._server.log", TolerantLog())
        yield


@pytest.fixture(autouse=True)
def _event_loops_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what the automation library leaves open where several outputs of a program failed."""
    loops: list[asyncio.AbstractEventLoop] = []

    def remembered() -> asyncio.AbstractEventLoop:
        loops.append(asyncio.new_event_loop())
        return loops[-1]

    library = SimpleNamespace(**{**vars(asyncio), "new_event_loop": remembered})
    monkeypatch.setattr("pulumi.automation._server.asyncio", library)
    yield
    # A program may still run for a moment after its engine has given up.
    deadline = time.monotonic() + 30
    while any(loop.is_running() for loop in loops) and time.monotonic() < deadline:
        time.sleep(0.05)
    for loop in loops:
        loop.close()


@pytest.fixture(scope="session")
def pulumi_command() -> Path:
    """The engine's command line, as the toolchain left it or on PATH."""
    checkout = Path(__file__).parents[2]
    cached = sorted((checkout / ".cache").glob("**/bin/pulumi"))
    found = shutil.which("pulumi") or next((str(path) for path in cached), None)
    assert found, "no `pulumi` on PATH or below .cache; `make test` sets it up"
    return Path(found)


@pytest.fixture
def engine_environment() -> Mapping[str, str]:
    """Environment variables of the engine and its plugins; test modules override it."""
    return {}


@pytest.fixture
def engine(tmp_path: Path, pulumi_command: Path, engine_environment: Mapping[str, str]) -> Engine:
    """A real engine with an empty stack, which is gone with its temporary directory."""
    return Engine(tmp_path, engine_environment, pulumi_command)
