"""The comparison that verifies reports notices each claim that is wrong, and each silence."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from inkless_pulumi.provider.kafka.model import Acl, TopicState
from inkless_pulumi.report.assessment import assess
from inkless_pulumi.report.document import FindingDocument, ReportDocument, document
from inkless_pulumi.report.reading import read_plan
from proofs.claims.comparison import broken_claims
from proofs.claims.observed import Machine, Observed, Record, Update, Watched
from tests.unit.report.previews import digest

INSTANCE = "aws:ec2/instance:Instance"
EMPTY = document(assess(read_plan(digest())))


def claimed(*findings: FindingDocument) -> ReportDocument:
    """A report that says this and nothing else."""
    return EMPTY.model_copy(update={"findings": list(findings)})


def says(rule: str, title: str, *details: str, resources: Iterable[str] = ()) -> FindingDocument:
    return FindingDocument(
        rule=rule,
        area="other",
        level="info",
        title=title,
        details=list(details),
        resources=list(resources),
        gates=[],
    )


def machine(number: int, generation: str, threads: str) -> Machine:
    settings = {"num.network.threads": threads}
    address = f"10.0.0.{number}"
    return Machine(f"i-{generation}{number}", generation, address, "a", f"vol-{number}", settings)


def machines(generation: str, threads: str) -> dict[str, Machine]:
    return {f"node-{number}": machine(number, generation, threads) for number in (1, 2)}


def topic(name: str, partitions: int = 6, **settings: str) -> TopicState:
    plain = {key.replace("_", "."): value for key, value in settings.items()}
    return TopicState(name, f"id of {name}", partitions, 3, plain)


ROLL = says(
    "nodes-replaced",
    "2 nodes are replaced, one at a time, because num.network.threads changes from 3 to 5; "
    "about 6 to 10 min",
    "node-1 (a), node-2 (a); the order is decided when the update begins, and the active "
    "controller comes last",
    "The next node is touched when the one before it is back and all replicas are in sync",
    "Addresses and data volumes stay",
)
STEPS = tuple(
    step
    for number in (1, 2)
    for step in (
        ("delete-replaced", f"{INSTANCE} kafka-node-{number}"),
        ("create-replacement", f"{INSTANCE} kafka-node-{number}"),
        ("update", f"inkless:index:NodeReady kafka-node-{number}-ready"),
    )
)
BEFORE = Observed(
    machines=machines("old", "3"),
    active_controller="node-2",
    topics={"orders": topic("orders", retention_ms="604800000")},
    settings={"log.segment.bytes": "1"},
    users={"application": frozenset(["SCRAM-SHA-512"])},
    account={"aws:ebs/volume:Volume v": Record("vol-1", {"type": "gp3", "size": 50})},
    protected=frozenset(["orders", "v"]),
)
ROLLED = Update(BEFORE, replace(BEFORE, machines=machines("new", "5")), Watched(steps=STEPS))


def rolled(after: dict[str, Any] | None = None, **watched: Any) -> Update:
    """The roll, other than it was said to be."""
    return Update(
        BEFORE, replace(ROLLED.after, **(after or {})), replace(ROLLED.watched, **watched)
    )


def test_a_roll_as_it_was_told_breaks_no_claim() -> None:
    assert [*broken_claims(claimed(ROLL), ROLLED)] == []


@pytest.mark.parametrize(
    ("update", "wrong"),
    [
        (Update(BEFORE, BEFORE, ROLLED.watched), "were said to be"),
        (rolled({"machines": machines("new", "4")}), "num.network.threads went from"),
        (
            rolled({"machines": {**machines("new", "5"), "node-1": machine(1, "old", "3")}}),
            "['node-2'] are on other machines",
        ),
        (
            rolled(
                {"machines": {"node-1": machine(3, "new", "5"), "node-2": machine(2, "new", "5")}}
            ),
            "address and volume were said to stay",
        ),
        (rolled(steps=STEPS[3:] + STEPS[:3]), "node-2 was the active controller"),
        (rolled(steps=STEPS[:2] + STEPS[3:]), "node-2 was stopped while node-1 was not back"),
        (rolled(most_down=2), "2 brokers were down at the same time"),
        (rolled(unavailable=frozenset(["orders"])), "orders was unavailable without a word"),
        (rolled(unanswered=("orders: timed out",)), "orders: timed out"),
        (rolled(exit_code=1), "the update failed"),
        (rolled({"topics": {}}), "topic orders changed without a word"),
        (rolled({"settings": {}}), "log.segment.bytes of all brokers changed without a word"),
        (rolled({"account": {}}), "aws:ebs/volume:Volume v changed in the account"),
    ],
)
def test_a_roll_that_goes_otherwise_is_noticed(update: Update, wrong: str) -> None:
    assert wrong in "\n".join(broken_claims(claimed(ROLL), update))


def test_a_roll_without_a_word_is_noticed() -> None:
    assert "node-1 is on another machine, or was restarted, without a word" in [
        *broken_claims(claimed(), ROLLED)
    ]


def changed(**after: Any) -> Update:
    return Update(BEFORE, replace(BEFORE, **after))


LARGER = {"aws:ebs/volume:Volume v": Record("vol-1", {"type": "gp3", "size": 200})}
URN = "urn:pulumi:a::b::inkless:aws:InklessService$aws:ebs/volume:Volume::v"
GROUP = "+ User:application may describe on every group"
ACL = Acl("User:application", "*", "group", "*", "literal", "describe", "allow")
CLAIMS = [
    (
        says("topic-changed", "", "orders: partitions from 6 to 12; retention.ms from 7d to 1d"),
        changed(topics={"orders": topic("orders", 12, retention_ms="86400000")}),
        changed(topics={"orders": topic("orders", 12, retention_ms="86400001")}),
    ),
    (
        says("retention-shrinks", "", "orders: retention.ms shrinks from 7 days to 1 day: and so"),
        changed(topics={"orders": topic("orders", retention_ms="86400000")}),
        changed(topics={"orders": topic("orders", retention_ms="3600000")}),
    ),
    (
        says("partitions-added", "1 topic gets more partitions: orders"),
        changed(topics={"orders": topic("orders", 7, retention_ms="604800000")}),
        changed(),
    ),
    (
        says("topic-created", "1 classic topic is created: audit", "audit: 3 partitions"),
        changed(topics={**BEFORE.topics, "audit": topic("audit", 3)}),
        changed(topics={**BEFORE.topics, "audit": topic("audit", 3, diskless_enable="true")}),
    ),
    (
        says("topic-deleted", "1 topic is deleted: orders", "orders: classic, 6 partitions"),
        changed(topics={}),
        changed(),
    ),
    (
        says("settings-applied", "", "log.segment.bytes changes from 1 to 2"),
        changed(settings={"log.segment.bytes": "2"}),
        changed(settings={"log.segment.bytes": "3"}),
    ),
    (
        says("kafka-widens", "Access widens (Kafka's access rules)", GROUP),
        changed(access=frozenset([ACL])),
        changed(access=frozenset([replace(ACL, operation="read")])),
    ),
    (
        says(
            "password-rotates", "application gets a new password; the former one is good for 24 h"
        ),
        changed(users={"application": frozenset(["SCRAM-SHA-512", "SCRAM-SHA-256"])}),
        changed(users={"application": frozenset(["SCRAM-SHA-256"])}),
    ),
    (
        says("user-created", "1 user is created, who may do nothing: other"),
        changed(users={**BEFORE.users, "other": frozenset(["SCRAM-SHA-512"])}),
        changed(),
    ),
    (
        says("protection-removed", "1 thing that holds data can be deleted: v"),
        changed(protected=frozenset(["orders"])),
        changed(protected=frozenset()),
    ),
    (
        says("others-deleted", "1 resource is deleted besides", resources=[URN]),
        changed(account={}),
        changed(),
    ),
    (
        says("service-deleted", "The service kafka is removed, with 2 nodes"),
        changed(machines={}, settings={}),
        changed(machines={"node-1": machine(1, "old", "3")}),
    ),
]


NODE_3 = Machine("i-3", "old", "10.0.0.3", "b", "vol-3")
MORE = {**BEFORE.machines, "node-3": NODE_3}
ROLE = "aws:iam/role:Role kafka-node-3-role"
ASSUMED = {"Principal": {"Service": "ec2"}, "Action": "sts:AssumeRole"}
TRUST = {ROLE: Record("role-3", {"assumeRolePolicy": json.dumps({"Statement": [ASSUMED]})})}
TRUSTED = "Service:ec2 may sts:AssumeRole on kafka-node-3-role"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
PORTS = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 9092.0}


def rules(*sources: str) -> dict[str, Record]:
    """Firewall rules for some ranges, beside the group that they are of."""
    found = {
        f"{RULE} {source}": Record(source, {**PORTS, "cidrIpv4": source}) for source in sources
    }
    return {**found, "aws:ec2/securityGroup:SecurityGroup nodes": Record("sg-1")}


def update_from(before: dict[str, Any], after: dict[str, Any]) -> Update:
    return Update(replace(BEFORE, **before), replace(BEFORE, **after))


def of_kafka(version: str, level: int) -> dict[str, Any]:
    machines = {name: replace(one, kafka=version) for name, one in BEFORE.machines.items()}
    return {"machines": machines, "feature_level": level}


def role_of(number: int, *actions: str) -> dict[str, Record]:
    """A node's role, which may read the node's own secret, and what else is named."""
    name = f"kafka-node-{number}"
    trust = {
        "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    key = f"arn:secret:{name}-key-x{number}"
    own = {"Action": "secretsmanager:GetSecretValue", "Resource": key}
    more = [{"Action": action, "Resource": "*"} for action in actions]
    return {
        f"aws:iam/role:Role {name}-role": Record(
            name, {"assumeRolePolicy": json.dumps({"Statement": [trust]})}
        ),
        f"aws:iam/rolePolicy:RolePolicy {name}-policy": Record(
            f"{name}:p", {"role": name, "policy": json.dumps({"Statement": [own, *more]})}
        ),
    }


NODE_CLAIMS = [
    (
        says(
            "nodes-added", "1 node is added: node-3 (b); the nodes that are there are not touched"
        ),
        changed(machines=MORE),
        changed(machines={**MORE, "node-1": machine(1, "new", "3")}),
    ),
    (
        says("nodes-added", "1 node is added: node-3 (b)"),
        changed(machines=MORE),
        changed(machines={**MORE, "node-4": NODE_3}),
    ),
    (
        says(
            "nodes-removed",
            "1 node is removed: node-3 (b)",
            "Each is drained of its replicas before its machine and its volume go",
        ),
        update_from({"machines": MORE}, {}),
        update_from(
            {"machines": MORE},
            {"topics": {"orders": replace(topic("orders"), replication_factor=2)}},
        ),
    ),
    (
        says(
            "feature-level-finalised",
            "Once every node runs 4.2.1-0.47, the cluster's feature level is finalised: there is "
            "no way back to 4.1.2-0.47 from then on",
        ),
        update_from(of_kafka("4.1.2", 27), of_kafka("4.2.1", 29)),
        update_from(of_kafka("4.1.2", 27), of_kafka("4.2.1", 27)),
    ),
    (
        says("policy-widens", "Access widens (policies of the cloud)", f"+ {TRUSTED}"),
        changed(account={**BEFORE.account, **TRUST}),
        changed(),
    ),
    (
        says(
            "policy-of-new-nodes",
            "New nodes get roles of their own, which may do what the others' may (policies of the "
            "cloud)",
            "+ Service:ec2.amazonaws.com may sts:AssumeRole on kafka-node-2-role",
        ),
        update_from({"account": role_of(1)}, {"account": {**role_of(1), **role_of(2)}}),
        update_from(
            {"account": role_of(1)}, {"account": {**role_of(1), **role_of(2, "s3:GetObject")}}
        ),
    ),
    (
        says("policy-narrows", "Access narrows (policies of the cloud)", f"- {TRUSTED}"),
        update_from({"account": {**BEFORE.account, **TRUST}}, {}),
        changed(),
    ),
    (
        says(
            "firewall-opened",
            "",
            "+ anybody on the internet (0.0.0.0/0) may connect to nodes on tcp 9092",
        ),
        update_from({"account": rules("10.0.0.0/8")}, {"account": rules("0.0.0.0/0")}),
        update_from({"account": rules("10.0.0.0/8")}, {"account": rules("0.0.0.0/0", "::/0")}),
    ),
    (
        says("firewall-narrows", "", "- 10.0.0.0/8 may connect to nodes on tcp 9092"),
        update_from(
            {"account": rules("10.0.0.0/8", "10.1.0.0/16")}, {"account": rules("10.1.0.0/16")}
        ),
        update_from(
            {"account": rules("10.0.0.0/8", "10.1.0.0/16")}, {"account": rules("0.0.0.0/0")}
        ),
    ),
]


@pytest.mark.parametrize(
    ("claim", "kept", "broken"), NODE_CLAIMS, ids=[one[0].rule for one in NODE_CLAIMS]
)
def test_a_claim_of_nodes_or_of_the_account_holds_only_where_it_is_seen(
    claim: FindingDocument, kept: Update, broken: Update
) -> None:
    def wrong(update: Update) -> list[str]:
        told = broken_claims(claimed(claim), update)
        return [one for one in told if one.startswith(claim.rule)]

    assert wrong(kept) == []
    assert wrong(broken) != []


def because(reason: str, **other: Any) -> tuple[FindingDocument, Update]:
    """A roll for a reason, and one in which the new machines differ so."""
    roll = ROLL.model_copy(
        update={"title": ROLL.title.replace("num.network.threads changes from 3 to 5", reason)}
    )
    machines = {
        name: replace(one, instance_id=f"{one.instance_id}-new", **other)
        for name, one in BEFORE.machines.items()
    }
    return roll, Update(BEFORE, replace(BEFORE, machines=machines), Watched(steps=STEPS))


@pytest.mark.parametrize(
    ("reason", "seen"),
    [
        ("heap_mib changes from unset to 400", {"heap_mib": 400}),
        (
            "heap_mib changes from unset to 400 and num.network.threads changes from 3 to 4",
            {"heap_mib": 400, "settings": {"num.network.threads": "4"}},
        ),
        ("the image is built anew (content of it changes)", {"image": "b"}),
        ("its certificate is renewed", {"certificate": "b"}),
        (
            "the CA is renewed, and the former one is trusted meanwhile",
            {"certificate": "b", "authority": "b"},
        ),
    ],
)
def test_the_reason_of_a_roll_must_be_seen_on_every_node(reason: str, seen: dict[str, Any]) -> None:
    roll, update = because(reason, **seen)
    assert [*broken_claims(claimed(roll), update)] == []
    for missing in seen:
        left = {name: value for name, value in seen.items() if name != missing}
        _, other = because(reason, **left)
        assert [*broken_claims(claimed(roll), other)] != [], missing


def test_an_image_of_another_version_must_run_it() -> None:
    reason = "the image is built on inkless:4.2.1-0.47 instead of inkless:4.1.2-0.47"
    before = {name: replace(one, kafka="4.1.2") for name, one in BEFORE.machines.items()}
    for version, holds in (("4.2.1", True), ("4.1.2", False), ("4.2", False)):
        roll, update = because(reason, image="b", kafka=version)
        told = replace(update, before=replace(BEFORE, machines=before))
        assert ([*broken_claims(claimed(roll), told)] == []) is holds


def test_the_active_controller_may_be_last_of_the_controllers_only() -> None:
    last = ROLL.details[0] + " of the controllers"
    roll = ROLL.model_copy(update={"details": [last, *ROLL.details[1:]]})
    dedicated = replace(BEFORE, controllers=frozenset(["node-1"]), active_controller="node-1")
    update = replace(ROLLED, before=dedicated)
    assert [*broken_claims(claimed(roll), update)] == []
    assert "node-1 was the active controller" in "".join(broken_claims(claimed(ROLL), update))


@pytest.mark.parametrize(("claim", "kept", "broken"), CLAIMS, ids=[one[0].rule for one in CLAIMS])
def test_a_claim_holds_only_where_it_is_seen(
    claim: FindingDocument, kept: Update, broken: Update
) -> None:
    volume = -1 if claim.rule == "others-deleted" else 0
    lines = [{"what": "volume gp3 of 50 GiB", "before": 1, "after": 1 + volume, "monthly": None}]
    report = claimed(claim).model_dump()
    report["cost"]["lines"] = lines
    told = ReportDocument.model_validate(report)
    assert [*broken_claims(told, kept)] == []
    assert [*broken_claims(told, broken)] != []


def test_costs_are_counted() -> None:
    growth = says(
        "volumes-grow", "1 data volume grows from 50 to 200 GiB while nodes run", resources=[URN]
    )
    report = claimed(growth).model_dump()
    report["cost"]["lines"] = [
        {"what": "volume gp3 of 50 GiB", "before": 1, "after": 0, "monthly": -4.0},
        {"what": "volume gp3 of 200 GiB", "before": 0, "after": 1, "monthly": 16.0},
    ]
    assert [*broken_claims(ReportDocument.model_validate(report), changed(account=LARGER))] == []
    silent = [*broken_claims(claimed(growth), changed(account=LARGER))]
    assert "cost: volume gp3 of 200 GiB: +1 was seen, and +0 was said" in silent
    assert [*broken_claims(ReportDocument.model_validate(report), changed())] != []


@pytest.mark.parametrize("rule", ["protected", "refused", "update-held-up"])
def test_what_is_said_to_be_refused_is_refused_and_changes_nothing(rule: str) -> None:
    report = claimed(says(rule, "The update would be refused"))
    assert [*broken_claims(report, Update(BEFORE, BEFORE, Watched(exit_code=255)))] == []
    assert [*broken_claims(report, Update(BEFORE, BEFORE))] != []
    touched = Update(BEFORE, ROLLED.after, Watched(exit_code=255))
    assert [*broken_claims(report, touched)] == [
        "the update was said to be refused, and changed machines"
    ]


def test_a_topic_that_was_said_to_be_unavailable_was() -> None:
    claim = says("topic-unavailable", "1 topic will be unavailable: orders", "orders: one replica")
    seen = Update(BEFORE, BEFORE, Watched(unavailable=frozenset(["orders"])))
    assert [*broken_claims(claimed(claim), seen)] == []
    assert [*broken_claims(claimed(claim), Update(BEFORE, BEFORE))] != []


def test_no_claim_passes_unchecked() -> None:
    found = [*broken_claims(claimed(says("teleported", "Brokers are teleported")), changed())]
    assert found == ["teleported: nothing checks this claim: Brokers are teleported"]
    other = claimed(says("nodes-replaced", "Some nodes go"))
    assert "can't be understood: Some nodes go" in "".join(broken_claims(other, changed()))
