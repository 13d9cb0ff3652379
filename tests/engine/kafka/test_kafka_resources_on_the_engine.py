"""Topics, users, access rules and the gate under the real engine, against a real Kafka node."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from inkless_pulumi import AccessRule, ClassicTopic, ConnectionArgs, DisklessTopic, User
from inkless_pulumi.node_ready import NodeReady
from tests.engine.kafka.account import REGION, Account
from tests.engine.real_engine import Engine, EngineError
from tests.sandbox.local_kafka import LocalKafka

Program = Callable[[], None]


def orders(connection: ConnectionArgs, **changes: Any) -> Program:
    def program() -> None:
        arguments: Any = {"name": "orders", "partitions": 3, "connection": connection, **changes}
        pulumi.export("topic_id", ClassicTopic("orders", arguments).topic_id)

    return program


def test_everything_is_made_once_and_leaves_no_secret_in_state(
    engine: Engine, kafka: LocalKafka, account: Account, connection: ConnectionArgs
) -> None:
    secret_id = account.new("application")

    def program() -> None:
        gate = NodeReady(
            "node-1-ready",
            {
                "node_id": 1,
                "name": "node-1",
                "roles": ["broker", "controller"],
                "address": kafka.mtls,
                "instance_id": "i-1",
                "configuration": {"num.partitions": "3"},
                "image": "local/kafka:4.2.1",
                "connection": connection,
            },
        )
        after = pulumi.ResourceOptions(depends_on=[gate])
        ClassicTopic(
            "sales",
            {
                "name": "sales",
                "partitions": 3,
                "settings": {"retention.ms": pulumi.Output.from_input(86400000)},
                "connection": connection,
            },
            after,
        )
        user = User(
            "application",
            {
                "name": "application",
                "secret_id": secret_id,
                "secret_store": {"region": REGION},
                "connection": connection,
            },
            after,
        )
        AccessRule(
            "application-writes",
            {
                "principal": user.name.apply(lambda name: f"User:{name}"),
                "resource_type": "topic",
                "resource_name": "sales",
                "operations": ["write", "describe"],
                "connection": connection,
            },
        )

    assert engine.preview(program).changed == {"create": 5}
    assert engine.up(program).changed == {"create": 5}
    assert engine.preview(program).changed == {}
    assert engine.refresh().changed == {}
    state = engine.state()
    assert account.password(secret_id) not in state
    key = account.admin_key.splitlines()[1]
    assert key not in state


def test_partitions_are_added_and_never_taken_away(
    engine: Engine, connection: ConnectionArgs
) -> None:
    made = engine.up(orders(connection))
    grown = engine.up(orders(connection, partitions=6, settings={"retention.ms": 3600000}))
    assert grown.changed == {"update": 1}
    assert grown.outputs["topic_id"] == made.outputs["topic_id"]
    with pytest.raises(EngineError) as refused:
        engine.preview(orders(connection, partitions=5))
    assert "the topic has 6 partitions, and Kafka can't take partitions away" in str(refused.value)


def test_a_rename_is_refused_at_preview(engine: Engine, connection: ConnectionArgs) -> None:
    engine.up(orders(connection, name="renamed"))
    with pytest.raises(EngineError, match="Kafka can't rename a topic"):
        engine.preview(orders(connection, name="otherwise"))


def test_a_rename_and_fewer_partitions_are_told_beside_a_typing_error(
    engine: Engine, connection: ConnectionArgs
) -> None:
    engine.up(orders(connection, name="thrice"))
    with pytest.raises(EngineError) as refused:
        engine.preview(
            orders(connection, name="twice", partitions=2, settings={"retention.sm": "1"})
        )
    assert "Kafka can't rename a topic" in str(refused.value)
    assert "Kafka can't take partitions away" in str(refused.value)
    assert 'did you mean "retention.ms"?' in str(refused.value)


def test_a_topic_is_deleted_only_after_its_protection_was_switched_off(
    engine: Engine, connection: ConnectionArgs
) -> None:
    def nothing() -> None:
        """The topic is taken out of the program."""

    engine.up(orders(connection, name="precious"))
    with pytest.raises(EngineError, match="protect"):
        engine.preview(nothing)
    assert engine.up(orders(connection, name="precious", deletion_protection=False)).changed == {
        "update": 1
    }
    assert engine.up(nothing).changed == {"delete": 1}


def test_a_destroyed_stack_lists_what_is_protected_and_keeps_all(
    engine: Engine, connection: ConnectionArgs
) -> None:
    def program() -> None:
        orders(connection, name="kept")()
        arguments: Any = {"name": "free", "partitions": 1, "deletion_protection": False}
        arguments["connection"] = connection
        ClassicTopic("free", arguments)

    engine.up(program)
    before = engine.resources()
    with pytest.raises(EngineError, match=r"orders.* cannot be deleted"):
        engine.destroy()
    assert engine.resources().keys() == before.keys()


def test_a_setting_without_effect_is_warned_of_at_preview(
    engine: Engine, connection: ConnectionArgs
) -> None:
    def program() -> None:
        settings = {"min.insync.replicas": "2", "retention.ms": "7d"}
        DisklessTopic(
            "events",
            {"name": "events", "partitions": 1, "settings": settings, "connection": connection},
        )

    told = engine.preview(program).text
    assert "min.insync.replicas: no effect on the diskless topic events." in told


def test_a_preview_contacts_nothing(engine: Engine, connection: ConnectionArgs) -> None:
    elsewhere: ConnectionArgs = {**connection, "bootstrap_servers": "127.77.0.9:1"}
    assert engine.preview(orders(elsewhere)).changed == {"create": 2}


def test_a_malformed_argument_is_named_at_preview(
    engine: Engine, connection: ConnectionArgs
) -> None:
    settings = {"retention.sm": "1"}
    with pytest.raises(EngineError) as refused:
        engine.preview(orders(connection, name="a topic", settings=settings))
    assert 'name = "a topic"' in str(refused.value)
    assert 'settings["retention.sm"]' in str(refused.value)


def test_drift_is_seen_by_a_refresh_and_mended(engine: Engine, connection: ConnectionArgs) -> None:
    drifting = orders(connection, name="drifting", settings={"retention.ms": "1000000"})
    engine.up(drifting)
    # Another stack's declaration of the same topic stands for a colleague with kafka-configs.sh.
    engine.up(orders(connection, name="drifting", settings={"retention.ms": "2000000"}))
    assert engine.up(drifting).changed == {"update": 1}
    assert engine.refresh().changed == {}


def test_an_existing_topic_is_imported_by_its_name(
    engine: Engine, connection: ConnectionArgs
) -> None:
    engine.up(orders(connection, name="adopted"))

    def adopting() -> None:
        arguments: Any = {
            "name": "adopted",
            "partitions": 3,
            "replication_factor": 1,
            "connection": {key: value for key, value in connection.items() if key != "image"},
        }
        options = pulumi.ResourceOptions(import_="adopted", retain_on_delete=True)
        ClassicTopic("again", arguments, options)

    def both() -> None:
        orders(connection, name="adopted")()
        adopting()

    assert engine.up(both).changed == {"import": 1}


def test_brokers_without_diskless_support_are_named_by_their_image(
    engine: Engine, connection: ConnectionArgs
) -> None:
    def program() -> None:
        DisklessTopic("events", {"name": "events", "partitions": 1, "connection": connection})

    assert engine.preview(program).changed == {"create": 2}
    with pytest.raises(EngineError) as refused:
        engine.up(program)
    assert "the brokers' image local/kafka:4.2.1 does not support diskless" in str(refused.value)
    assert "Traceback" not in str(refused.value)
