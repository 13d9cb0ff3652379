"""What tests on the real engine share."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pulumi.automation._server import LanguageServer

from tests.engine.real_engine import Engine, EventLoops, TolerantLog


@pytest.fixture(scope="session", autouse=True)
def _programs_end_cleanly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulumi.automation._server.log", TolerantLog())
        loops = EventLoops()
        patch.setattr("pulumi.automation._server.asyncio", loops.asyncio)
        patch.setattr(LanguageServer, "Run", loops.closed_after(LanguageServer.Run))
        yield


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
