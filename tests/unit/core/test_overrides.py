"""Which settings a user may override, and what each wrong one is answered with."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.catalogue import broker_settings, check_setting, setting_text
from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.managed_settings import MANAGED_SETTINGS
from inkless_pulumi.core.overrides import override_problem
from tests.unit.core.declarations import OVERRIDABLE, service, setting_values


def problem_with(name: str, value: Any, **changes: Any) -> str:
    """What one override of a service is refused with, without the name of the service."""
    with pytest.raises(DeclarationError) as caught:
        service(settings={name: value}, **changes)
    return str(caught.value).removeprefix('service "orders": ')


REFUSED: list[tuple[str, Any, str]] = [
    (
        "num.partitons",
        3,
        'settings["num.partitons"] = 3: is not a setting that Kafka or Inkless has; did you mean '
        '"num.partitions"?',
    ),
    (
        "zookeeper.connect",
        "x",
        'settings["zookeeper.connect"] = "x": is not a setting that Kafka or Inkless has; remove '
        "it or correct the setting's name",
    ),
    (
        "num.partitions",
        "many",
        'settings["num.partitions"] = "many": must be a whole number; use digits only, without a '
        "unit",
    ),
    (
        "num.partitions",
        0,
        'settings["num.partitions"] = 0: must be 1 or more; use 1 or more',
    ),
    (
        "num.partitions",
        2**31,
        'settings["num.partitions"] = 2147483648: does not fit into 32 bits; use at most '
        "2147483647",
    ),
    (
        "compression.gzip.level",
        0,
        'settings["compression.gzip.level"] = 0: must be 1 or more; use 1 or more, or -1',
    ),
    (
        "log.cleaner.min.cleanable.ratio",
        1.5,
        'settings["log.cleaner.min.cleanable.ratio"] = 1.5: must be 1 or less; use 1 or less',
    ),
    (
        "log.cleaner.min.cleanable.ratio",
        "half",
        'settings["log.cleaner.min.cleanable.ratio"] = "half": must be a number; use digits with a '
        "decimal point",
    ),
    (
        "delete.topic.enable",
        "yes",
        'settings["delete.topic.enable"] = "yes": must be a boolean; use true or false',
    ),
    (
        "compression.type",
        "bzip2",
        'settings["compression.type"] = "bzip2": is not one of the possible values; use one of '
        "uncompressed, zstd, lz4, snappy, gzip, producer",
    ),
    (
        "group.coordinator.rebalance.protocols",
        "classic,magic",
        'settings["group.coordinator.rebalance.protocols"] = "classic,magic": does not know magic; '
        "use any of consumer, classic, share, streams",
    ),
    (
        "group.coordinator.rebalance.protocols",
        "classic,classic",
        'settings["group.coordinator.rebalance.protocols"] = "classic,classic": has an entry '
        "twice; name each entry once",
    ),
    (
        "group.coordinator.rebalance.protocols",
        "classic,",
        'settings["group.coordinator.rebalance.protocols"] = "classic,": has an empty entry; '
        "remove "
        "the superfluous comma",
    ),
    (
        "max.connections.per.ip.overrides",
        "10.0.0.1:5\nsuper.users=User:me",
        'settings["max.connections.per.ip.overrides"] = "10.0.0.1:5\\nsuper.users=User:me": must '
        "not have line breaks or control characters; write it on one line",
    ),
    (
        "min.insync.replicas",
        1,
        'settings["min.insync.replicas"] = 1: is locked: an acknowledged record is on two nodes; '
        "the active controller's value rules, so every role has it; leave it out of settings",
    ),
    (
        "log.dirs",
        "/data",
        'settings["log.dirs"] = "/data": is locked: it is where the data volume is mounted; leave '
        "it out of settings",
    ),
    (
        "super.users",
        "User:me",
        'settings["super.users"] = "User:me": is locked: nodes and the administrator, by one name '
        "each, so that a new node changes no other; leave it out of settings",
    ),
    (
        "ssl.client.auth",
        "none",
        'settings["ssl.client.auth"] = "none": is locked: TLS and who is trusted are managed, so '
        "that no listener can be weakened by accident; leave it out",
    ),
    (
        "log.diskless.enable",
        True,
        'settings["log.diskless.enable"] = true: is locked: whether a topic is diskless or tiered '
        "is said by the topic's own resource; declare a DisklessTopic, or a ClassicTopic with "
        "remote.storage.enable",
    ),
    (
        "diskless.storage.system.enable",
        False,
        'settings["diskless.storage.system.enable"] = false: is locked: the argument cluster_type '
        "decides it; set cluster_type",
    ),
    (
        "remote.log.storage.system.enable",
        True,
        'settings["remote.log.storage.system.enable"] = true: is locked: the argument '
        "tiered_storage decides it; set tiered_storage",
    ),
    (
        "inkless.control.plane.class",
        "io.aiven.inkless.control_plane.InMemoryControlPlane",
        'settings["inkless.control.plane.class"] = '
        '"io.aiven.inkless.control_plane.InMemoryControlPlane": is locked: the default is in '
        "memory "
        "and loses every diskless topic at a restart; leave it out of settings",
    ),
    (
        "inkless.control.plane.password",
        "hunter2",
        'settings["inkless.control.plane.password"]: is locked: passwords are read from memory, '
        "never rendered; leave it out of settings",
    ),
    (
        "inkless.control.plane.read.max.connections",
        5,
        'settings["inkless.control.plane.read.max.connections"] = 5: is locked: separate pools for '
        "reading and writing need credentials that are not managed; raise "
        "database_max_connections_per_node instead",
    ),
    (
        "inkless.storage.aws.secret.access.key",
        "hunter2",
        'settings["inkless.storage.aws.secret.access.key"]: is locked: nodes use their own '
        "identity, and a credential here would be readable in the rendered files; leave it out",
    ),
    (
        "inkless.storage.azure.container.name",
        "x",
        'settings["inkless.storage.azure.container.name"] = "x": is for object storage of kind '
        "azure, and this is s3; leave it out",
    ),
    (
        "unstable.api.versions.enable",
        True,
        'settings["unstable.api.versions.enable"] = true: is internal to Kafka and meant for '
        "tests; leave it out",
    ),
    (
        "create.topic.policy.class.name",
        "com.example.Policy",
        'settings["create.topic.policy.class.name"] = "com.example.Policy": names a class that the '
        "image is not known to have, and a node does not start without it; leave it out",
    ),
    (
        "retention.ms",
        1000,
        'settings["retention.ms"] = 1000: is a setting of topics, not of the service; set it on '
        "the "
        "topic, or log.retention.ms for all",
    ),
    (
        "diskless.enable",
        True,
        'settings["diskless.enable"] = true: is a setting of topics, not of the service; set it on '
        "the topic",
    ),
    (
        "listener.name.broker.max.connections",
        5,
        'settings["listener.name.broker.max.connections"]: is not a setting of the family '
        "listener.name.* that may be overridden; use "
        "listener.name.client.connections.max.reauth.ms or "
        "listener.name.client.max.connection.creation.rate or listener.name.client.max.connections "
        "or listener.name.mtls.connections.max.reauth.ms or "
        "listener.name.mtls.max.connection.creation.rate or listener.name.mtls.max.connections",
    ),
    (
        "rsm.config.chunk.size",
        1,
        'settings["rsm.config.chunk.size"] = 1: belongs to tiered storage, which this service does '
        "not have; set tiered_storage=True, or leave it out",
    ),
    (
        "rsm.config.storage.aws.secret.access.key",
        "hunter2",
        'settings["rsm.config.storage.aws.secret.access.key"]: is not a setting of the family '
        "rsm.config.* that may be overridden; use rsm.config.chunk.size",
    ),
    (
        "max.connections.per.ip.overrides",
        "${file:/etc/passwd:root}",
        'settings["max.connections.per.ip.overrides"] = "${file:/etc/passwd:root}": refers to a '
        "config provider, and what it stands for can't be checked; write the value itself",
    ),
]


@pytest.mark.parametrize(
    ("name", "value", "message"), REFUSED, ids=[f"{case[0]}={case[1]!r}" for case in REFUSED]
)
def test_a_wrong_override_is_refused_with_a_way_out(name: str, value: Any, message: str) -> None:
    assert problem_with(name, value) == message


@pytest.mark.parametrize(
    "row", [row for row in MANAGED_SETTINGS if row.locked], ids=lambda row: str(row.key)
)
def test_every_locked_row_refuses_an_override_with_its_reason(row: Any) -> None:
    problem = override_problem(service(tiered_storage=True), row.key, "anything")
    assert problem is not None
    assert problem.rule.startswith(("is locked: ", "is not a setting of the family"))


def test_a_setting_that_an_older_kafka_lacks_is_refused_there() -> None:
    name = "remote.log.manager.follower.thread.pool.size"
    assert service(settings={name: 4}).settings == {name: 4}
    assert problem_with(name, 4, version="4.1.2-0.47") == (
        f'settings["{name}"] = 4: does not exist before Kafka 4.2, and the version is 4.1.2-0.47; '
        "leave it out, or use a newer version"
    )


def test_a_range_that_an_older_kafka_has_is_the_one_that_counts() -> None:
    name = "group.coordinator.append.linger.ms"
    assert service(settings={name: -1}).settings == {name: -1}
    assert "must be 0 or more" in problem_with(name, -1, version="4.1.2-0.47")


def test_a_classic_service_takes_no_setting_of_inkless() -> None:
    message = problem_with(
        "inkless.produce.commit.interval.ms", 100, cluster_type="classic", classic_eligible=True
    )
    assert "is a setting of Inkless, and this is a classic service" in message


def test_the_families_settings_that_are_free_can_be_set() -> None:
    assert service(settings={"listener.name.client.max.connections": 500})
    assert service(tiered_storage=True, settings={"rsm.config.chunk.size": 1048576})


@given(st.sampled_from(OVERRIDABLE).flatmap(lambda s: st.tuples(st.just(s), setting_values(s))))
def test_every_value_of_the_type_and_range_is_taken(drawn: Any) -> None:
    setting, value = drawn
    assert check_setting(setting.name, value) is None


@given(st.text(min_size=1, max_size=30).filter(lambda name: name not in broker_settings()))
def test_every_unknown_name_is_refused(name: str) -> None:
    problem = check_setting(name, "1")
    assert problem is not None
    assert "is not a setting" in problem.rule


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (3, "3"), (3.0, "3"), (0.5, "0.5"), (" x ", "x")],
)
def test_values_are_written_as_kafka_reads_them(value: Any, text: str) -> None:
    assert setting_text(value) == text
