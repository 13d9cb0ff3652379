"""What a killed engine leaves in a sandbox: its stack's lock, creations that it never recorded, and
an unreadable note beside its state.

In a cloud both are for the user to settle: `pulumi cancel`, and `pulumi refresh`, which asks about
each creation whose end it does not know. A sandbox has state and account side by side. What an
account got from a stack and the stack's state does not know is removed; the next `pulumi up`
creates it again.

Only stacks in the sandbox's own backend are looked at, and none whose engine is alive.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkless_pulumi.sandbox.account import Record
from inkless_pulumi.sandbox.home import Home, write_whole
from inkless_pulumi.sandbox.making import Progress

__all__ = ["StackFile", "of_stacks", "settle", "stacks_at_rest", "unrecorded"]


@dataclass(frozen=True)
class StackFile:
    """The state of a stack in the sandbox's backend."""

    path: Path
    stack: str
    project: str

    @property
    def checkpoint(self) -> dict[str, Any]:
        """All that the file holds."""
        content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return content

    def deployment(self) -> dict[str, Any]:
        """What was deployed last; empty where nothing ever was."""
        return self.checkpoint.get("checkpoint", {}).get("latest") or {}


def stacks_at_rest(home: Home, progress: Progress) -> list[StackFile]:
    """The stacks that no engine works on, fit to be worked on: without a dead engine's lock."""
    root = home.pulumi / ".pulumi"
    found = []
    for path in sorted((root / "stacks").glob("*/*.json")):
        stack = StackFile(path, stack=path.stem, project=path.parent.name)
        locks = list((root / "locks").glob(f"*/{stack.project}/{stack.stack}/*.json"))
        held = [lock for lock in locks if _is_held(lock)]
        for lock in locks:
            if lock not in held:
                progress(f"Unlocking the stack {stack.stack}, whose engine was killed")
                lock.unlink(missing_ok=True)
        if not held:
            _remove_half_written_note(path)
            found.append(stack)
    return found


def _remove_half_written_note(state: Path) -> None:
    """Remove what the engine notes of a file beside it, if a kill cut that off.

    State itself is replaced in one step, but what is noted of it is not: where that is no JSON, the
    engine reads no state at all (`failed to load checkpoint: EOF`), and without it, it does.
    """
    note = state.with_name(f"{state.name}.attrs")
    try:
        json.loads(note.read_bytes())
    except FileNotFoundError:
        return
    except ValueError:
        note.unlink(missing_ok=True)


def unrecorded(stacks: list[StackFile], records: list[Record]) -> Iterator[Record]:
    """Resources of these stacks that their state does not know.

    What came along with another resource, such as a machine's own interface, is that one's.
    """
    in_state = {
        (stack.project, stack.stack, one["type"], one.get("id"))
        for stack in stacks
        for one in stack.deployment().get("resources", ())
    }
    for record in of_stacks(stacks, records):
        project, stack, token = _origin(record)
        is_known = (project, stack, token, record.id) in in_state
        if record.ready and token == record.token and not is_known:
            yield record


def of_stacks(stacks: list[StackFile], records: list[Record]) -> Iterator[Record]:
    """Resources that these stacks created."""
    ours = {(stack.project, stack.stack) for stack in stacks}
    return (record for record in records if _origin(record)[:2] in ours)


def settle(stacks: list[StackFile]) -> None:
    """Strike creations out of the pending ones: nothing is left of them.

    The engine itself keeps them, and warns of them, until a user has said what became of each.
    """
    for stack in stacks:
        content = stack.checkpoint
        latest = content.get("checkpoint", {}).get("latest") or {}
        pending = latest.get("pending_operations") or []
        left = [one for one in pending if one.get("type") != "creating"]
        if left != pending:
            latest["pending_operations"] = left
            write_whole(stack.path, json.dumps(content, indent=4))


def _origin(record: Record) -> tuple[str, str, str]:
    """Project, stack and type in a resource's URN."""
    stack, project, types, *_ = record.urn.removeprefix("urn:pulumi:").split("::")
    return project, stack, types.rpartition("$")[2]


def _is_held(lock: Path) -> bool:
    """Whether the engine that made a lock still runs."""
    try:
        return _is_engine(int(json.loads(lock.read_text(encoding="utf-8"))["pid"]))
    except (OSError, ValueError, KeyError):
        return False


def _is_engine(pid: int) -> bool:
    """Whether a process is Pulumi's: the number may be another's by now."""
    try:
        program = Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0]
    except OSError:
        return False
    return Path(program.decode(errors="replace")).name == "pulumi"
