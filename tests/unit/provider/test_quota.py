"""Quotas: limits of users and clients."""

import json
from typing import Any

import pytest

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.core.quotas import RATES, quota_problems
from inkless_pulumi.provider.quota import Quota, QuotaInputs, QuotaOutputs
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

ALICE = QuotaInputs(user="alice", producer_byte_rate="10MiB", connection=CONNECTION)
NONE = QuotaOutputs()
ENTITY = (("user", "alice"),)
NOTHING: dict[str, Any] = dict.fromkeys(("user", "client_id", *RATES))


@pytest.fixture
def quota(cluster: MemoryCluster) -> Quota:
    return Quota(cluster.open)


def test_a_quota_is_set_read_changed_and_removed(
    quota: Quota, cluster: MemoryCluster, screen: Screen
) -> None:
    made = quota.create(ALICE, screen.context())
    assert made.id == "user=alice"
    assert cluster.quotas.all == {ENTITY: {"producer_byte_rate": 10485760.0}}
    assert quota.read(made.id, ALICE, NONE, screen.context()) == (ALICE, NONE)

    reader = QuotaInputs(user="alice", request_percentage=50, connection=CONNECTION)
    quota.update(made.id, ALICE, NONE, reader, screen.context())
    assert cluster.quotas.all == {ENTITY: {"request_percentage": 50.0}}

    quota.delete(made.id, reader, NONE, screen.context())
    assert quota.read(made.id, reader, NONE, screen.context()) is None


def test_another_entity_takes_the_limits_along(
    quota: Quota, cluster: MemoryCluster, screen: Screen
) -> None:
    quota.create(ALICE, screen.context())
    others = ALICE.model_copy(update={"user": "*", "client_id": "app"})
    quota.update("user=alice", ALICE, NONE, others, screen.context())
    assert cluster.quotas.all == {
        ENTITY: {},
        (("user", None), ("client-id", "app")): {"producer_byte_rate": 10485760.0},
    }


def test_a_limit_that_somebody_changed_or_set_is_drift(
    quota: Quota, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.quotas.all[ENTITY] = {"producer_byte_rate": 5.0, "request_percentage": 10.0}
    found = quota.read("user=alice", ALICE, NONE, screen.context())
    assert found is not None
    changed = {"producer_byte_rate": "5", "request_percentage": 10.0}
    assert found[0] == ALICE.model_copy(update=changed)


def test_a_quota_is_imported_by_whom_it_limits(
    quota: Quota, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.quotas.all[(("user", "alice"), ("client-id", None))] = {"consumer_byte_rate": 1e6}
    given = CONNECTION.model_dump(mode="json", by_alias=True)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(given))
    found = quota.read("user=alice;client_id=*", None, None, screen.context())
    assert found is not None
    assert found[0].consumer_byte_rate == "1000000"
    with pytest.raises(InklessError, match="Import by user=<name>"):
        quota.read("alice", None, None, screen.context())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"producer_byte_rate": "1MiB"},
            'user: is needed, or client_id; name a user, a client_id, or both; "*" is everyone '
            "without a quota of their own",
        ),
        (
            {"user": "inkless-admin", "producer_byte_rate": "1MiB"},
            'user = "inkless-admin": is reserved: nodes and the administrator have names like it '
            'and may do everything; choose a name that does not begin with "inkless-"',
        ),
        (
            {"user": "alice"},
            "producer_byte_rate: limits nothing; set any of producer_byte_rate, "
            "consumer_byte_rate, request_percentage, controller_mutation_rate",
        ),
        (
            {"user": "alice", "producer_byte_rate": "fast"},
            'producer_byte_rate = "fast": must be a number; use a number of bytes, or a size like '
            "512MiB or 50GiB, a second",
        ),
        (
            {"user": "alice", "consumer_byte_rate": "0"},
            'consumer_byte_rate = "0": must be more than 0; leave it out for no limit',
        ),
        (
            {"user": "alice", "consumer_byte_rate": "1.5"},
            'consumer_byte_rate = "1.5": must be a whole number of bytes; round it',
        ),
        (
            {"client_id": "", "request_percentage": 1},
            'client_id = "": must not be empty; use "*" for others',
        ),
        (
            {"user": "alice", "request_percentage": -1},
            "request_percentage = -1: must be more than 0; leave it out for no limit",
        ),
    ],
)
def test_a_wrong_quota_is_refused_with_a_way_out(arguments: dict[str, Any], message: str) -> None:
    assert [str(problem) for problem in quota_problems(NOTHING | arguments)] == [message]


def test_a_rate_may_be_a_number() -> None:
    assert QuotaInputs(producer_byte_rate=1024, connection=CONNECTION).producer_byte_rate == "1024"


def test_what_is_not_known_yet_is_passed_over() -> None:
    assert quota_problems({}) == []
