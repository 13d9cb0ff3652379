"""What may become of a topic that exists."""

import pytest

from inkless_pulumi.core.topic_changes import (
    change_problems,
    deletion_rule,
    removal_problems,
    rename_problem,
    same_declaration,
)
from inkless_pulumi.core.topics import TopicDeclaration, TopicKind

ORDERS = TopicDeclaration("classic", "orders", 6, 3, {"retention.ms": "7d"})


def test_partitions_are_never_taken_away() -> None:
    six, three = (TopicDeclaration("classic", partitions=count) for count in (6, 3))
    (problem,) = change_problems(six, three)
    assert str(problem) == (
        "partitions = 3: the topic has 6 partitions, and Kafka can't take partitions away; set it "
        "back to 6, or declare a new topic and copy the records"
    )
    assert change_problems(three, six) == []


@pytest.mark.parametrize(("old", "new"), [("classic", "diskless"), ("diskless", "classic")])
def test_a_topic_stays_of_its_kind(old: TopicKind, new: TopicKind) -> None:
    (problem,) = change_problems(TopicDeclaration(old), TopicDeclaration(new))
    assert str(problem) == (
        f'kind = "{new}": the topic is {old}, and its kind can\'t be changed without losing its '
        f"records; leave it {old}, or declare a new topic beside it and copy the records"
    )


def test_a_rename_is_refused_with_a_way_out() -> None:
    assert str(rename_problem("orders", "sales")) == (
        'name = "sales": was "orders", and Kafka can\'t rename a topic; keep "orders", or declare '
        "a new topic beside it and move the clients first"
    )


def test_a_protected_topic_is_not_taken_out_of_a_set() -> None:
    (problem,) = removal_problems({"orders": ORDERS}, {})
    assert str(problem) == (
        'topics["orders"]: was taken out, and is protected against deletion; put it back; or set '
        "deletion_protection to False, run `pulumi up`, and take it out after that"
    )


def test_a_topic_that_comes_as_another_goes_is_taken_for_a_rename() -> None:
    sales = TopicDeclaration("classic", "sales", 6, 3, {"retention.ms": "604800000"})
    (problem,) = removal_problems({"orders": ORDERS}, {"sales": sales})
    assert problem.rule == 'was taken out while "sales" came, and Kafka can\'t rename a topic'
    other = TopicDeclaration("classic", "sales", 7)
    assert removal_problems({"orders": ORDERS}, {"sales": other})[0].rule.startswith("was taken")
    assert not same_declaration(ORDERS, other)


def test_protected_topics_are_listed() -> None:
    assert deletion_rule(["orders"]).startswith("Topic orders is protected against deletion, and")
    assert deletion_rule(["a", "b"]).startswith(
        "2 topics are protected against deletion (a, b), and nothing was deleted."
    )
