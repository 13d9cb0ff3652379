"""Access by intent."""

from typing import Any

import pytest

from inkless_pulumi.core.access_intents import INTENTS, Grant, intent_grants, rule_problems

NOTHING: dict[str, Any] = dict.fromkeys(
    ("intent", "topic", "group", "transactional_id", "resource_type", "resource_name", "operations")
)
CONSUMER = {"intent": "consume", "topic": "orders", "group": "app"}

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "an intent that is none",
        {"intent": "write", "topic": "orders"},
        'intent = "write": is not one of produce, consume, admin; remove it or correct the word\'s '
        "name",
    ),
    (
        "an intent in capitals",
        {"intent": "Produce", "topic": "orders"},
        'intent = "Produce": is not one of produce, consume, admin; did you mean "produce"?',
    ),
    (
        "an intent without a topic",
        {"intent": "produce"},
        'topic: is what one may produce on; name it, or end in * for all that begin so: "orders.*"',
    ),
    (
        "a consumer without a group",
        {"intent": "consume", "topic": "orders"},
        "group: is required: a consumer reads as a member of a group; name it, or end in *: "
        '"orders-service*"',
    ),
    (
        "a producer with a group",
        {"intent": "produce", "topic": "orders", "group": "app"},
        'group = "app": has no meaning for a producer; leave it out',
    ),
    (
        "a consumer with transactions",
        {**CONSUMER, "transactional_id": "tx"},
        'transactional_id = "tx": belongs to a producer; leave it out, or declare another rule '
        'with intent "produce"',
    ),
    (
        "an intent and an operation",
        {**CONSUMER, "operations": ["read"]},
        'operations = ["read"]: does not go with intent; leave one of them out',
    ),
    (
        "an intent and a pattern",
        {**CONSUMER, "pattern_type": "prefixed"},
        'pattern_type = "prefixed": does not go with intent; leave one of them out',
    ),
    (
        "a topic that can't exist",
        {"intent": "produce", "topic": "orders/eu*"},
        'topic = "orders/eu*": no topic has a name like this, so the rule would never apply; give '
        "a name, or its beginning and *",
    ),
    (
        "a principal without its type",
        {**CONSUMER, "principal": "app"},
        'principal = "app": a principal is written User:<name>; use "User:app"',
    ),
    (
        "a topic without an intent",
        {"topic": "orders"},
        'topic = "orders": needs an intent: produce, consume, admin; say what the principal '
        "intends",
    ),
    (
        "neither an intent nor an operation",
        {"resource_type": "topic", "resource_name": "orders"},
        "operations: is required; give it a value, or use intent and topic instead",
    ),
]


@pytest.mark.parametrize(
    ("changes", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_wrong_rule_is_refused_with_a_way_out(changes: dict[str, Any], message: str) -> None:
    assert [str(problem) for problem in rule_problems(NOTHING | changes)] == [message]


@pytest.mark.parametrize("intent", INTENTS)
def test_what_is_not_known_yet_is_passed_over(intent: str) -> None:
    assert rule_problems({"intent": intent}) == []
    assert rule_problems({}) == []


def test_a_star_at_the_end_is_a_prefix_and_alone_it_is_all() -> None:
    assert intent_grants("admin", "orders.*") == (
        Grant("topic", "orders.", "prefixed", INTENTS["admin"]),
    )
    assert intent_grants("produce", "*")[0].pattern_type == "literal"


def test_an_administrator_of_topics_reads_no_records() -> None:
    assert not {"read", "write", "all"} & set(INTENTS["admin"])
