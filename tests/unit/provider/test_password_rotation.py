"""A user's password is followed by another one, and the former stays good for a while."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from inkless_pulumi.core.errors import ConnectionFailed, DeclarationError, SecretStoreError
from inkless_pulumi.provider.kafka.model import Mechanism, ScramCredential
from inkless_pulumi.provider.user import User, UserInputs, UserOutputs
from tests.unit.provider.memory_cluster import (
    CONNECTION,
    STORE,
    MemoryCluster,
    MemoryStore,
    Screen,
)

ALICE = UserInputs(name="alice", secret_id="alice", secret_store=STORE, connection=CONNECTION)
SHA_512: Mechanism = "SCRAM-SHA-512"
SHA_256: Mechanism = "SCRAM-SHA-256"


class Rotations:
    """One user, as updates go over it."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.store = MemoryStore("alice")
        self.screen = Screen()
        self.user = User(self.cluster.open, self.store.open)
        self.inputs = ALICE
        self.outputs = self.user.create(ALICE, self.screen.context()).outputs

    def update(self, **changed: object) -> UserOutputs:
        """Update the user, as the engine does: recorded only if it succeeds."""
        inputs = self.inputs.model_copy(update=changed)
        self.outputs = self.user.update(
            "alice", self.inputs, self.outputs, inputs, self.screen.context()
        )
        self.inputs = inputs
        return self.outputs

    def stored(self) -> tuple[str, str]:
        """What the secret says: mechanism and password."""
        value = json.loads(self.store.read("alice"))
        return value["mechanism"], value["password"]

    def accepted(self) -> set[tuple[str, str]]:
        """What the cluster lets the user log in with."""
        credentials = self.cluster.users.all.values()
        return {(credential.mechanism, credential.password) for credential in credentials}

    def let_time_pass(self) -> None:
        """Until the former password's time is over."""
        earlier = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.outputs = self.outputs.model_copy(update={"former_until": earlier})


@pytest.fixture
def rotations() -> Rotations:
    return Rotations()


def test_both_passwords_are_good_until_the_time_that_was_set(rotations: Rotations) -> None:
    former = rotations.stored()
    outputs = rotations.update(rotation="2026-11", overlap_hours=48)
    current = rotations.stored()
    assert rotations.accepted() == {former, current}
    assert former[1] != current[1]
    assert outputs.mechanism == current[0] == SHA_256
    left = datetime.fromisoformat(outputs.former_until) - datetime.now(UTC)
    assert timedelta(hours=47) < left <= timedelta(hours=48)
    assert not list(rotations.user.stale({}, outputs))


def test_the_former_password_ends_with_the_first_update_after_its_time(
    rotations: Rotations,
) -> None:
    rotations.update(rotation="2026-11")
    rotations.let_time_pass()
    assert list(rotations.user.stale({}, rotations.outputs)) == ["former_until"]
    outputs = rotations.update()
    assert rotations.accepted() == {rotations.stored()}
    assert outputs.former_until == ""
    assert not list(rotations.user.stale({}, outputs))


def test_rotations_take_turns_with_the_mechanisms(rotations: Rotations) -> None:
    mechanisms = []
    for number in range(3):
        mechanisms.append(rotations.update(rotation=f"{number}").mechanism)
        rotations.let_time_pass()
        rotations.update()
    assert mechanisms == [SHA_256, SHA_512, SHA_256]
    assert rotations.accepted() == {rotations.stored()}


def test_an_urgent_rotation_ends_every_other_password_at_once(rotations: Rotations) -> None:
    rotations.update(rotation="planned")
    outputs = rotations.update(rotation="leaked", overlap_hours=0)
    assert rotations.accepted() == {rotations.stored()}
    assert outputs.former_until == ""


def test_a_third_password_is_refused_at_preview_and_changes_nothing(rotations: Rotations) -> None:
    rotations.update(rotation="first")
    before = rotations.accepted()
    with pytest.raises(DeclarationError, match=r"is good until .*; rotate after that") as refused:
        rotations.user.preview({"rotation": "second", "overlap_hours": 24}, rotations.outputs)
    assert refused.value.problems[0].path == "rotation"
    with pytest.raises(DeclarationError):
        rotations.update(rotation="second")
    assert rotations.accepted() == before


def test_preview_tells_the_mechanism_that_clients_will_need(rotations: Rotations) -> None:
    assert rotations.user.preview({"rotation": "x"}, rotations.outputs)["mechanism"] == SHA_256
    assert rotations.user.preview({}, rotations.outputs)["mechanism"] == SHA_512


def test_a_rotation_that_lost_the_cluster_leaves_the_password_as_it_was(
    rotations: Rotations,
) -> None:
    before = rotations.stored()
    rotations.cluster.users.fail_next = ConnectionFailed("the cluster is gone")
    with pytest.raises(ConnectionFailed):
        rotations.update(rotation="2026-11")
    assert rotations.stored() == before
    assert rotations.accepted() == {before}
    rotations.update(rotation="2026-11")
    assert rotations.accepted() == {before, rotations.stored()}


def test_a_rotation_killed_before_the_secret_was_written_is_done_again(
    rotations: Rotations,
) -> None:
    before = rotations.stored()
    rotations.cluster.users.add(ScramCredential("alice", "never stored", 8192, SHA_256))
    rotations.update(rotation="2026-11")
    assert rotations.accepted() == {before, rotations.stored()}


def test_a_rotation_killed_before_it_was_recorded_is_found_done(rotations: Rotations) -> None:
    before, recorded, inputs = rotations.stored(), rotations.outputs, rotations.inputs
    rotations.update(rotation="2026-11")
    rotated = rotations.stored()
    rotations.outputs, rotations.inputs = recorded, inputs
    outputs = rotations.update(rotation="2026-11")
    assert rotations.stored() == rotated
    assert rotations.accepted() == {before, rotated}
    assert (outputs.mechanism, outputs.rotated_for) == (SHA_256, "2026-11")
    assert outputs.former_until


def test_a_refresh_in_between_finds_no_drift(rotations: Rotations) -> None:
    rotations.update(rotation="2026-11")
    known = (rotations.inputs, rotations.outputs)
    assert rotations.user.read("alice", *known, rotations.screen.context()) == known


def test_other_changes_leave_the_former_password_alone(rotations: Rotations) -> None:
    former = rotations.stored()
    rotations.update(rotation="2026-11")
    rotations.update(iterations=16384)
    assert rotations.accepted() == {former, rotations.stored()}


def test_a_deleted_user_keeps_neither_password(rotations: Rotations) -> None:
    rotations.update(rotation="2026-11")
    context = rotations.screen.context()
    rotations.user.delete("alice", rotations.inputs, rotations.outputs, context)
    assert rotations.accepted() == set()


def test_a_secret_that_others_changed_meanwhile_is_not_overwritten(rotations: Rotations) -> None:
    rotations.store.write("alice", "theirs")
    with pytest.raises(SecretStoreError, match="holds something else"):
        rotations.update(rotation="2026-11")
    assert rotations.store.read("alice") == "theirs"


def test_a_secret_of_before_there_were_mechanisms_is_understood(rotations: Rotations) -> None:
    _, password = rotations.stored()
    rotations.store.write("alice", json.dumps({"username": "alice", "password": password}))
    rotations.update(rotation="2026-11")
    assert rotations.accepted() == {(SHA_512, password), rotations.stored()}


def test_a_negative_overlap_is_refused(rotations: Rotations) -> None:
    [problem] = rotations.user.check({"overlap_hours": -1}, None)
    assert problem.path == "overlap_hours"
