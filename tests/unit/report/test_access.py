"""Who may do what, as a difference."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.report.findings import code
from inkless_pulumi.report.rights import Opening, Permission, difference, permissions
from tests.unit.report.previews import (
    INGRESS,
    KAFKA,
    POLICY,
    RULE,
    SERVICE,
    UNKNOWN,
    create,
    delete,
    finding,
    report,
    same,
    step,
    text,
    update,
)

EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def rule(**more: Any) -> dict[str, Any]:
    """The inputs of an access rule of Kafka's."""
    given = {
        "principal": "User:shop",
        "resourceType": "topic",
        "resourceName": "orders",
        "operations": ["read"],
    }
    return {**given, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a role's policy."""
    return {"role": "r", "policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def opening(cidr: str, port: int = 9092) -> dict[str, Any]:
    """The inputs of a rule that lets a range in."""
    return {
        "securityGroupId": "sg-1",
        "ipProtocol": "tcp",
        "fromPort": port,
        "toPort": port,
        "cidrIpv4": cidr,
    }


def test_a_wider_rule_of_kafka_is_told_as_what_it_adds() -> None:
    found = report(update(RULE, "r", rule(), rule(operations=["read", "write"])))
    one = finding(found, "kafka-widens")
    assert one.details == (
        "+ \ue000User:shop\ue001 may \ue000write\ue001 on topic \ue000orders\ue001",
    )
    assert found.status == "wider-access"


def test_a_rule_that_moves_to_another_resource_is_no_difference() -> None:
    found = report(delete(RULE, "old", rule()), create(RULE, "new", rule()))
    assert {one.area for one in found.findings} <= {"other", "cost"}


def test_a_rule_that_another_covers_is_no_difference() -> None:
    wide = rule(resourceName="or", patternType="prefixed", operations=["all"])
    found = report(same(RULE, "wide", wide), create(RULE, "narrow", rule()))
    assert found.status == "safe"


def test_a_denial_that_goes_widens() -> None:
    found = report(delete(RULE, "no", rule(permission="deny")))
    assert "no longer denied: User:shop may read on topic orders" in text(
        finding(found, "kafka-widens")
    )


def test_a_rule_for_every_user_lets_everybody_in() -> None:
    found = report(create(RULE, "all", rule(principal="User:*")))
    assert "any user may read on topic orders" in text(finding(found, "kafka-opened"))


def test_a_narrower_rule_is_no_risk_and_is_told() -> None:
    found = report(update(RULE, "r", rule(operations=["all"]), rule()))
    assert "- User:shop may do everything" in text(finding(found, "kafka-narrows"))
    assert found.status == "safe"


def test_access_that_is_not_known_yet_is_not_said_to_stay() -> None:
    found = report(create(RULE, "r", rule(resourceName=UNKNOWN)))
    assert "can't be told" in text(finding(found, "kafka-unknown"))
    assert found.gates == {"wider-access"}


def test_a_policy_that_widens_is_told_as_what_it_adds() -> None:
    old = policy(allow("s3:GetObject", "arn:b/inkless/*"))
    new = policy(allow(["s3:GetObject", "s3:PutObject"], "arn:b/*"))
    found = report(
        same("aws:iam/role:Role", "node-role", {"name": "r"}),
        update(POLICY, "p", old, new, changed=["policy"]),
    )
    assert text(finding(found, "policy-widens")).splitlines()[1:] == [
        "+ node-role may s3:GetObject, s3:PutObject on arn:b/*"
    ]
    assert "policy-narrows" not in {one.rule for one in found.findings}


def node_with_role(number: int, make: Any, policy: Any, **more: Any) -> list[Any]:
    """A node of the service, the role that its machine takes on, and the role's policy."""
    base = f"kafka-node-{number}"
    gate = {"nodeId": number, "name": f"node-{number}", "roles": ["broker"]}
    statement = {**allow("sts:AssumeRole"), "Principal": {"Service": "ec2.amazonaws.com"}, **more}
    del statement["Resource"]
    role = {"name": base, "assumeRolePolicy": json.dumps({"Statement": [statement]})}
    return [
        make("inkless:index:NodeReady", f"{base}-ready", gate, parent=KAFKA),
        make("aws:ec2/instance:Instance", base, {}, parent=KAFKA),
        make("aws:iam/role:Role", f"{base}-role", role, parent=KAFKA),
        make(POLICY, f"{base}-policy", {"role": base, "policy": policy}, parent=KAFKA),
    ]


DOCUMENT = json.dumps({"Statement": [allow("s3:GetObject", "arn:b/*")]})


def test_a_node_that_joins_gets_a_role_as_the_others_have_and_nobody_may_do_more() -> None:
    found = report(
        same(SERVICE, "kafka", {}),
        *node_with_role(1, same, DOCUMENT),
        *node_with_role(2, create, UNKNOWN),
    )
    assert "ec2.amazonaws.com may sts:AssumeRole on kafka-node-2-role" in text(
        finding(found, "policy-of-new-nodes")
    )
    assert "wider-access" not in found.gates


def test_a_node_that_joins_with_a_role_unlike_the_others_widens_access() -> None:
    found = report(
        same(SERVICE, "kafka", {}),
        *node_with_role(1, same, DOCUMENT),
        *node_with_role(2, create, UNKNOWN, Principal={"AWS": "arn:aws:iam::1:root"}),
    )
    assert "AWS:arn:aws:iam::1:root may sts:AssumeRole" in text(finding(found, "policy-widens"))


def test_a_policy_of_a_new_node_that_has_no_like_is_not_said_to_be_as_before() -> None:
    found = report(same(SERVICE, "kafka", {}), *node_with_role(2, create, UNKNOWN))
    assert "can't be told" in text(finding(found, "policy-unknown"))


def test_who_may_take_on_the_role_of_a_new_node_has_to_be_known() -> None:
    role = {"name": "kafka-node-2", "assumeRolePolicy": UNKNOWN}
    nodes = [*node_with_role(1, same, DOCUMENT), *node_with_role(2, create, UNKNOWN)]
    nodes[-2] = create("aws:iam/role:Role", "kafka-node-2-role", role, parent=KAFKA)
    found = report(same(SERVICE, "kafka", {}), *nodes)
    assert "kafka-node-2-role" in text(finding(found, "policy-unknown"))


def test_a_policy_of_a_node_that_stays_is_not_said_to_be_as_before_when_one_joins() -> None:
    old, new = ({"role": "r", "policy": document} for document in (DOCUMENT, UNKNOWN))
    found = report(
        same(SERVICE, "kafka", {}),
        *node_with_role(1, same, DOCUMENT)[:-1],
        update(POLICY, "kafka-node-1-policy", old, new, parent=KAFKA, changed=["policy"]),
        *node_with_role(2, create, UNKNOWN),
    )
    assert "kafka-node-1-policy" in text(finding(found, "policy-unknown"))


def test_a_policy_for_everybody_is_a_danger() -> None:
    statement = {**allow("s3:GetObject", "arn:b/*"), "Principal": "*"}
    document = json.dumps({"Statement": statement})
    found = report(create("aws:s3/bucketPolicy:BucketPolicy", "p", {"policy": document}))
    assert "anybody may s3:GetObject" in text(finding(found, "policy-opened"))


def test_a_firewall_opened_to_the_internet_is_a_danger() -> None:
    found = report(
        same(INGRESS, "office", opening("10.0.0.0/8")),
        create(INGRESS, "all", opening("0.0.0.0/0")),
    )
    said = text(finding(found, "firewall-opened"))
    assert "anybody on the internet (0.0.0.0/0) may connect to sg-1 on tcp 9092" in said


def test_a_range_within_another_is_no_difference() -> None:
    found = report(
        same(INGRESS, "office", opening("10.0.0.0/8")),
        create(INGRESS, "desk", opening("10.1.2.0/24")),
    )
    assert found.status == "safe"


def test_rules_within_a_security_group_count_too() -> None:
    inside = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["192.0.2.0/24"]}
    found = report(
        update(
            "aws:ec2/securityGroup:SecurityGroup",
            "g",
            {},
            {"ingress": [inside]},
            changed=["ingress"],
        )
    )
    assert "192.0.2.0/24 may connect to g on tcp 22" in text(finding(found, "firewall-widens"))


def test_what_comes_with_a_new_service_is_expected_unless_it_lets_everybody_in() -> None:
    found = report(
        create(SERVICE, "kafka", {}),
        create(INGRESS, "usual", opening("10.0.0.0/8"), parent=KAFKA),
        create(INGRESS, "all", opening("0.0.0.0/0", 9094), parent=KAFKA),
    )
    assert "10.0.0.0/8" in text(finding(found, "firewall-of-new-service"))
    assert "0.0.0.0/0" in text(finding(found, "firewall-opened"))


@pytest.mark.parametrize("after", [{"blockPublicAcls": False}, None])
def test_a_bucket_that_may_become_public_is_a_danger(after: dict[str, Any] | None) -> None:
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    operation = "delete" if after is None else "update"
    found = report(
        same("aws:s3/bucket:Bucket", "b", {}),
        step(operation, token, "block", {"blockPublicAcls": True}, after),
    )
    assert "taken away (block): blockPublicAcls" in text(
        finding(found, "public-access-block-removed")
    )


# --- the comparison of rights --------------------------------------------------------------------

names = st.sampled_from(["a", "b", "ab", "abc", "a*", "*", "b?", "s3:Get*", "s3:GetObject"])
rights = st.builds(
    Permission,
    principal=st.sampled_from(["r", "s", "*"]),
    action=names,
    resource=names,
    effect=st.sampled_from(["Allow", "Deny"]),
    condition=st.sampled_from(["", '{"a": 1}']),
)
openings = st.builds(
    Opening,
    source=st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "::/0", "group g"]),
    protocol=st.sampled_from(["tcp", "udp", "-1"]),
    first_port=st.integers(1, 10),
    last_port=st.integers(10, 20),
    target=st.sampled_from(["g", "h"]),
    incoming=st.booleans(),
)


@given(st.frozensets(rights), st.frozensets(rights))
def test_every_new_right_is_covered_or_told(
    old: frozenset[Permission], new: frozenset[Permission]
) -> None:
    gained, lost = difference(old, new)
    for right in new:
        assert right in gained or any(other.covers(right) for other in old)
    assert difference(new, old) == (lost, gained)
    assert difference(old, old) == ([], [])


@given(openings, openings, openings)
def test_covering_is_transitive_and_reflexive(one: Opening, two: Opening, three: Opening) -> None:
    assert one.covers(one)
    if one.covers(two) and two.covers(three):
        assert one.covers(three)


def test_statements_are_taken_apart() -> None:
    document = {
        "Statement": [
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": ["arn:a"]},
                "NotAction": ["s3:Get*", "s3:Put*"],
                "Resource": ["x", "y"],
            }
        ]
    }
    found = permissions(json.dumps(document), "nobody")
    assert found is not None
    assert {(one.principal, one.action, one.resource) for one in found} == {
        ("not:AWS:arn:a", "not:s3:Get*,s3:Put*", "x"),
        ("not:AWS:arn:a", "not:s3:Get*,s3:Put*", "y"),
    }


@pytest.mark.parametrize("document", ["", "not json", "[]", '{"a": 1}', '{"Statement": 3}', None])
def test_what_is_no_policy_is_not_taken_for_an_empty_one(document: Any) -> None:
    assert permissions(document, "nobody") is None


@given(st.frozensets(rights), rights)
def test_the_short_way_finds_what_the_long_one_does(
    old: frozenset[Permission], new: Permission
) -> None:
    gained, _ = difference(old, {new})
    assert (gained == []) is any(other.covers(new) for other in old)


def test_what_a_new_rule_lets_groups_do_is_said_once_and_without_made_up_names() -> None:
    between = {"securityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 9091, "toPort": 9091}
    found = report(
        *(
            create(token, "r", {**between, "referencedSecurityGroupId": UNKNOWN})
            for token in (INGRESS, EGRESS)
        )
    )
    assert finding(found, "firewall-widens").details == (
        f"+ a new group may connect to a new group on {code('tcp 9091')}",
    )


def test_groups_are_named_alike_on_both_sides_of_a_rule() -> None:
    rule = {**opening("10.0.0.0/8"), "referencedSecurityGroupId": "sg-9"}
    del rule["cidrIpv4"]
    found = report(delete(INGRESS, "r", rule))
    assert finding(found, "firewall-narrows").details == (
        f"- {code('sg-9')} may connect to {code('sg-1')} on {code('tcp 9092')}",
    )
