"""What is said of data."""

from typing import Any

import pytest

from tests.unit.report.previews import (
    CLASSIC,
    DISKLESS,
    create,
    delete,
    finding,
    report,
    same,
    service,
    step,
    text,
    topic,
    update,
)


def test_a_deleted_topic_is_data_loss() -> None:
    found = report(delete(CLASSIC, "orders", topic("orders")))
    assert found.status == "data-loss"
    assert "1 topic is deleted with all records: orders" in text(finding(found, "topic-deleted"))
    assert found.gates == {"data-loss"}


def test_a_topic_that_stays_in_the_cluster_is_none() -> None:
    found = report(delete(CLASSIC, "orders", topic("orders"), retained=True))
    assert found.status == "safe"
    assert "stays in the cluster" in text(finding(found, "topic-left"))


def test_a_replaced_topic_is_made_anew_empty() -> None:
    found = report(step("replace", CLASSIC, "orders", topic("orders"), topic("sales")))
    assert "1 is made anew, empty" in text(finding(found, "topic-deleted"))


@pytest.mark.parametrize(
    ("token", "inputs", "rule", "stays"),
    [
        (
            "aws:rds/instance:Instance",
            {"skipFinalSnapshot": False, "finalSnapshotIdentifier": "kafka-final"},
            "database-deleted",
            "a final snapshot kafka-final stays",
        ),
        (
            "aws:rds/instance:Instance",
            {"skipFinalSnapshot": True},
            "database-deleted",
            "no final snapshot is taken",
        ),
        ("aws:s3/bucket:Bucket", {"forceDestroy": True}, "bucket-deleted", "all of its objects"),
        ("aws:s3/bucket:Bucket", {}, "bucket-deleted", "S3 refuses while it has objects"),
        ("aws:ebs/volume:Volume", {"size": 50}, "data-volume-deleted", "50 GiB, no snapshot"),
        ("aws:kms/key:Key", {}, "encryption-key-deleted", "can't be read again"),
        ("aws:secretsmanager/secret:Secret", {}, "secret-deleted", "1 secret is deleted"),
    ],
)
def test_what_holds_data_is_data_loss_with_what_stays_of_it(
    token: str, inputs: dict[str, Any], rule: str, stays: str
) -> None:
    found = report(delete(token, "it", inputs))
    assert found.status == "data-loss"
    assert stays in text(finding(found, rule))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            {"retention.ms": "604800000"},
            {"retention.ms": "86400000"},
            "shrinks from 7 days to 1 day: records older than 1 day become eligible for deletion "
            "(up to 6 days of them)",
        ),
        ({"retention.ms": "-1"}, {"retention.ms": "3600000"}, "from no limit to 1 hour"),
        ({}, {"retention.ms": "3600000"}, "from 7 days (Kafka's default) to 1 hour"),
        ({"retention.ms": "1209600000"}, {}, "from 14 days to 7 days (Kafka's default)"),
        (
            {"retention.bytes": "-1"},
            {"retention.bytes": "1073741824"},
            "from no limit to 1 GiB: the oldest records become eligible",
        ),
        (
            {"retention.bytes": "2147483648"},
            {"retention.bytes": "1073741824"},
            "(up to 1 GiB a partition)",
        ),
        ({"cleanup.policy": "compact"}, {"cleanup.policy": "delete"}, "gets delete"),
        ({}, {"cleanup.policy": "compact"}, "gets compact"),
    ],
)
def test_retention_that_shrinks_is_data_loss(
    old: dict[str, str], new: dict[str, str], said: str
) -> None:
    before, after = (topic("orders", settings=settings) for settings in (old, new))
    found = report(update(CLASSIC, "orders", before, after))
    assert found.status == "data-loss"
    assert said in text(finding(found, "retention-shrinks"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"retention.ms": "86400000"}, {"retention.ms": "604800000"}),
        ({"retention.ms": "86400000"}, {"retention.ms": "-1"}),
        ({"retention.bytes": "10"}, {}),
        ({"cleanup.policy": "compact,delete"}, {"cleanup.policy": "delete,compact"}),
        ({}, {"max.message.bytes": "100"}),
    ],
)
def test_a_setting_that_keeps_the_records_is_none(old: dict[str, str], new: dict[str, str]) -> None:
    before, after = (topic("orders", settings=settings) for settings in (old, new))
    found = report(update(CLASSIC, "orders", before, after))
    assert found.status == "safe"
    assert "1 topic is changed in place" in text(finding(found, "topic-changed"))


def test_the_brokers_retention_is_that_of_topics_without_one() -> None:
    found = report(*service({}, {"log.retention.ms": "3600000"}))
    said = text(finding(found, "default-retention-shrinks"))
    assert "shrinks from 7 days to 1 hour" in said
    assert found.status == "data-loss"


def test_turning_diskless_is_told_as_the_one_way_that_it_is() -> None:
    before = topic("orders", settings={})
    after = topic("orders", settings={"diskless.enable": "true"})
    found = report(update(CLASSIC, "orders", before, after))
    assert "can't be undone: orders" in text(finding(found, "topic-turns-diskless"))
    assert found.status == "at-risk"


def test_more_partitions_are_told_with_what_they_do_to_keys() -> None:
    found = report(update(CLASSIC, "orders", topic("orders"), topic("orders", partitions=12)))
    assert "order of a key's records" in text(finding(found, "partitions-added"))
    assert found.status == "safe"


def test_new_topics_are_counted_by_kind() -> None:
    found = report(
        create(CLASSIC, "orders", topic("orders")),
        create(DISKLESS, "events", topic("events")),
        create(DISKLESS, "clicks", topic("clicks")),
    )
    titles = [text(one) for one in found.findings if one.rule == "topic-created"]
    assert titles[0].startswith("2 diskless topics are created: clicks and events")
    assert titles[1].startswith("1 classic topic is created: orders")


def test_a_thousand_topics_are_counted_and_the_first_named() -> None:
    found = report(*(create(DISKLESS, f"t{n:04}", topic(f"t{n:04}")) for n in range(1000)))
    one = finding(found, "topic-created")
    assert text(one).startswith(
        "1,000 diskless topics are created: t0000, t0001, t0002, t0003, t0004 and 995 more"
    )
    assert len(one.details) == 1000


def test_shorter_backups_are_told() -> None:
    found = report(
        update(
            "aws:rds/instance:Instance",
            "db",
            {"backupRetentionPeriod": 7},
            {"backupRetentionPeriod": 1},
            changed=["backupRetentionPeriod"],
        )
    )
    assert "1 days back, not 7" in text(finding(found, "backups-shrink"))


def test_what_stays_is_not_told() -> None:
    found = report(same(CLASSIC, "orders", topic("orders")))
    assert found.findings == ()
    assert found.verdict == "No changes"


def topic_set(**topics: Any) -> dict[str, Any]:
    """The inputs of a set of topics."""
    return {"topics": topics, "deletionProtection": True, "connection": {}}


def test_the_topics_of_a_set_are_told_as_single_ones_are() -> None:
    kept = {"kind": "classic", "partitions": 3, "settings": {"retention.ms": "604800000"}}
    shorter = {**kept, "settings": {"retention.ms": "3600000"}}
    gone = {"kind": "diskless", "partitions": 6, "settings": {}}
    found = report(
        update(
            "inkless:index:TopicSet",
            "topics",
            topic_set(orders=kept, audit=kept, clicks=gone, same=kept),
            topic_set(orders={**kept, "partitions": 6}, audit=shorter, views=gone, same=kept),
            changed=["topics.orders.partitions"],
        )
    )
    assert "1 topic is deleted with all records: clicks" in text(finding(found, "topic-deleted"))
    assert "1 topic keeps less: audit" in text(finding(found, "retention-shrinks"))
    assert "1 topic gets more partitions: orders" in text(finding(found, "partitions-added"))
    assert "1 diskless topic is created: views" in text(finding(found, "topic-created"))
    assert "same" not in text(finding(found, "topic-changed"))


def test_a_topic_that_is_protected_no_longer_is_told() -> None:
    kept = {"kind": "classic", "partitions": 3, "settings": {}}
    free = {**kept, "deletionProtection": False}
    found = report(
        update("inkless:index:TopicSet", "topics", topic_set(orders=kept), topic_set(orders=free))
    )
    said = text(finding(found, "protection-removed"))
    assert "can be deleted by the next update: orders" in said
    assert "This update does not delete it. A later change that deletes or replaces it is" in said


def test_a_topic_that_turns_diskless_in_a_set_is_one_way() -> None:
    before, after = (
        topic_set(orders={"kind": kind, "partitions": 3}) for kind in ("classic", "diskless")
    )
    found = report(update("inkless:index:TopicSet", "topics", before, after))
    assert finding(found, "topic-turns-diskless")
