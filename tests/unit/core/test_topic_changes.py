"""What may become of a topic that exists."""

import pytest

from inkless_pulumi.core.topic_changes import (
    change_problems,
    deletion_rule,
    removal_problems,
    rename_problem,
    same_declaration,
    switch_warning,
)
from inkless_pulumi.core.topics import TopicDeclaration

ORDERS = TopicDeclaration("classic", "orders", 6, 3, {"retention.ms": "7d"})


def test_partitions_are_never_taken_away() -> None:
    six, three = (TopicDeclaration("classic", partitions=count) for count in (6, 3))
    (problem,) = change_problems(six, three)
    assert str(problem) == (
        "partitions = 3: the topic has 6 partitions, and Kafka can't take partitions away; set it "
        "back to 6, or declare a new topic and copy the records"
    )
    assert change_problems(three, six) == []


@pytest.mark.parametrize("may_switch", [False, True])
def test_a_diskless_topic_never_becomes_classic(may_switch: bool) -> None:
    old, new = TopicDeclaration("diskless"), TopicDeclaration("classic")
    (problem,) = change_problems(old, new, may_switch=may_switch)
    assert str(problem) == (
        'kind = "classic": the topic is diskless, and has no way back to classic; leave it '
        "diskless, or declare a new topic beside it and copy the records"
    )


def test_a_classic_topic_becomes_diskless_only_where_the_service_declares_it() -> None:
    old, new = TopicDeclaration("classic"), TopicDeclaration("diskless")
    (problem,) = change_problems(old, new)
    assert str(problem) == (
        'kind = "diskless": the topic is classic, and its service does not declare that such may '
        "be switched; leave it classic, or declare a new topic beside it and copy the records; or "
        "set switch_to_diskless=True on the service"
    )
    assert change_problems(old, new, may_switch=True) == []


def test_a_topic_that_may_lose_acknowledged_records_is_not_switched() -> None:
    unclean = {"unclean.leader.election.enable": True}
    old, new = TopicDeclaration("classic"), TopicDeclaration("diskless", settings=unclean)
    (problem,) = change_problems(old, new, may_switch=True)
    assert str(problem) == (
        'settings["unclean.leader.election.enable"] = "true": a topic can\'t be switched to '
        "diskless while it may lose acknowledged records; leave it out"
    )


def test_a_switch_is_warned_of() -> None:
    assert switch_warning([]) is None
    assert switch_warning(["orders"]) == (
        "orders: to be switched from classic to diskless, which can't be undone. Producers wait "
        "while a partition is switched; transactions and compaction end with it."
    )
    assert str(switch_warning(f"t{number}" for number in range(12))).startswith("t0, t1, t2, ")


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
