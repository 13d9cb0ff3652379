"""Access rules: a rule owns the operations it lists, and no others."""

import json

import pytest

from inkless_pulumi.core.errors import ClusterError, InklessError
from inkless_pulumi.provider.access_rule import AccessRule, AccessRuleInputs, AccessRuleOutputs
from inkless_pulumi.provider.kafka.model import Acl, Refusal
from inkless_pulumi.provider.resource import Incomplete
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

RULE = AccessRuleInputs(
    principal="User:alice",
    resource_type="topic",
    resource_name="orders",
    operations=["read", "describe"],
    connection=CONNECTION,
)
ID = "User:alice;*;allow;topic;literal;orders"
NONE = AccessRuleOutputs()


def acl(operation: str) -> Acl:
    return Acl("User:alice", "*", "topic", "orders", "literal", operation, "allow")


@pytest.fixture
def cluster() -> MemoryCluster:
    return MemoryCluster()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def rule(cluster: MemoryCluster) -> AccessRule:
    return AccessRule(cluster.open)


def test_a_rule_is_one_entry_for_each_operation(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    assert rule.create(RULE, screen.context()).id == ID
    assert cluster.acls.all == {acl("read"), acl("describe")}


def test_a_rule_can_be_created_again_after_an_interruption(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.all = {acl("read")}
    rule.create(RULE, screen.context())
    assert cluster.acls.all == {acl("read"), acl("describe")}


def test_a_rule_that_is_refused_in_part_is_recorded(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.refused["describe"] = Refusal("INVALID_REQUEST", "no")
    with pytest.raises(Incomplete, match=r"describe \(INVALID_REQUEST: no\)"):
        rule.create(RULE, screen.context())


def test_a_rule_that_is_refused_altogether_is_not_recorded(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.refused = dict.fromkeys(RULE.operations, Refusal("INVALID_REQUEST", "no"))
    with pytest.raises(ClusterError, match="User:alice on topic orders"):
        rule.create(RULE, screen.context())


def test_a_missing_operation_is_drift_and_another_rules_is_not(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.all = {acl("read"), acl("write")}
    found = rule.read(ID, RULE, NONE, screen.context())
    assert found is not None
    assert found[0].operations == ["read"]


def test_a_rule_without_any_of_its_operations_is_gone(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.all = {acl("write")}
    assert rule.read(ID, RULE, NONE, screen.context()) is None


def test_an_import_takes_all_operations_that_are_there(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.acls.all = {acl("write"), acl("describe")}
    given = CONNECTION.model_dump(mode="json", by_alias=True)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(given))
    found = rule.read(ID, None, None, screen.context())
    assert found is not None
    assert found[0] == RULE.model_copy(update={"operations": ["describe", "write"]})


def test_an_import_by_something_else_says_what_the_id_is(rule: AccessRule, screen: Screen) -> None:
    with pytest.raises(InklessError, match="<principal>;<host>;<permission>"):
        rule.read("orders", None, None, screen.context())


def test_an_update_adds_and_takes_away_its_own(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.all = {acl("read"), acl("describe"), acl("delete")}
    new = RULE.model_copy(update={"operations": ["describe", "write"]})
    rule.update(ID, RULE, NONE, new, screen.context())
    assert cluster.acls.all == {acl("describe"), acl("write"), acl("delete")}


def test_a_deletion_takes_away_its_own_only(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.all = {acl("read"), acl("write")}
    rule.delete(ID, RULE, NONE, screen.context())
    assert cluster.acls.all == {acl("write")}


def test_an_operation_that_topics_do_not_have_is_refused(rule: AccessRule) -> None:
    known = {**dict(RULE), "operations": ["read", "cluster_action"]}
    [problem] = rule.check(known, None)
    assert problem.path == "operations[1]"


def test_who_and_what_replace_a_rule_and_the_connection_does_not() -> None:
    assert "principal" in AccessRule.replace_on
    assert not AccessRule.replace_on & {"operations", "connection"}
    assert not AccessRule.delete_before_replace
