"""Topic sets under the real engine, against a real Kafka node."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from inkless_pulumi import ConnectionArgs, TopicSet
from inkless_pulumi.provider.kafka.model import Cluster
from inkless_pulumi.provider.topics.declared import kind_of
from tests.engine.real_engine import Engine, EngineError, Program
from tests.sandbox.local_kafka import wait_until

CLASSIC = {"kind": "classic", "partitions": 3, "settings": {"retention.ms": "7d"}}


def topic_set(connection: ConnectionArgs, topics: Any, **arguments: Any) -> Program:
    def program() -> None:
        given: Any = {"topics": topics, "connection": connection, **arguments}
        pulumi.export("topic_ids", TopicSet("topics", given).topic_ids)

    return program


def differences(run: Any) -> dict[str, str]:
    """The properties that a preview shows as different, with what happens to them."""
    [step] = run.steps("topics")
    return {path: str(diff.diff_kind.value) for path, diff in step.detailed_diff.items()}


def test_a_set_lives_with_a_difference_a_topic_and_a_property(
    engine: Engine, connection: ConnectionArgs
) -> None:
    names = [f"lives.{number}" for number in range(5)]
    topics: dict[str, Any] = dict.fromkeys(names, CLASSIC)
    made = engine.up(topic_set(connection, topics))
    assert made.changed == {"create": 2}
    assert set(made.outputs["topic_ids"]) == set(names)
    assert engine.preview(topic_set(connection, topics)).changed == {}
    assert engine.refresh().changed == {}

    changed = {**topics, "lives.new": {"kind": "classic", "partitions": 1}}
    changed["lives.1"] = {**CLASSIC, "settings": {"retention.ms": "1d"}}
    changed["lives.2"] = {**CLASSIC, "partitions": 6}
    told = engine.preview(topic_set(connection, changed))
    assert differences(told) == {
        'topics["lives.1"].settings["retention.ms"]': "update",
        'topics["lives.2"].partitions': "update",
        'topics["lives.new"]': "add",
    }
    assert engine.up(topic_set(connection, changed)).changed == {"update": 1}
    assert engine.refresh().changed == {}

    free = topic_set(connection, changed, deletion_protection=False)
    assert engine.up(free).changed == {"update": 1}
    del changed["lives.new"]
    fewer = topic_set(connection, changed, deletion_protection=False)
    assert "lives.new" not in engine.up(fewer).outputs["topic_ids"]
    assert engine.destroy().changed == {"delete": 2}


def test_a_file_of_a_thousand_topics_gets_a_message_for_each_mistake_and_no_change(
    engine: Engine, connection: ConnectionArgs, tmp_path: Path
) -> None:
    def program() -> None:
        TopicSet("topics", {"file": str(tmp_path / "topics.yaml"), "connection": connection})

    lines = ["defaults: {kind: classic, partitions: 2}", "topics:"]
    lines += [f"  thousand.{number}: {{settings: {{retention.ms: 7d}}}}" for number in range(1000)]
    (tmp_path / "topics.yaml").write_text("\n".join(lines))
    assert engine.up(program).changed == {"create": 2}
    before = engine.resources()["topics"]

    lines[2 + 17] = "  thousand.17: {settings: {retention.sm: 7d}}"
    lines[2 + 18] = "  thousand-and-one: {partitions: 9}"
    lines[2 + 19] = "  thousand.19: {partitions: 1, settings: {retention.ms: 7d}}"
    lines[2 + 20] = "  thousand.20: {partitons: 3, settings: {retention.ms: 7d}}"
    (tmp_path / "topics.yaml").write_text("\n".join(lines))
    with pytest.raises(EngineError) as refused:
        engine.up(program)
    for message in (
        'topics["thousand.17"].settings["retention.sm"] = "7d": is not a setting of topics; did '
        'you mean "retention.ms"?',
        'topics["thousand.18"]: was taken out, and is protected against deletion',
        'topics["thousand.19"].partitions = 1: the topic has 2 partitions, and Kafka can\'t take '
        "partitions away",
        'topics["thousand.20"].partitons: is not an argument; did you mean "partitions"?',
    ):
        assert message in str(refused.value)
    assert engine.resources()["topics"] == before


def test_topics_that_fail_leave_the_others_done_and_the_next_update_does_the_rest(
    engine: Engine, connection: ConnectionArgs
) -> None:
    wide = {"kind": "classic", "partitions": 1, "replication_factor": 5}
    topics = {"partial.good": CLASSIC, "partial.wide": wide}
    with pytest.raises(EngineError) as failed:
        engine.up(topic_set(connection, topics))
    assert "1 of 2 topics failed; the others are done" in str(failed.value)
    assert "partial.wide could not be created. Kafka: INVALID_REPLICATION" in str(failed.value)
    assert list(engine.resources()["topics"]["outputs"]["topics"]) == ["partial.good"]

    mended = topic_set(connection, {**topics, "partial.wide": {**wide, "replication_factor": 1}})
    assert differences(engine.preview(mended)) == {'topics["partial.wide"]': "add"}
    assert engine.up(mended).changed == {"update": 1}
    assert engine.preview(mended).changed == {}


def test_a_topic_that_failed_may_be_taken_back(engine: Engine, connection: ConnectionArgs) -> None:
    wide = {"kind": "classic", "partitions": 1, "replication_factor": 5}
    with pytest.raises(EngineError):
        engine.up(topic_set(connection, {"back.good": CLASSIC, "back.wide": wide}))
    assert engine.up(topic_set(connection, {"back.good": CLASSIC})).changed == {"update": 1}


def test_drift_of_topics_is_seen_and_mended(
    engine: Engine, connection: ConnectionArgs, cluster: Cluster
) -> None:
    topics = {"drift.a": CLASSIC, "drift.b": CLASSIC, "drift.c": CLASSIC}
    engine.up(topic_set(connection, topics))
    cluster.topics.alter({"drift.a": {"retention.ms": "5", "segment.ms": "9"}})
    cluster.topics.delete(["drift.b"])
    wait_until(lambda: not cluster.topics.describe(["drift.b"]), 20, "the topic has gone")
    assert engine.refresh().changed == {"update": 1}
    told = engine.preview(topic_set(connection, topics))
    assert differences(told) == {
        'topics["drift.a"].settings["retention.ms"]': "update",
        'topics["drift.a"].settings["segment.ms"]': "delete",
        'topics["drift.b"]': "add",
    }
    assert engine.up(topic_set(connection, topics)).changed == {"update": 1}
    assert engine.refresh().changed == {}


def test_topics_that_exist_are_imported_by_a_pattern(
    engine: Engine, connection: ConnectionArgs
) -> None:
    engine.up(topic_set(connection, {"import.a": CLASSIC, "import.b": CLASSIC}))
    plain: Any = {key: value for key, value in connection.items() if key != "image"}
    found = {
        "kind": "classic",
        "partitions": 3,
        "replication_factor": 1,
        "settings": {"retention.ms": "604800000"},
    }

    def both() -> None:
        topic_set(connection, {"import.a": CLASSIC, "import.b": CLASSIC})()
        options = pulumi.ResourceOptions(import_="import.*", retain_on_delete=True)
        topics: Any = {"import.a": found, "import.b": found}
        TopicSet("imported", {"topics": topics, "connection": plain}, options)

    assert engine.up(both).changed == {"import": 1}
    assert engine.preview(both).changed == {}


def test_a_classic_topic_is_switched_only_where_its_service_and_its_brokers_can(
    engine: Engine, connection: ConnectionArgs, cluster: Cluster
) -> None:
    diskless = {"kinds.a": {**CLASSIC, "kind": "diskless"}}
    engine.up(topic_set(connection, {"kinds.a": CLASSIC}))
    with pytest.raises(EngineError, match="its service does not declare that such may be switched"):
        engine.preview(topic_set(connection, diskless))

    declaring: ConnectionArgs = {**connection, "switch_to_diskless": True}
    told = engine.preview(topic_set(declaring, diskless))
    assert differences(told) == {'topics["kinds.a"].kind': "update"}
    assert "kinds.a: to be switched from classic to diskless, which can't be undone" in told.text
    with pytest.raises(EngineError, match=r"image local/kafka:4\.2\.1 does not support diskless"):
        engine.up(topic_set(declaring, diskless))
    assert kind_of(cluster.topics.describe(["kinds.a"])["kinds.a"]) == "classic"
    assert engine.preview(topic_set(connection, {"kinds.a": CLASSIC})).changed == {}


def test_another_plugin_on_one_cluster_does_not_disturb(
    engine: Engine, connection: ConnectionArgs
) -> None:
    def program() -> None:
        for number in range(4):
            topics: Any = {f"beside.{number}.{topic}": CLASSIC for topic in range(10)}
            TopicSet(f"set-{number}", {"topics": topics, "connection": connection})

    assert engine.up(program).changed == {"create": 5}
    assert engine.refresh().changed == {}
