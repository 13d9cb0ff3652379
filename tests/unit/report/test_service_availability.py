"""What is said of those who use the service while it changes."""

import copy
from typing import Any

import pytest

from inkless_pulumi.report.assessment import Report, assess
from inkless_pulumi.report.reading import read_plan
from tests.unit.report.previews import (
    CLASSIC,
    DISKLESS,
    KAFKA,
    SERVICE,
    UNKNOWN,
    create,
    delete,
    digest,
    finding,
    node,
    report,
    same,
    service,
    step,
    text,
    topic,
    update,
)

ROLL = service({"num.io.threads": "8"}, {"num.io.threads": "12"}, rolls=True)


def test_a_roll_is_told_in_one_sentence() -> None:
    found = report(*ROLL)
    assert found.status == "safe"
    assert text(finding(found, "nodes-replaced")).splitlines() == [
        "3 nodes are replaced, one at a time, node-1 (eu-west-1a) first, because num.io.threads "
        "changes from 8 to 12; about 9 to 15 min",
        "In this order: node-1 (eu-west-1a), node-2 (eu-west-1b), node-3 (eu-west-1c)",
        "The next node is touched when the one before it is back and all replicas are in sync",
        "Addresses and data volumes stay",
    ]
    assert found.verdict.endswith("no topic of this stack becomes unavailable")


def test_an_order_that_is_not_decided_yet_is_not_told() -> None:
    order = update(
        "inkless:index:RollingOrder",
        "kafka-rolling-order",
        {},
        {},
        parent=KAFKA,
        outputs={"order": UNKNOWN},
        changed=["runs"],
    )
    said = text(finding(report(*ROLL, order), "nodes-replaced"))
    assert "first" not in said.splitlines()[0]
    assert "the order is decided when the update begins" in said


def test_an_order_that_is_decided_goes_before_that_of_the_steps() -> None:
    order = update(
        "inkless:index:RollingOrder",
        "kafka-rolling-order",
        {},
        {},
        parent=KAFKA,
        outputs={"order": [2.0, 3.0, 1.0]},
        changed=["runs"],
    )
    said = text(finding(report(*ROLL, order), "nodes-replaced"))
    assert "In this order: node-2 (eu-west-1b), node-3 (eu-west-1c), node-1" in said


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (["broker", "controller"], "begins, and the active controller comes last"),
        (["controller"], "begins, and the active controller comes last of the controllers"),
        (["broker"], "begins"),
    ],
)
def test_the_active_controller_comes_last_of_those_that_are_controllers(
    roles: list[str], said: str
) -> None:
    undecided = {"order": UNKNOWN}
    order = update(
        *("inkless:index:RollingOrder", "kafka-rolling-order", {}, {}),
        parent=KAFKA,
        outputs=undecided,
        changed=["runs"],
    )
    given = {"node-1": roles, "node-2": ["broker"], "node-3": ["broker"]}
    roll = copy.deepcopy(ROLL)
    for state in (one.get(side) for one in roll for side in ("oldState", "newState")):
        if state and "roles" in state["inputs"]:
            combined = len(roles) == 2
            state["inputs"]["roles"] = roles if combined else given[state["inputs"]["name"]]
    _, line, *_ = text(finding(report(*roll, order), "nodes-replaced")).splitlines()
    assert line.endswith(f"; the order is decided when the update {said}")


def test_what_is_declared_comes_before_what_follows_from_it() -> None:
    roll = service(
        {"inkless.consume.cache.max.bytes": "2"},
        {"inkless.consume.cache.max.bytes": "1"},
        rolls=True,
    )
    component = step("update", SERVICE, "kafka", {}, {"heapMib": 1536})
    title = finding(report(component, *roll[1:]), "nodes-replaced").title
    assert title.index("heap_mib") < title.index("inkless.consume.cache.max.bytes")


def test_a_topic_without_a_replica_to_spare_becomes_unavailable() -> None:
    found = report(
        *ROLL,
        same(CLASSIC, "one", topic("one", replicationFactor=1)),
        same(CLASSIC, "two", topic("two", replicationFactor=2)),
        same(CLASSIC, "strict", topic("strict", settings={"min.insync.replicas": "3"})),
        same(CLASSIC, "usual", topic("usual")),
        same(DISKLESS, "events", topic("events", replicationFactor=1)),
    )
    said = text(finding(found, "topic-unavailable"))
    assert (
        "3 topics will be unavailable for a time, while nodes are replaced: one, strict and two"
        in said
    )
    assert "one: one replica; it can't be read or written" in said
    assert "two: 2 replicas and min.insync.replicas 2; it can't be written" in said
    assert found.status == "downtime"
    assert "no topic" not in found.verdict


def guarded(before: str | None, declared: str | None) -> Report:
    """A roll of nodes with a guard, with what is declared about shortages before and now."""
    old, new = ({"onShortage": one} if one else {} for one in (before, declared))
    guard = step("replace", "inkless:index:NodeStop", "kafka-node-1-stop", {}, {}, parent=KAFKA)
    order = update("inkless:index:RollingOrder", "kafka-rolling-order", old, new, parent=KAFKA)
    one = same(CLASSIC, "one", topic("one", replicationFactor=1))
    return report(*ROLL, order, guard, one)


@pytest.mark.parametrize(("given", "does"), [(None, "is refused unless"), ("wait", "waits until")])
def test_guarded_nodes_hold_the_update_up_instead(given: str | None, does: str) -> None:
    found = guarded(given, given)
    assert f"The update {does} 1 topic has a replica" in text(finding(found, "update-held-up"))
    assert "downtime" not in found.gates


def test_what_is_declared_now_is_what_counts() -> None:
    found = guarded("refuse", "accept")
    assert "1 topic will be unavailable" in text(finding(found, "topic-unavailable"))
    assert found.gates == {"downtime"}
    said = text(finding(guarded("accept", "refuse"), "update-held-up"))
    assert "The update is refused unless 1 topic has a replica to spare: one" in said


def test_topics_that_are_not_shown_are_not_said_to_be_safe() -> None:
    steps = [one for one in ROLL if one["op"] != "same"]
    counts = {"same": 40, "update": 4, "replace": 3}
    found = assess(read_plan(digest(*steps, changeSummary=counts)))
    assert "can't be told" in text(finding(found, "topics-not-shown"))
    assert found.gates == {"downtime"}
    assert "no topic" not in found.verdict


def test_a_topic_on_another_service_does_not_become_unavailable() -> None:
    other = urn_of_other()
    found = report(
        *ROLL,
        *other,
        same(
            CLASSIC,
            "one",
            topic("one", replicationFactor=1, connection={"bootstrapServers": "10.9.9.9:9094"}),
        ),
    )
    assert "topic-unavailable" not in {one.rule for one in found.findings}


def urn_of_other() -> list[dict[str, Any]]:
    """A gate of a second service; the first one's brokers have addresses of their own."""
    for one in ROLL:
        if "NodeReady" in one["urn"]:
            one["oldState"]["inputs"]["connection"] = {"bootstrapServers": "10.1.1.1:9094"}
    return [same("inkless:index:NodeReady", "other-node-1-ready", {"nodeId": 1, "name": "node-1"})]


def test_settings_that_are_applied_without_a_restart_are_told_as_such() -> None:
    found = report(*service({"log.cleaner.threads": "1"}, {"log.cleaner.threads": "2"}))
    said = text(finding(found, "settings-applied"))
    assert "to 3 nodes of kafka without a restart: log.cleaner.threads changes from 1 to 2" in said
    assert found.status == "safe"


def test_nodes_that_lose_their_addresses_go_together() -> None:
    steps = service({}, {}, rolls=True)
    moved = [
        step(
            "replace",
            "aws:ec2/networkInterface:NetworkInterface",
            f"kafka-node-{number}-interface",
            {},
            {},
            parent=KAFKA,
        )
        for number in (1, 2, 3)
    ]
    found = report(*moved, *steps)
    assert "3 nodes are taken down together" in text(finding(found, "nodes-replaced-at-once"))
    assert "downtime" in found.gates


def test_added_nodes_leave_the_others_alone() -> None:
    gate = {"nodeId": 4, "name": "node-4", "roles": ["broker"]}
    found = report(
        *service(),
        create("aws:ec2/instance:Instance", "kafka-node-4", {}, parent=KAFKA),
        create("inkless:index:NodeReady", "kafka-node-4-ready", gate, parent=KAFKA),
    )
    assert "1 node is added: node-4; the nodes that are there are not touched" in text(
        finding(found, "nodes-added")
    )


def test_removed_nodes_are_told_with_what_becomes_of_their_replicas() -> None:
    gate = {"nodeId": 4, "name": "node-4", "roles": ["broker"]}
    gone = (
        delete("aws:ec2/instance:Instance", "kafka-node-4", {}, parent=KAFKA),
        delete("inkless:index:NodeReady", "kafka-node-4-ready", gate, parent=KAFKA),
    )
    assert "nothing here drains" in text(finding(report(*service(), *gone), "nodes-removed"))
    books = same("inkless:index:BrokerRegistration", "kafka-node-1-books", {}, parent=KAFKA)
    assert "drained of its replicas before" in text(
        finding(report(*service(), books, *gone), "nodes-removed")
    )


def test_the_volume_of_a_drained_broker_goes_without_a_loss() -> None:
    gate = {"nodeId": 4, "name": "node-4", "roles": ["broker"]}
    gone = (
        delete("aws:ec2/instance:Instance", "kafka-node-4", {}, parent=KAFKA),
        delete("aws:ebs/volume:Volume", "kafka-node-4-data", {}, parent=KAFKA),
        delete("aws:secretsmanager/secret:Secret", "kafka-node-4-key", {}, parent=KAFKA),
        delete("inkless:index:NodeReady", "kafka-node-4-ready", gate, parent=KAFKA),
    )
    books = same("inkless:index:BrokerRegistration", "kafka-node-1-books", {}, parent=KAFKA)
    assert "data-loss" in report(*service(), *gone).gates
    assert "data-loss" not in report(*service(), books, *gone).gates
    elsewhere = delete("aws:ebs/volume:Volume", "kafka-archive", {}, parent=KAFKA)
    assert "data-loss" in report(*service(), books, elsewhere, *gone).gates


def test_a_service_that_goes_is_downtime() -> None:
    gone = [
        {**one, "op": "delete", "newState": None}
        for one in node(1, "eu-west-1a", {}, {}, rolls=False)
    ]
    found = report(delete(SERVICE, "kafka", {}), *gone)
    assert "The service kafka is removed" in text(finding(found, "service-deleted"))
    assert "downtime" in found.gates


@pytest.mark.parametrize(
    ("standby", "at_once", "said"),
    [
        (True, True, "fails over to its standby, about a minute, during the update"),
        (True, None, "in its next maintenance window"),
        (False, True, "restarts, some minutes, during the update"),
    ],
)
def test_a_database_that_restarts_is_downtime(
    standby: bool, at_once: bool | None, said: str
) -> None:
    given = {"multiAz": standby, "applyImmediately": at_once}
    found = report(
        update(
            "aws:rds/instance:Instance",
            "db",
            {**given, "instanceClass": "db.t4g.medium"},
            {**given, "instanceClass": "db.m7g.large"},
            changed=["instanceClass"],
        )
    )
    assert said in text(finding(found, "database-restarts"))
    assert found.status == "downtime"


def test_volumes_grow_while_nodes_run() -> None:
    old, new = {"size": 50, "type": "gp3"}, {"size": 200, "type": "gp3"}
    found = report(update("aws:ebs/volume:Volume", "v", old, new, changed=["size"]))
    assert "1 data volume grows from 50 to 200 GiB while nodes run" in text(
        finding(found, "volumes-grow")
    )


def cluster_settings(old: dict[str, str], new: dict[str, str]) -> dict[str, Any]:
    """Settings that are kept in the cluster."""
    return update(
        "inkless:index:ClusterSettings",
        "kafka-settings",
        {"settings": old},
        {"settings": new},
        parent=KAFKA,
        changed=["settings"],
    )


def test_settings_of_the_cluster_reach_running_brokers() -> None:
    found = report(*service(), cluster_settings({}, {"log.retention.ms": "3600000"}))
    assert "log.retention.ms changes from unset to 3600000" in text(
        finding(found, "settings-applied")
    )
    assert "from 7 days to 1 hour" in text(finding(found, "default-retention-shrinks"))
    assert "nodes-replaced" not in {one.rule for one in found.findings}


def test_settings_of_the_cluster_count_for_what_a_roll_makes_unavailable() -> None:
    strict = cluster_settings({"min.insync.replicas": "3"}, {"min.insync.replicas": "3"})
    found = report(*ROLL, strict, same(CLASSIC, "usual", topic("usual")))
    assert "3 replicas and min.insync.replicas 3" in text(finding(found, "topic-unavailable"))


@pytest.mark.parametrize(("version", "told"), [("4.2.1-0.47", True), ("4.1.3-0.47", False)])
def test_an_upgrade_that_can_not_be_gone_back_on_says_so(version: str, told: bool) -> None:
    level = update(
        "inkless:index:FeatureLevel",
        "kafka-feature-level",
        {"version": "4.1.2-0.47"},
        {"version": version},
        parent=KAFKA,
    )
    rules = {one.rule for one in report(*ROLL, level).findings}
    assert ("feature-level-finalised" in rules) is told


def test_a_new_authority_is_the_reason_of_a_roll() -> None:
    authority = update(
        "inkless:index:CertificateAuthority", "kafka-ca-certificate", {}, {}, parent=KAFKA
    )
    steps = service({}, {}, rolls=True)
    said = text(finding(report(*steps, authority), "nodes-replaced"))
    assert "because the CA is renewed, and the former one is trusted meanwhile" in said
