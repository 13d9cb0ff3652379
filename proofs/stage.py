"""A service in a sandbox of its own, deployed and changed by the real engine."""

import io
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from rich.console import Console

from inkless_pulumi.core.image import kafka_version, parse_reference
from inkless_pulumi.sandbox import lifecycle
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.project import write_project
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack
from inkless_pulumi.sandbox.record_check import Client, client_of
from inkless_pulumi.sandbox.standin_image import REPOSITORY, ensure_standin_image
from inkless_pulumi.sandbox.toolchain import find_or_make_engine

__all__ = ["Stage", "stage"]

_GATE = "inkless:index:NodeReady"
"""The type of the resource that there is one of for each node."""

_STACK = "proof"
_ENDED = 128 + signal.SIGTERM
_DIRECTORY = "proof"
_PROGRAM = Path(__file__).parent / "service"

Watch = Callable[[str], None]
"""Is told each line that the engine prints."""
Beside = Callable[[], AbstractContextManager[tuple[str, ...]]]
"""Work around a run of the engine, which is given these options more."""


class Stage:
    """The service: `arguments` are those of its component, on top of the program's own."""

    def __init__(self, home: Home, narrate: Watch) -> None:
        self.home = home
        self.narrate = narrate
        self.arguments: dict[str, Any] = {}
        self.log = home.logs / "engine.log"
        self.directory = home.root / _DIRECTORY
        self.up_seconds = 0.0
        """How long `pulumi up` has taken, all runs together."""
        self._beside: Beside = lambda: nullcontext(())
        self.package: Path | None = None
        """The version of the package that is deployed: the directory that has `inkless_pulumi`.
        None: the one that runs."""
        self.sandbox = lifecycle.up(home, progress=narrate)
        write_project(self.directory, _PROGRAM)
        self.stack.create(lifecycle.stack_config(home))

    @property
    def stack(self) -> PulumiStack:
        """The stack, in the environment that the sandbox and the package's version ask for."""
        toolchain = find_or_make_engine(default_cache(), self.narrate).environment()
        environment = {**os.environ, **toolchain}
        environment |= lifecycle.environment(self.home, path=toolchain["PATH"])
        environment |= {
            "PULUMI_HOME": str(self.directory / "engine"),
            "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if self.package is not None:
            environment["PYTHONPATH"] = str(self.package)
        return PulumiStack(self.directory, _STACK, environment)

    def image_of(self, version: str) -> str:
        """The image of an Inkless version that stands where the sandbox's own comes from.

        Of the stand-in, that is one of the same version of Kafka.
        """
        reference = parse_reference(self.sandbox.image)
        if reference.repository != REPOSITORY:
            return f"{reference.name}:{version}"
        kafka = ".".join(map(str, kafka_version(version)))
        return ensure_standin_image(self.sandbox.registry, default_cache(), self.narrate, kafka)

    def rotate_password(self, text: str) -> None:
        """Have the next deployment give the load's user another password."""
        self.stack.configure({"rotation": text})

    @contextmanager
    def beside(self, work: Beside) -> Iterator[None]:
        """Have something go on beside each `pulumi up` in the block; it gives that more options."""
        before, self._beside = self._beside, work
        try:
            yield
        finally:
            self._beside = before

    def deploy(self, changed: Mapping[str, Any] | None = None, watch: Watch | None = None) -> None:
        """Run `pulumi up` with the arguments so far and those that are changed."""
        self.arguments |= changed or {}
        self.stack.configure({"arguments": json.dumps(self.arguments)})
        with self._beside() as options, self._console(watch) as console:
            began = time.monotonic()
            self.stack.up(console, *options)
            self.up_seconds += time.monotonic() - began

    def destroy(self, watch: Watch | None = None) -> None:
        """Run `pulumi destroy`."""
        with self._console(watch) as console:
            self.stack.destroy(console)

    def client(self) -> Client:
        """Who the load connects as, with the credentials that are valid now."""
        return client_of(self.home, self.stack.outputs())

    def nodes(self) -> list[dict[str, Any]]:
        """The nodes, as the stack's state has what each one's gate waits for."""
        return [one["inputs"] for one in self.stack.state()["resources"] if one["type"] == _GATE]

    def brokers(self) -> list[str]:
        """The names of the nodes that are brokers."""
        return sorted(node["name"] for node in self.nodes() if "broker" in node["roles"])

    @property
    def topics(self) -> list[str]:
        """The topics that the load goes to."""
        return ["load-classic", *(["load-diskless"] if self.sandbox.diskless else [])]

    @contextmanager
    def _console(self, watch: Watch | None) -> Iterator[Console]:
        with self.log.open("a", encoding="utf-8") as log:
            yield Console(file=cast("TextIO", _Lines(log, watch)), width=1000)


class _Lines(io.TextIOBase):
    """A log whose lines somebody else sees as well."""

    def __init__(self, log: TextIO, watch: Watch | None) -> None:
        self._log = log
        self._watch = watch

    def write(self, text: str) -> int:
        """Write, and show what was written."""
        self._log.write(text)
        self._log.flush()
        for line in text.splitlines():
            if self._watch is not None and line:
                self._watch(line)
        return len(text)


@contextmanager
def stage(directory: Path, narrate: Watch) -> Iterator[Stage]:
    """A stage below a directory, of which nothing is left at the end but the logs of a failure.

    That goes for a proof that is asked to end (SIGTERM) as well.
    """
    home = Home.at(directory)
    _remove(home, narrate)
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(_ENDED))
    try:
        yield Stage(home, narrate)
    except BaseException:
        _keep_logs(home, narrate)
        raise
    finally:
        _remove(home, narrate)
        signal.signal(signal.SIGTERM, before)


def _remove(home: Home, narrate: Watch) -> None:
    # First: without it, what is left of a killed proof is a sandbox's directory like any other.
    shutil.rmtree(home.root / _DIRECTORY, ignore_errors=True)
    lifecycle.down(home, narrate)
    with suppress(OSError):  # somebody else's files stay
        home.root.rmdir()


def _keep_logs(home: Home, narrate: Watch) -> None:
    logs = default_cache() / "proof-logs"
    if home.logs.is_dir():
        shutil.rmtree(logs, ignore_errors=True)
        shutil.copytree(home.logs, logs, ignore_dangling_symlinks=True)
        narrate(f"It failed; the logs are in {logs}")
