"""The real Pulumi engine over programs in this process."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pulumi
from pulumi import automation

PROJECT = "tests"
Program = Callable[[], None]
Listener = Callable[[automation.EngineEvent], None]


@dataclass
class Run:
    """What one engine operation did."""

    changes: Mapping[str, int]
    """Operation to number of resources: `create`, `update`, `replace`, `same`, …"""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    events: list[automation.EngineEvent] = field(default_factory=list)
    text: str = ""

    def steps(self, name: str) -> list[Any]:
        """What was planned for the resource with this name, in order."""
        planned = [event.resource_pre_event for event in self.events if event.resource_pre_event]
        steps = [event.metadata for event in planned]
        return [step for step in steps if step.urn.rpartition("::")[2] == name]

    @property
    def changed(self) -> dict[str, int]:
        """The changes without what stayed as it was."""
        return {operation: n for operation, n in self.changes.items() if operation != "same"}


def _counted(changes: Mapping[Any, int] | None) -> dict[str, int]:
    """Changes by the operation's name, whether Pulumi's library gives an enum or a string."""
    return {
        str(getattr(operation, "value", operation)): n for operation, n in (changes or {}).items()
    }


def _lines(path: Path) -> list[str]:
    """A file's lines; none when its process ended meanwhile."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


class EngineError(Exception):
    """The engine failed; its text is all that it said."""


@contextmanager
def _told() -> Iterator[None]:
    """Raise an EngineError for a failed command."""
    try:
        yield
    except automation.CommandError as failed:
        raise EngineError(str(failed)) from None


class TolerantLog:
    """Pulumi's log, but one that a program may use after its engine has ended.

    The automation library logs before it closes a program's event loop; when the engine is gone by
    then, as it is after a failure, it would leave the loop open for pytest to find.
    """

    def __getattr__(self, name: str) -> Callable[..., None]:
        write = getattr(pulumi.log, name)

        def tolerant(*args: Any, **kwargs: Any) -> None:
            with suppress(grpc.RpcError):
                write(*args, **kwargs)

        return tolerant


class EventLoops:
    """Closes the event loop of every program, whatever became of the program.

    The library gives up closing it where several outputs of a program failed, as they do when many
    resources depend on one wrong value.
    """

    def __init__(self) -> None:
        self._of_this_thread = threading.local()
        self.asyncio = SimpleNamespace(**{**vars(asyncio), "new_event_loop": self._make})
        """What the library is to take for asyncio."""

    def _make(self) -> asyncio.AbstractEventLoop:
        self._of_this_thread.loop = asyncio.new_event_loop()
        return self._of_this_thread.loop  # type: ignore[no-any-return]

    def closed_after(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """The library's way to run a program, and then what it may have left undone."""

        def tidy(*arguments: Any) -> Any:
            try:
                return run(*arguments)
            finally:
                self._of_this_thread.loop.close()

        return tidy


class Engine:
    """One stack, whose program a test may change from run to run."""

    def __init__(self, home: Path, environment: Mapping[str, str], command: Path) -> None:
        self._state = home / "state"
        self._state.mkdir()
        variables = {
            "PULUMI_HOME": str(home / "home"),
            "PULUMI_BACKEND_URL": self._state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "for tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            **environment,
        }
        self._options = automation.LocalWorkspaceOptions(
            work_dir=str(home),
            env_vars=variables,
            pulumi_command=automation.PulumiCommand(str(command.parent.parent)),
            project_settings=automation.ProjectSettings(PROJECT, "python"),
        )
        self._stack: automation.Stack | None = None

    def preview(self, program: Program) -> Run:
        """Ask what would happen."""
        events: list[automation.EngineEvent] = []
        with _told():
            result = self._run(program).preview(on_event=events.append, diff=True)
        changes = _counted(result.change_summary)
        return Run(changes, events=events, text=result.stdout + result.stderr)

    def up(self, program: Program, listen: Listener | None = None, **options: Any) -> Run:
        """Make it so; `listen` hears of events as they happen."""
        events: list[automation.EngineEvent] = []

        def record(event: automation.EngineEvent) -> None:
            events.append(event)
            if listen is not None:
                listen(event)

        with _told():
            result = self._run(program).up(on_event=record, **options)
        outputs = {name: output.value for name, output in result.outputs.items()}
        changes = _counted(result.summary.resource_changes)
        return Run(changes, outputs, events, result.stdout + result.stderr)

    def refresh(self) -> Run:
        """Compare state with the real things."""
        assert self._stack is not None
        events: list[automation.EngineEvent] = []
        with _told():
            result = self._stack.refresh(on_event=events.append)
        changes = _counted(result.summary.resource_changes)
        return Run(changes, events=events, text=result.stdout + result.stderr)

    def destroy(self) -> Run:
        """Delete everything, after a look at what that means, as `pulumi destroy` does."""
        assert self._stack is not None
        events: list[automation.EngineEvent] = []
        with _told():
            self._stack.preview_destroy()
            result = self._stack.destroy(on_event=events.append)
        changes = _counted(result.summary.resource_changes)
        return Run(changes, events=events, text=result.stdout + result.stderr)

    def state(self) -> str:
        """The state file as it lies on disk, secrets encrypted."""
        return self._file().read_text()

    def resources(self) -> dict[str, dict[str, Any]]:
        """The recorded resources by name."""
        deployment = json.loads(self.state())["checkpoint"]["latest"] or {}
        recorded = deployment.get("resources", [])
        return {resource["urn"].rpartition("::")[2]: resource for resource in recorded}

    def record(self, name: str, **parts: object) -> None:
        """Change what state says of a resource, behind the engine's back."""
        whole = json.loads(self.state())
        for resource in whole["checkpoint"]["latest"]["resources"]:
            if resource["urn"].rpartition("::")[2] == name:
                resource.update(parts)
        self._file().write_text(json.dumps(whole))

    def interrupt(self) -> None:
        """Press Ctrl-C at the engine."""
        for status in Path("/proc").glob("[0-9]*/status"):
            lines = dict(line.split(":\t", 1) for line in _lines(status) if ":\t" in line)
            if lines.get("Name") == "pulumi" and lines.get("PPid") == str(os.getpid()):
                os.kill(int(status.parent.name), signal.SIGINT)

    def _file(self) -> Path:
        return self._state / ".pulumi" / "stacks" / PROJECT / "test.json"

    def _run(self, program: Program) -> automation.Stack:
        if self._stack is None:
            self._stack = automation.create_or_select_stack(
                "test", project_name=PROJECT, program=program, opts=self._options
            )
        self._stack.workspace.program = program
        return self._stack
