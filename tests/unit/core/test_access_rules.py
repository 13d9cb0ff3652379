"""Users and what they may do, in Kafka's vocabulary."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.access import (
    OPERATIONS,
    access_rule_problems,
    iteration_problems,
    user_name_problems,
)

RULE: dict[str, Any] = {
    "principal": "User:orders-writer",
    "host": "*",
    "resource_type": "topic",
    "resource_name": "orders",
    "pattern_type": "literal",
    "operations": ["write", "describe"],
    "permission": "allow",
}

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "a name without its type",
        {"principal": "orders-writer"},
        'principal = "orders-writer": a principal is written User:<name>; use "User:orders-writer"',
    ),
    (
        "the administrator",
        {"principal": "User:inkless-admin"},
        'principal = "User:inkless-admin": is reserved: nodes and the administrator have names '
        "like it and may do everything; choose a name that does not begin with "
        '"inkless-"',
    ),
    (
        "a host name",
        {"host": "app.example.com"},
        'host = "app.example.com": Kafka compares a host with the client\'s address, so names and '
        'ranges never match; use one IP address, or "*" for any',
    ),
    (
        "a range of hosts",
        {"host": "10.0.0.0/8"},
        'host = "10.0.0.0/8": Kafka compares a host with the client\'s address, so names and '
        "ranges "
        'never match; use one IP address, or "*" for any',
    ),
    (
        "a resource that does not exist",
        {"resource_type": "topics"},
        'resource_type = "topics": is not one of topic, group, cluster, transactional_id, '
        'delegation_token, user; did you mean "topic"?',
    ),
    (
        "an operation of another resource",
        {"resource_type": "group"},
        'operations[0] = "write": is not an operation on a group; use any of read, describe, '
        "delete, alter_configs, describe_configs, all",
    ),
    (
        "an operation in capitals",
        {"operations": ["READ"]},
        'operations[0] = "READ": is not one of read, write, create, describe, delete, alter, '
        "alter_configs, describe_configs, all, cluster_action, idempotent_write, "
        'two_phase_commit, create_tokens, describe_tokens; did you mean "read"?',
    ),
    (
        "an operation twice",
        {"operations": ["read", "read"]},
        'operations[1] = "read": is named twice; remove one',
    ),
    (
        "no operation",
        {"operations": []},
        "operations = []: must not be empty; name one operation at least",
    ),
    (
        "a pattern that does not exist",
        {"pattern_type": "prefix"},
        'pattern_type = "prefix": is not one of literal, prefixed; did you mean "prefixed"?',
    ),
    (
        "a permission that does not exist",
        {"permission": "grant"},
        'permission = "grant": is not one of allow, deny; remove it or correct the word\'s name',
    ),
    (
        "a prefix of everything",
        {"pattern_type": "prefixed", "resource_name": "*"},
        'resource_name = "*": with prefixed, * is a beginning like any other and matches nothing; '
        'use pattern_type "literal" for all',
    ),
    (
        "a topic that can't exist",
        {"resource_name": "orders*"},
        'resource_name = "orders*": no topic has a name like this, so the rule would never apply; '
        'give a topic\'s name, or its beginning and pattern_type "prefixed"',
    ),
    (
        "a cluster of another name",
        {"resource_type": "cluster", "resource_name": "orders", "operations": ["describe"]},
        'resource_name = "orders": the cluster is named "kafka-cluster" in access rules; use '
        '"kafka-cluster"',
    ),
]


@pytest.mark.parametrize(
    ("changes", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_wrong_rule_is_refused_with_a_way_out(changes: dict[str, Any], message: str) -> None:
    assert message in [str(problem) for problem in access_rule_problems(RULE | changes)]


@given(st.sampled_from(sorted(OPERATIONS)), st.data())
def test_every_operation_on_its_resource_is_taken(resource_type: str, data: st.DataObject) -> None:
    possible = st.lists(st.sampled_from(OPERATIONS[resource_type]), min_size=1, unique=True)
    name = "kafka-cluster" if resource_type == "cluster" else "orders"
    rule = RULE | {
        "resource_type": resource_type,
        "resource_name": name,
        "operations": data.draw(possible),
    }
    assert access_rule_problems(rule) == []


@pytest.mark.parametrize(
    "changes", [{"principal": "User:*"}, {"host": "10.0.0.1"}, {"host": "::1"}]
)
def test_anyone_and_single_addresses_are_taken(changes: dict[str, Any]) -> None:
    assert access_rule_problems(RULE | changes) == []


def test_what_is_not_known_yet_is_passed_over() -> None:
    assert access_rule_problems({}) == []


@pytest.mark.parametrize("name", ["inkless-admin", "inkless-node", "inkless-x", "ANONYMOUS"])
def test_a_user_cant_be_named_like_who_may_do_everything(name: str) -> None:
    (problem,) = user_name_problems("name", name)
    assert problem.rule.startswith("is reserved")


@pytest.mark.parametrize("name", ["", "a,b", "a=b", "-a", "x" * 129, "ä"])
def test_a_name_that_scram_or_kafka_would_have_to_escape_is_refused(name: str) -> None:
    assert len(user_name_problems("name", name)) == 1


@pytest.mark.parametrize("name", ["orders-writer", "a", "team@example.com", "A.b_c-1"])
def test_an_ordinary_name_is_taken(name: str) -> None:
    assert user_name_problems("name", name) == []


@pytest.mark.parametrize(("iterations", "count"), [(4095, 1), (4096, 0), (16384, 0), (16385, 1)])
def test_iterations_are_those_that_brokers_take(iterations: int, count: int) -> None:
    assert len(iteration_problems(iterations)) == count
