"""Settings that are sound alone and would stop a node, or lose data, together."""

from typing import Any

import pytest

from inkless_pulumi.core.configuration import Configuration
from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.startup_rules import configuration_problems
from tests.unit.core.declarations import ZONES, service

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "consolidation needs the whole chain",
        {"diskless.remote.storage.consolidation.enable": True},
        'settings["diskless.remote.storage.consolidation.enable"] = "true": needs '
        "diskless.allow.from.classic.enable and remote.log.storage.system.enable to be true; set "
        "switch_to_diskless=True and set tiered_storage=True",
    ),
    (
        "objects must outlive the cache of their coordinates",
        {"inkless.file.cleaner.retention.period.ms": 9000},
        'settings["inkless.file.cleaner.retention.period.ms"] = "9000": '
        "inkless.consume.batch.coordinate.cache.ttl.ms = 5000 must be at most half of "
        "inkless.file.cleaner.retention.period.ms = 9000, or a broker could read objects that are "
        "already deleted; lower the first to 4500, or raise the second",
    ),
    (
        "the cache of coordinates must not outlive objects",
        {"inkless.consume.batch.coordinate.cache.ttl.ms": 30001},
        'settings["inkless.consume.batch.coordinate.cache.ttl.ms"] = "30001": '
        "inkless.consume.batch.coordinate.cache.ttl.ms = 30001 must be at most half of "
        "inkless.file.cleaner.retention.period.ms = 60000, or a broker could read objects that are "
        "already deleted; lower the first to 30000, or raise the second",
    ),
    (
        "a lagging consumer is one behind the cache",
        {"inkless.fetch.lagging.consumer.threshold.ms": 0},
        'settings["inkless.fetch.lagging.consumer.threshold.ms"] = "0": must be -1 or at least the '
        "cache's lifetime, inkless.consume.cache.expiration.lifespan.sec = 60 s; use -1, or 60000 "
        "or more",
    ),
    (
        "the whole of a fetch takes longer than its first byte",
        {
            "inkless.fetch.hedge.total.time.threshold.ms": 100,
            "inkless.fetch.hedge.ttfb.threshold.ms": 100,
        },
        'settings["inkless.fetch.hedge.total.time.threshold.ms"] = "100": must be more than '
        "inkless.fetch.hedge.ttfb.threshold.ms = 100 when both are on; raise it, or set one of "
        "them to 0",
    ),
    (
        "a cache block has a size",
        {"inkless.consume.cache.block.bytes": 0},
        'settings["inkless.consume.cache.block.bytes"] = "0": must be more than 0, which Inkless '
        "does not check; use 16777216",
    ),
    (
        "a zone listener is LISTENER=zone",
        {"inkless.client.az.listener.map": "CLIENT"},
        'settings["inkless.client.az.listener.map"] = "CLIENT": has "CLIENT" where LISTENER=zone '
        "is "
        "meant; correct it",
    ),
    (
        "a zone listener is one of clients",
        {"inkless.client.az.listener.map": "BROKER=eu-west-1a"},
        'settings["inkless.client.az.listener.map"] = "BROKER=eu-west-1a": names BROKER, which '
        "clients can't connect to; use CLIENT or MTLS",
    ),
    (
        "a zone listener is named once, whatever the case",
        {"inkless.client.az.listener.map": "CLIENT=eu-west-1a,client=eu-west-1b"},
        'settings["inkless.client.az.listener.map"] = "CLIENT=eu-west-1a,client=eu-west-1b": names '
        "the listener CLIENT twice; keep one",
    ),
    (
        "a zone listener names a zone of the service",
        {"inkless.client.az.listener.map": "CLIENT=eu-west-1f"},
        'settings["inkless.client.az.listener.map"] = "CLIENT=eu-west-1f": names eu-west-1f, which '
        "is not a zone of the service; use one of eu-west-1a, eu-west-1b, eu-west-1c",
    ),
    (
        "compaction by default would reach diskless topics",
        {"log.cleanup.policy": "compact,delete"},
        'settings["log.cleanup.policy"] = "compact,delete": would be the default of diskless '
        "topics "
        "as well, which are never compacted; set cleanup.policy on the classic topics that need it",
    ),
    (
        "heartbeats are shorter than sessions",
        {"group.share.session.timeout.ms": 45000, "group.share.heartbeat.interval.ms": 45000}
        | {"group.share.max.heartbeat.interval.ms": 50000},
        'settings["group.share.heartbeat.interval.ms"] = "45000": must be less than '
        "group.share.session.timeout.ms = 45000; lower it, or raise group.share.session.timeout.ms",
    ),
    (
        "an interval keeps to its limits",
        {
            "group.consumer.max.heartbeat.interval.ms": 5001,
            "group.consumer.heartbeat.interval.ms": 6000,
        },
        'settings["group.consumer.heartbeat.interval.ms"] = "6000": must be at most '
        "group.consumer.max.heartbeat.interval.ms = 5001; lower it, or raise "
        "group.consumer.max.heartbeat.interval.ms",
    ),
    (
        "the limit that was set is the one to change",
        {
            "group.streams.max.session.timeout.ms": 40000,
            "group.streams.min.session.timeout.ms": 30000,
        },
        'settings["group.streams.max.session.timeout.ms"] = "40000": must be at least '
        "group.streams.session.timeout.ms = 45000; raise it, or lower "
        "group.streams.session.timeout.ms",
    ),
    (
        "a queue has room for one request",
        {"queued.max.request.bytes": 1000},
        'settings["queued.max.request.bytes"] = "1000": must be at least '
        "socket.request.max.bytes = 104857600, or no request fits; raise it, or use -1 for no "
        "limit",
    ),
    (
        "no connection at all needs exceptions",
        {"max.connections.per.ip": 0},
        'settings["max.connections.per.ip"] = "0": can be 0 only beside '
        "max.connections.per.ip.overrides; raise it",
    ),
    (
        "an exception is an address and a count",
        {"max.connections.per.ip.overrides": "10.0.0.1"},
        'settings["max.connections.per.ip.overrides"] = "10.0.0.1": has "10.0.0.1" where '
        "address:count is meant; correct it",
    ),
    (
        "a refused client is told before it is dropped",
        {"connections.max.idle.ms": 100},
        'settings["connections.max.idle.ms"] = "100": must be more than '
        "connection.failed.authentication.delay.ms; correct it",
    ),
    (
        "every cleaner thread has a buffer",
        {"log.cleaner.threads": 128},
        'settings["log.cleaner.threads"] = "128": gives the 128 threads of log.cleaner.threads '
        "less "
        "than 1 MiB each; have one thread at least, and more than 1 MiB for each",
    ),
    (
        # A running broker that was given 2 GiB with a heap of 384 MiB died of OutOfMemoryError
        # within a second, and again at each start: it is one setting of all brokers.
        "the cleaner's buffers fit into the heap",
        {"log.cleaner.dedupe.buffer.size": 2000 * 1024**2},
        'settings["log.cleaner.dedupe.buffer.size"] = "2097152000": makes the buffers of the '
        "cleaner 2001 MiB, more than half of the heap, which is 2048 MiB; lower it, or raise "
        "heap_mib",
    ),
    (
        "what the cleaner's threads read into fits into the heap",
        {"log.cleaner.io.buffer.size": 1024**3},
        'settings["log.cleaner.io.buffer.size"] = "1073741824": makes the buffers of the cleaner '
        "2176 MiB, more than half of the heap, which is 2048 MiB; lower it, or raise heap_mib",
    ),
    (
        "a cleaner's buffer is an array",
        {"log.cleaner.dedupe.buffer.size": 2 * 1024**3},
        'settings["log.cleaner.dedupe.buffer.size"] = "2147483648": gives each thread of '
        "log.cleaner.threads more than 2147483639 bytes, the longest array of a JVM; lower it",
    ),
    (
        "two heartbeats fit into a session",
        {"broker.heartbeat.interval.ms": 5000},
        'settings["broker.heartbeat.interval.ms"] = "5000": broker.heartbeat.interval.ms must be '
        "at "
        "most half of broker.session.timeout.ms = 9000; correct one of them",
    ),
    (
        "the classic protocol stays",
        {"group.coordinator.rebalance.protocols": "consumer"},
        'settings["group.coordinator.rebalance.protocols"] = "consumer": must have classic among '
        "the protocols; add classic",
    ),
    (
        "assignors are built in",
        {"group.consumer.assignors": "com.example.Mine"},
        'settings["group.consumer.assignors"] = "com.example.Mine": must name built-in assignors '
        "only; use uniform or range",
    ),
    (
        "a recording level is one of three",
        {"metrics.recording.level": "ALL"},
        'settings["metrics.recording.level"] = "ALL": is not a recording level; use INFO, DEBUG, '
        "TRACE",
    ),
    (
        "a codec has a number",
        {"offsets.topic.compression.codec": 7},
        'settings["offsets.topic.compression.codec"] = "7": must be the number of a codec: none, '
        "gzip, snappy, lz4, zstd are 0 to 4; use 0 to 4",
    ),
    (
        "retention is some time or unlimited",
        {"log.retention.ms": 0},
        'settings["log.retention.ms"] = "0": must be 1 or more, or -1; use 1 or more, or -1',
    ),
    (
        "a size without a range in Kafka still has one",
        {"socket.send.buffer.bytes": -7},
        'settings["socket.send.buffer.bytes"] = "-7": must be -1 or more; use -1 or more',
    ),
    (
        "a buffer is filled between nothing and wholly",
        {"log.cleaner.io.buffer.load.factor": 1.2},
        'settings["log.cleaner.io.buffer.load.factor"] = "1.2": must be more than 0 and at most 1; '
        "use 0.9, the default",
    ),
]


@pytest.mark.parametrize(
    ("settings", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_would_stop_a_node_is_refused_before_it_exists(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        service(settings=settings)
    assert str(caught.value) == f'service "orders": {message}'


def test_a_mistake_that_all_roles_share_is_told_once() -> None:
    with pytest.raises(DeclarationError) as caught:
        service(topology="dedicated", settings={"log.retention.ms": 0})
    assert len(caught.value.problems) == 1


def test_local_retention_stays_within_the_whole_one() -> None:
    with pytest.raises(DeclarationError, match="must be at most the whole retention, 604800000"):
        service(tiered_storage=True, settings={"log.local.retention.ms": 604800001})
    with pytest.raises(DeclarationError, match="must be at most the whole retention, 60000"):
        service(
            tiered_storage=True,
            settings={"log.retention.minutes": 1, "log.local.retention.ms": 60001},
        )


def test_the_whole_chain_of_flags_can_be_turned_on_with_tiered_storage() -> None:
    chain = {"diskless.remote.storage.consolidation.enable": True}
    declared = service(tiered_storage=True, switch_to_diskless=True, settings=chain)
    assert declared.settings == chain


def test_the_cleaner_may_have_half_of_the_heap_that_is_declared() -> None:
    half = {"log.cleaner.dedupe.buffer.size": 255 * 1024**2}
    assert service(heap_mib=512, settings=half)
    with pytest.raises(DeclarationError, match="half of the heap, which is 500 MiB"):
        service(heap_mib=500, settings=half)


def test_the_smallest_heap_is_enough_for_the_cleaner_as_it_is() -> None:
    assert service(heap_mib=256)


def test_rules_of_switched_off_features_do_not_apply() -> None:
    off = {
        "inkless.consume.batch.coordinate.cache.enabled": False,
        "inkless.file.cleaner.retention.period.ms": 1000,
    }
    assert service(settings=off)
    assert service(settings={"inkless.fetch.hedge.total.time.threshold.ms": 100})
    assert service(
        settings={"max.connections.per.ip": 0, "max.connections.per.ip.overrides": "::1:5"}
    )


# What a user can't reach through a declaration is still checked, against a slip of our own.
SLIPS: list[tuple[str, dict[str, str], str]] = [
    (
        "managed replication without the diskless system",
        {"diskless.managed.rf.enable": "true"},
        "needs diskless.storage.system.enable to be true",
    ),
    (
        "a control plane in memory",
        {"diskless.storage.system.enable": "true"},
        "is in memory: every diskless topic is lost at a restart",
    ),
    (
        "an explicit diskless.enable=false",
        {"diskless.enable": "false"},
        "must never be written as false: Inkless takes it for a request",
    ),
    (
        "an explicit remote.storage.enable=false",
        {"remote.storage.enable": "false"},
        "must never be written as false: Inkless takes it for a request",
    ),
    (
        "a prefix that ends in a slash",
        {"inkless.object.key.prefix": "inkless/"},
        "must not start or end with a slash: brokers would start and then fail to store",
    ),
    (
        "a blank endpoint",
        {"inkless.storage.s3.endpoint.url": ""},
        "must not be blank",
    ),
]


@pytest.mark.parametrize(
    ("properties", "rule"), [case[1:] for case in SLIPS], ids=[case[0] for case in SLIPS]
)
def test_a_slip_in_what_is_rendered_is_found(properties: dict[str, str], rule: str) -> None:
    problems = configuration_problems(Configuration(properties, ZONES))
    assert rule in [problem.rule for problem in problems]
