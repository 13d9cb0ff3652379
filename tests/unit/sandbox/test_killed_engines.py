"""What a killed engine leaves is found by comparing the account with the stacks' state."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from inkless_pulumi.sandbox import killed_engines
from inkless_pulumi.sandbox.account import Record
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.killed_engines import StackFile, settle, stacks_at_rest, unrecorded

VOLUME = "aws:ebs/volume:Volume"
INTERFACE = "aws:ec2/networkInterface:NetworkInterface"


def urn(token: str, name: str, stack: str = "dev", project: str = "shop") -> str:
    return f"urn:pulumi:{stack}::{project}::inkless:aws:InklessService${token}::{name}"


def volume(id: str, **differing: Any) -> Record:
    made: dict[str, Any] = {"urn": urn(VOLUME, id), "region": "eu-central-1"}
    return Record(VOLUME, id, **{**made, **differing})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path)


def stack(home: Home, *ids: str, pending: tuple[str, ...] = ()) -> StackFile:
    """A stack whose state knows these volumes, and these kinds of pending operations."""
    path = home.pulumi / ".pulumi" / "stacks" / "shop" / "dev.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    latest = {
        "resources": [{"type": VOLUME, "id": id} for id in ids],
        "pending_operations": [{"type": kind} for kind in pending],
    }
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    return StackFile(path, "dev", "shop")


def lock(home: Home, pid: int) -> Path:
    path = home.pulumi / ".pulumi" / "locks" / "organization" / "shop" / "dev" / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"pid": pid}))
    return path


def test_what_state_does_not_know_was_never_recorded(home: Home) -> None:
    found = unrecorded([stack(home, "vol-1")], [volume("vol-1"), volume("vol-2")])
    assert [record.id for record in found] == ["vol-2"]


@pytest.mark.parametrize(
    "record",
    [
        volume("vol-2", urn=urn(VOLUME, "x", stack="other")),
        volume("vol-2", urn=urn(VOLUME, "x", project="other")),
        volume("vol-2", ready=False),
        volume("vol-2", urn=urn(INTERFACE, "x")),
    ],
    ids=["another stack's", "another project's", "half made", "came with another resource"],
)
def test_what_is_not_this_stacks_own_is_left_alone(home: Home, record: Record) -> None:
    assert list(unrecorded([stack(home)], [record])) == []


def test_the_lock_of_an_engine_that_is_gone_is_removed(home: Home) -> None:
    stack(home)
    gone = lock(home, pid=2**22 + 1)  # beyond what Linux gives
    said: list[str] = []
    assert [one.stack for one in stacks_at_rest(home, said.append)] == ["dev"]
    assert not gone.exists()
    assert "dev" in said[0]


def test_a_stack_that_an_engine_works_on_is_left_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack(home)
    held = lock(home, os.getpid())
    monkeypatch.setattr("inkless_pulumi.sandbox.killed_engines._is_engine", lambda pid: True)
    assert stacks_at_rest(home, print) == []
    assert held.exists()


def test_a_process_that_took_over_the_pid_is_no_engine(home: Home) -> None:
    stack(home)
    taken_over = lock(home, 1)
    assert len(stacks_at_rest(home, print)) == 1
    assert not taken_over.exists()


def test_creations_are_settled_and_other_operations_left_to_the_engine(home: Home) -> None:
    interrupted = stack(home, "vol-1", pending=("creating", "deleting", "creating"))
    settle([interrupted])
    assert interrupted.deployment() == {
        "resources": [{"type": VOLUME, "id": "vol-1"}],
        "pending_operations": [{"type": "deleting"}],
    }


def test_a_stack_that_was_never_deployed_has_nothing_to_settle(home: Home) -> None:
    empty = stack(home)
    empty.path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": None}}))
    settle([empty])
    assert [one.id for one in unrecorded([empty], [volume("vol-1")])] == ["vol-1"]


@pytest.mark.parametrize(("text", "stays"), [("", False), ('{"user.', False), ("{}", True)])
def test_what_was_half_written_beside_the_state_does_not_hide_it(
    home: Home, text: str, stays: bool
) -> None:
    state = stack(home, "vol-1").path
    note = state.with_name("dev.json.attrs")
    note.write_text(text)
    assert [found.path for found in stacks_at_rest(home, print)] == [state]
    assert note.exists() is stays


def test_what_a_living_engine_writes_is_left_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = stack(home).path.with_name("dev.json.attrs")
    note.write_text("")
    lock(home, os.getpid())
    monkeypatch.setattr(killed_engines, "_is_engine", lambda pid: pid == os.getpid())
    assert stacks_at_rest(home, print) == []
    assert note.exists()
