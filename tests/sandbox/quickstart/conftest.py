"""One deployment for all tests of this directory."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from inkless_pulumi.sandbox import demo, processes
from inkless_pulumi.sandbox.home import Home
from tests.sandbox.quickstart.deployed import CHECKOUT, Deployed


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    home = Home.at(tmp_path_factory.mktemp("quickstart") / "sandbox")
    console = Console(record=True, file=io.StringIO())
    try:
        result = demo.run(CHECKOUT, home, console, keep=True)
        yield Deployed(home, result, console.export_text())
    finally:
        demo.remove(home, console)
    assert not home.root.exists()
    assert not list(processes.running(home))
