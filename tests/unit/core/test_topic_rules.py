"""What a topic may be, classic and diskless."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.service_model import SettingValue
from inkless_pulumi.core.topics import (
    SERVER_OWNED,
    TopicDeclaration,
    as_understood,
    collision_problems,
    declaration_problems,
    kafka_text,
    server_settings,
    topic_warnings,
)


def topic_problems(*, diskless: bool, **arguments: object) -> list[Problem]:
    kind = "diskless" if diskless else "classic"
    return declaration_problems(as_understood(kind, arguments))


REFUSED: list[tuple[str, bool, dict[str, Any], str]] = [
    (
        "compaction on a diskless topic",
        True,
        {"settings": {"cleanup.policy": "compact"}},
        'settings["cleanup.policy"] = "compact": a diskless topic is never compacted: old records '
        'would stay for ever; use "delete", or declare a classic topic',
    ),
    (
        "compaction beside deletion on a diskless topic",
        True,
        {"settings": {"cleanup.policy": "compact,delete"}},
        'settings["cleanup.policy"] = "compact,delete": a diskless topic is never compacted: old '
        'records would stay for ever; use "delete", or declare a classic topic',
    ),
    (
        "tiered storage on a diskless topic",
        True,
        {"settings": {"remote.storage.enable": "true"}},
        'settings["remote.storage.enable"] = "true": a diskless topic is in object storage '
        "already, and refuses tiered storage beside it; leave it out, or declare a classic topic",
    ),
    (
        "the kind of a topic as a setting",
        True,
        {"settings": {"diskless.enable": "true"}},
        'settings["diskless.enable"] = "true": whether a topic is diskless is said by its '
        "resource; "
        "declare a diskless or a classic topic instead",
    ),
    (
        "an explicit switch off of tiered storage",
        False,
        {"settings": {"remote.storage.enable": "false"}},
        'settings["remote.storage.enable"] = "false": is off by default, and Inkless takes an '
        "explicit false for a request; leave it out",
    ),
    (
        "unclean elections",
        False,
        {"settings": {"unclean.leader.election.enable": "true"}},
        'settings["unclean.leader.election.enable"] = "true": would lose acknowledged records when '
        "a replica that is behind takes over; leave it out",
    ),
    (
        "an unknown setting",
        False,
        {"settings": {"retention.hours": "1"}},
        'settings["retention.hours"] = "1": is not a setting of topics; did you mean '
        '"retention.ms"?',
    ),
    (
        "a setting out of range",
        False,
        {"settings": {"retention.ms": "-2"}},
        'settings["retention.ms"] = "-2": must be -1 or more; use -1 or more',
    ),
    (
        "a size that is unlimited twice",
        False,
        {"settings": {"retention.bytes": "-2"}},
        'settings["retention.bytes"] = "-2": must be -1, for no limit, or more; use -1 or more',
    ),
    (
        "throttled replicas in no form",
        False,
        {"settings": {"leader.replication.throttled.replicas": "1"}},
        'settings["leader.replication.throttled.replicas"] = "1": must be * or pairs of partition '
        'and broker; write it like "0:1,0:2"',
    ),
    (
        "an internal setting",
        False,
        {"settings": {"internal.segment.bytes": "1000"}},
        'settings["internal.segment.bytes"] = "1000": is internal to Kafka and meant for tests; '
        "leave it out",
    ),
    (
        "as many replicas in sync as there are",
        False,
        {"replication_factor": 3, "settings": {"min.insync.replicas": "3"}},
        'settings["min.insync.replicas"] = "3": must be less than the 3 replicas, or a node\'s '
        "restart stops all writing; use 2, or raise replication_factor",
    ),
    (
        "as many replicas in sync as there are by default",
        False,
        {"settings": {"min.insync.replicas": "3"}},
        'settings["min.insync.replicas"] = "3": must be less than the 3 replicas, or a node\'s '
        "restart stops all writing; use 2, or raise replication_factor",
    ),
    (
        "no more replicas than the cluster wants in sync",
        False,
        {"replication_factor": 2},
        "replication_factor = 2: is not more than the cluster's min.insync.replicas = 2, so a "
        "node's restart stops writing; leave it out for 3, or set "
        'settings["min.insync.replicas"] to 1',
    ),
    (
        "no partition",
        True,
        {"partitions": 0},
        "partitions = 0: a topic has one partition at least; use 1 or more",
    ),
    (
        "no replica",
        True,
        {"replication_factor": 0},
        "replication_factor = 0: a partition has one replica at least; use 1 or more, or leave it "
        "out for one replica a zone",
    ),
    (
        "tiered storage with compaction",
        False,
        {"settings": {"remote.storage.enable": "true", "cleanup.policy": "compact"}},
        'settings["cleanup.policy"] = "compact": tiered storage takes topics with the delete '
        "policy "
        'only; use "delete", or leave remote.storage.enable out',
    ),
    (
        "more kept on disk than at all",
        False,
        {"settings": {"remote.storage.enable": "true", "local.retention.ms": "604800001"}},
        'settings["local.retention.ms"] = "604800001": can\'t be more than retention.ms = '
        "604800000; lower it, raise retention.ms, or use -2 for the same",
    ),
    (
        "compaction that may not start before it must",
        False,
        {"settings": {"min.compaction.lag.ms": "10", "max.compaction.lag.ms": "5"}},
        'settings["min.compaction.lag.ms"] = "10": must be at most max.compaction.lag.ms = 5; '
        "correct one of them",
    ),
    (
        "a name with a slash",
        True,
        {"name": "orders/created"},
        'name = "orders/created": a topic\'s name has letters, digits, dots, underscores and '
        'hyphens only; choose a name like "orders.created"',
    ),
    (
        "a name of two dots",
        True,
        {"name": ".."},
        'name = "..": a topic\'s name has letters, digits, dots, underscores and hyphens only; '
        'choose a name like "orders.created"',
    ),
    (
        "a name of Kafka's own",
        True,
        {"name": "__consumer_offsets"},
        'name = "__consumer_offsets": names that begin with two underscores are kept for Kafka\'s '
        'own topics; use "consumer_offsets"',
    ),
]


@pytest.mark.parametrize(
    ("diskless", "arguments", "message"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_a_wrong_topic_is_refused_with_a_way_out(
    diskless: bool, arguments: dict[str, Any], message: str
) -> None:
    assert [str(p) for p in topic_problems(diskless=diskless, **arguments)] == [message]


def test_a_name_that_is_too_long_says_by_how_much() -> None:
    (problem,) = topic_problems(diskless=True, name="x" * 250)
    assert problem.rule == "a topic's name has 249 characters at most, and this has 250"


@given(st.from_regex(r"[A-Za-z0-9.-][A-Za-z0-9._-]{2,100}", fullmatch=True), st.booleans())
def test_every_ordinary_name_is_taken(name: str, diskless: bool) -> None:
    assert topic_problems(diskless=diskless, name=name) == []


@pytest.mark.parametrize(
    ("diskless", "arguments"),
    [
        (
            True,
            {"partitions": 6, "settings": {"retention.ms": "60000", "cleanup.policy": "delete"}},
        ),
        (True, {"replication_factor": 1}),
        (True, {"replication_factor": 2, "settings": {"compression.type": "zstd"}}),
        (False, {"replication_factor": 3, "settings": {"cleanup.policy": "compact"}}),
        (False, {"replication_factor": 1}),
        (False, {"replication_factor": 2, "settings": {"min.insync.replicas": "1"}}),
        (False, {"settings": {"remote.storage.enable": "true", "local.retention.ms": "1000"}}),
        (False, {"settings": {"retention.ms": 60000.0}}),
    ],
)
def test_a_sound_topic_is_taken(diskless: bool, arguments: dict[str, Any]) -> None:
    assert topic_problems(diskless=diskless, name="orders", **arguments) == []


def test_what_is_not_known_yet_is_passed_over() -> None:
    unknown = object()
    assert (
        topic_problems(
            diskless=True,
            name=unknown,
            partitions=None,
            replication_factor=unknown,
            settings={"retention.ms": unknown},
        )
        == []
    )


def test_no_rule_of_either_kind_holds_while_the_kind_is_not_known() -> None:
    settings = {"cleanup.policy": "compact", "min.insync.replicas": "3", "retention.sm": "1"}
    topic = as_understood("clasic", {"replication_factor": 2, "settings": settings})
    (mistyped,) = declaration_problems(topic)
    assert mistyped.path == 'settings["retention.sm"]'
    assert topic_warnings(replace(topic, replication_factor=1)) == []


def test_names_that_metrics_would_confuse_are_told_apart() -> None:
    (problem,) = collision_problems("a.b_c", ["a_b.c", "a.b_c", "other"])
    assert str(problem) == (
        'name = "a.b_c": differs from the topic "a_b.c" in dots and underscores only; choose '
        "another name; with dots alone or underscores alone it can't happen"
    )


def test_a_setting_without_effect_on_a_diskless_topic_is_warned_of() -> None:
    settings = {"min.insync.replicas": "2", "retention.ms": "7d", "segment.bytes": "1GiB"}
    diskless = TopicDeclaration("diskless", "events", settings=settings)
    assert topic_problems(diskless=True, name="events", settings=settings) == []
    assert topic_warnings(diskless) == [
        "min.insync.replicas, segment.bytes: no effect on the diskless topic events."
    ]
    assert topic_warnings(TopicDeclaration("classic", settings=settings)) == []


@pytest.mark.parametrize(
    ("name", "written", "sent"),
    [
        ("retention.ms", "7d", "604800000"),
        ("retention.ms", " 1.5 h ", "5400000"),
        ("retention.ms", "-1", "-1"),
        ("retention.bytes", "50GiB", "53687091200"),
        ("retention.bytes", "50GB", "50000000000"),
        ("max.message.bytes", 1000, "1000"),
        ("cleanup.policy", "compact", "compact"),
        ("preallocate", True, "true"),
    ],
)
def test_durations_and_sizes_are_written_as_people_do(name: str, written: Any, sent: str) -> None:
    assert kafka_text(name, written) == sent
    assert topic_problems(diskless=False, settings={name: written}) == []


@pytest.mark.parametrize(
    ("name", "written", "remedy"),
    [
        ("retention.ms", "7days", "use a number of milliseconds, or a duration like 12h or 7d"),
        ("retention.ms", "0.1ms", "use a number of milliseconds, or a duration like 12h or 7d"),
        ("retention.bytes", "50G", "use a number of bytes, or a size like 512MiB or 50GiB"),
        ("retention.bytes", "7d", "use a number of bytes, or a size like 512MiB or 50GiB"),
    ],
)
def test_a_unit_that_is_none_is_refused(name: str, written: str, remedy: str) -> None:
    (problem,) = topic_problems(diskless=False, settings={name: written})
    assert (problem.value, problem.rule, problem.remedy) == (
        written,
        "must be a whole number",
        remedy,
    )


def test_a_duration_out_of_range_is_told_as_it_was_written() -> None:
    (problem,) = topic_problems(diskless=False, settings={"max.message.bytes": "4GiB"})
    assert (problem.value, problem.rule) == ("4GiB", "does not fit into 32 bits")


def test_a_topic_is_created_with_its_kind_and_never_with_the_opposite() -> None:
    diskless = TopicDeclaration(
        "diskless", settings={"retention.ms": 1000, "compression.type": "lz4"}
    )
    assert server_settings(diskless) == {
        "diskless.enable": "true",
        "compression.type": "lz4",
        "retention.ms": "1000",
    }
    assert server_settings(TopicDeclaration("classic")) == {}


def test_the_server_may_write_the_kind_by_itself() -> None:
    assert {"diskless.enable", "remote.storage.enable"} == SERVER_OWNED


@pytest.mark.parametrize(
    ("replicas", "settings", "remark"),
    [
        (1, {}, "replicas: 1, and none to spare"),
        (1, {"min.insync.replicas": "1"}, "replicas: 1, and none to spare"),
        (2, {}, "makes not writable the classic topic orders."),
        (3, {"min.insync.replicas": 3}, "replicas: 3, and none to spare"),
        (3, {}, None),
        (2, {"min.insync.replicas": "1"}, None),
        (None, {}, None),
    ],
)
def test_a_topic_without_a_replica_to_spare_is_named(
    replicas: int | None, settings: dict[str, SettingValue], remark: str | None
) -> None:
    topic = TopicDeclaration("classic", "orders", 3, replicas, settings)
    said = topic_warnings(topic)
    if remark is None:
        assert said == []
    else:
        [line] = said
        assert remark in line
    assert topic_warnings(replace(topic, kind="diskless", settings={})) == []
