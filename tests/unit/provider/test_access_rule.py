"""Access rules: a rule owns the operations it lists, and no others."""

import json

import pytest

from inkless_pulumi.core.errors import ClusterError, InklessError
from inkless_pulumi.provider.access_rule import AccessRule, AccessRuleInputs, AccessRuleOutputs
from inkless_pulumi.provider.kafka.model import Acl, NewTopic, Refusal
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
    cluster.acls.refused = dict.fromkeys(RULE.operations or (), Refusal("INVALID_REQUEST", "no"))
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
    imported = {"operations": ["describe", "write"], "pattern_type": "literal"}
    assert found[0] == RULE.model_copy(update=imported)


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


def test_another_principal_gets_its_entries_before_the_old_one_loses_them(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.acls.all = {acl("read"), acl("describe")}
    bob = RULE.model_copy(update={"principal": "User:bob"})
    rule.update(ID, RULE, NONE, bob, screen.context())
    assert {entry.principal for entry in cluster.acls.all} == {"User:bob"}
    assert AccessRule.replace_on == frozenset()


# By intent

CONSUMER = AccessRuleInputs(
    principal="User:alice", intent="consume", topic="orders", group="app*", connection=CONNECTION
)
CONSUMER_ID = "User:alice;*;allow;consume;orders;app*"


def entries(cluster: MemoryCluster) -> set[str]:
    return {
        f"{entry.operation} {entry.resource_type} {entry.resource_name} {entry.pattern_type}"
        for entry in cluster.acls.all
    }


def test_to_consume_takes_the_topic_and_the_group(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    assert rule.create(CONSUMER, screen.context()).id == CONSUMER_ID
    assert entries(cluster) == {
        "read topic orders literal",
        "describe topic orders literal",
        "read group app prefixed",
        "describe group app prefixed",
    }


def test_to_produce_in_transactions_takes_the_transactional_id(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    producer = CONSUMER.model_copy(
        update={"intent": "produce", "group": None, "transactional_id": "tx"}
    )
    rule.create(producer, screen.context())
    assert "write transactional_id tx literal" in entries(cluster)
    assert screen.warnings == []


@pytest.mark.parametrize("topic", ["events", "ev*", "*"])
def test_transactions_on_a_diskless_topic_are_warned_of(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen, topic: str
) -> None:
    for name, settings in (("events", {"diskless.enable": "true"}), ("orders", {})):
        cluster.topics.create([NewTopic(name, 1, None, settings)])
    changes = {"intent": "produce", "group": None, "transactional_id": "tx", "topic": topic}
    rule.create(CONSUMER.model_copy(update=changes), screen.context())
    [warning] = screen.warnings
    assert "on the diskless topic events, which has no transactions" in warning


def test_an_intent_of_which_a_part_was_taken_away_is_put_back(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    rule.create(CONSUMER, screen.context())
    whole = set(cluster.acls.all)
    [lost] = [acl for acl in whole if (acl.resource_type, acl.operation) == ("group", "read")]
    cluster.acls.all.remove(lost)
    found = rule.read(CONSUMER_ID, CONSUMER, NONE, screen.context())
    assert found == (CONSUMER, AccessRuleOutputs(missing=["read on group app*"]))
    assert list(rule.stale({}, found[1])) == ["missing"]
    assert rule.update(CONSUMER_ID, CONSUMER, found[1], CONSUMER, screen.context()) == NONE
    assert cluster.acls.all == whole


def test_an_intent_of_which_nothing_is_left_is_gone(rule: AccessRule, screen: Screen) -> None:
    assert rule.read(CONSUMER_ID, CONSUMER, NONE, screen.context()) is None


def test_what_two_intents_share_stays_when_one_becomes_the_other(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen
) -> None:
    rule.create(CONSUMER, screen.context())
    other = CONSUMER.model_copy(update={"group": "other"})
    rule.update(CONSUMER_ID, CONSUMER, NONE, other, screen.context())
    assert entries(cluster) == {
        "read topic orders literal",
        "describe topic orders literal",
        "read group other literal",
        "describe group other literal",
    }


def test_a_rule_by_intent_is_imported(
    rule: AccessRule, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule.create(CONSUMER, screen.context())
    given = CONNECTION.model_dump(mode="json", by_alias=True)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(given))
    assert rule.read(CONSUMER_ID, None, None, screen.context()) == (CONSUMER, NONE)
