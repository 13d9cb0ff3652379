"""Users: the password is in the store before the cluster hears of it, and is never lost."""

import json

import pytest

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed, SecretStoreError
from inkless_pulumi.provider.kafka.model import ScramCredential
from inkless_pulumi.provider.resource import Incomplete
from inkless_pulumi.provider.user import User, UserInputs, UserOutputs
from tests.unit.provider.memory_cluster import (
    CONNECTION,
    STORE,
    MemoryCluster,
    MemoryStore,
    Screen,
)

ALICE = UserInputs(name="alice", secret_id="alice", secret_store=STORE, connection=CONNECTION)
MADE = UserOutputs(version_id="version-1")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore("alice", "elsewhere")


@pytest.fixture
def user(cluster: MemoryCluster, store: MemoryStore) -> User:
    return User(cluster.open, store.open)


def test_the_password_in_the_store_is_the_clusters(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    made = user.create(ALICE, screen.context())
    assert (made.id, made.outputs) == ("alice", MADE)
    stored = json.loads(store.read("alice"))
    assert stored == {
        "username": "alice",
        "password": cluster.users.of("alice").password,
        "mechanism": "SCRAM-SHA-512",
    }
    assert stored["password"].isalnum()
    assert len(stored["password"]) == 32


def test_a_creation_that_lost_the_cluster_goes_on_with_the_same_password(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    cluster.users.fail_next = ConnectionFailed("the cluster is gone")
    with pytest.raises(Incomplete) as interrupted:
        user.create(ALICE, screen.context())
    assert (interrupted.value.id, interrupted.value.outputs) == ("alice", MADE)
    stored = json.loads(store.read("alice"))
    user.update("alice", ALICE, MADE, ALICE, screen.context())
    assert cluster.users.of("alice").password == stored["password"]
    assert store.writes == 1


def test_a_creation_that_was_killed_goes_on_with_the_same_password(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    store.write("alice", json.dumps({"username": "alice", "password": "kept"}))
    user.create(ALICE, screen.context())
    assert cluster.users.of("alice").password == "kept"


def test_a_user_of_someone_else_is_not_taken_over(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    cluster.users.add(ScramCredential("alice", "theirs", 8192))
    with pytest.raises(ClusterError, match="alice exists already"):
        user.create(ALICE, screen.context())
    assert cluster.users.of("alice").password == "theirs"
    assert store.writes == 0


@pytest.mark.parametrize("content", ["a password", "[]", '{"username": "bob", "password": "x"}'])
def test_a_secret_with_something_else_in_it_is_not_overwritten(
    user: User, store: MemoryStore, screen: Screen, content: str
) -> None:
    store.write("alice", content)
    with pytest.raises(SecretStoreError, match="a secret of its own") as refused:
        user.create(ALICE, screen.context())
    assert content not in str(refused.value)
    assert store.read("alice") == content


def test_more_iterations_keep_the_password(
    user: User, cluster: MemoryCluster, screen: Screen
) -> None:
    user.create(ALICE, screen.context())
    before = cluster.users.of("alice")
    user.update(
        "alice", ALICE, MADE, ALICE.model_copy(update={"iterations": 16384}), screen.context()
    )
    after = cluster.users.of("alice")
    assert (after.password, after.iterations) == (before.password, 16384)


def test_another_secret_receives_the_same_password(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    user.create(ALICE, screen.context())
    moved = ALICE.model_copy(update={"secret_id": "elsewhere"})
    answered = user.update("alice", ALICE, MADE, moved, screen.context())
    assert answered.version_id == "version-2"
    assert store.read("elsewhere") == store.read("alice")


def test_a_lost_password_is_drift_that_the_next_update_mends(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    user.create(ALICE, screen.context())
    before = cluster.users.of("alice").password
    store.values["alice"] = None
    found = user.read("alice", ALICE, MADE, screen.context())
    assert found is not None
    assert found[0].secret_id == ""
    assert "is lost" in screen.warnings[0]
    user.update("alice", found[0], found[1], ALICE, screen.context())
    after = cluster.users.of("alice").password
    assert after != before
    assert json.loads(store.read("alice"))["password"] == after


def test_iterations_that_others_changed_are_drift(
    user: User, cluster: MemoryCluster, screen: Screen
) -> None:
    user.create(ALICE, screen.context())
    cluster.users.add(ScramCredential("alice", "x", 4096))
    found = user.read("alice", ALICE, MADE, screen.context())
    assert found is not None
    assert found[0].iterations == 4096


def test_a_user_that_is_gone_is_read_as_gone_and_comes_back_with_its_password(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    user.create(ALICE, screen.context())
    cluster.users.all.clear()
    assert user.read("alice", ALICE, MADE, screen.context()) is None
    user.create(ALICE, screen.context())
    stored = json.loads(store.read("alice"))
    assert cluster.users.of("alice").password == stored["password"]


def test_an_import_names_the_user_and_its_secret(
    user: User,
    cluster: MemoryCluster,
    store: MemoryStore,
    screen: Screen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:alice-AbCdEf"
    store.values[arn] = None
    store.write(arn, json.dumps({"username": "alice", "password": "kept"}))
    cluster.users.add(ScramCredential("alice", "kept", 8192))
    given = CONNECTION.model_dump(mode="json", by_alias=True)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(given))
    found = user.read(f"alice,{arn}", None, None, screen.context())
    assert found is not None
    assert found[0] == ALICE.model_copy(update={"secret_id": arn})


def test_a_deleted_user_is_gone_and_its_secret_is_not(
    user: User, cluster: MemoryCluster, store: MemoryStore, screen: Screen
) -> None:
    user.create(ALICE, screen.context())
    user.delete("alice", ALICE, MADE, screen.context())
    assert cluster.users.all == {}
    assert store.find("alice") is not None


def test_a_rename_is_refused_with_a_way_out(user: User) -> None:
    [problem] = user.check({**dict(ALICE), "name": "bob"}, dict(ALICE))
    assert "declare a new user" in problem.remedy


@pytest.mark.parametrize("iterations", [4095, 16385])
def test_iterations_that_kafka_refuses_are_refused_here(user: User, iterations: int) -> None:
    [problem] = user.check({**dict(ALICE), "iterations": iterations}, None)
    assert problem.path == "iterations"


def test_a_name_that_would_be_an_administrator_is_refused(user: User) -> None:
    [problem] = user.check({**dict(ALICE), "name": "inkless-admin"}, None)
    assert problem.path == "name"
