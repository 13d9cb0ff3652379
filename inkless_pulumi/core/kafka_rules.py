"""Rules between settings that stop an Apache Kafka node when it starts.

Sources: `KafkaConfig.validateValues`, `GroupCoordinatorConfig`, `ShareGroupConfig` and `LogConfig`
of Kafka 4.2.1; for the cleaner's buffers, a broker of that version that was given too much.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final

from inkless_pulumi.core.configuration import Configuration, Rule
from inkless_pulumi.core.errors import Problem

_LONGEST_ARRAY: Final = 2**31 - 9
"""Bytes; the JDK's own limit (`ArraysSupport.SOFT_MAX_ARRAY_LENGTH`)."""


@dataclass(frozen=True)
class _Order:
    """Two settings of which the first must not be larger than (or must be below) the second."""

    low: str
    high: str
    strict: bool = False

    def __call__(self, conf: Configuration) -> Iterable[Problem]:
        low, high = conf.number(self.low), conf.number(self.high)
        if low < high or (low == high and not self.strict):
            return []
        relation = "less than" if self.strict else "at most"
        inverse = "more than" if self.strict else "at least"
        if conf.has(self.low):
            rule = f"must be {relation} {self.high} = {conf.text(self.high)}"
            return [conf.problem(self.low, rule, f"lower it, or raise {self.high}")]
        rule = f"must be {inverse} {self.low} = {conf.text(self.low)}"
        return [conf.problem(self.high, rule, f"raise it, or lower {self.low}")]


def _group_orders(kind: str) -> tuple[_Order, ...]:
    heartbeat, session = f"group.{kind}.heartbeat.interval.ms", f"group.{kind}.session.timeout.ms"
    return (
        _Order(f"group.{kind}.min.heartbeat.interval.ms", heartbeat),
        _Order(heartbeat, f"group.{kind}.max.heartbeat.interval.ms"),
        _Order(f"group.{kind}.min.session.timeout.ms", session),
        _Order(session, f"group.{kind}.max.session.timeout.ms"),
        _Order(heartbeat, session, strict=True),
    )


def _least(name: str, limit: int, besides: int | None = None) -> Rule:
    def rule(conf: Configuration) -> Iterable[Problem]:
        if conf.has(name) and conf.number(name) < limit and conf.number(name) != besides:
            other = f", or {besides}" if besides is not None else ""
            rule = f"must be {limit} or more{other}"
            yield conf.problem(name, rule, f"use {limit} or more{other}")

    return rule


def _queued_bytes(conf: Configuration) -> Iterable[Problem]:
    name, request = "queued.max.request.bytes", "socket.request.max.bytes"
    if 0 < conf.number(name) < conf.number(request):
        rule = f"must be at least {request} = {conf.text(request)}, or no request fits"
        yield conf.problem(name, rule, "raise it, or use -1 for no limit")


def _connections_per_ip(conf: Configuration) -> Iterable[Problem]:
    name, overrides = "max.connections.per.ip", "max.connections.per.ip.overrides"
    text = conf.text(overrides) or ""
    if conf.number(name) == 0 and not text:
        yield conf.problem(name, f"can be 0 only beside {overrides}", "raise it")
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        if not re.fullmatch(r"[0-9A-Za-z._:%-]+:[0-9]{1,9}", entry):
            yield conf.problem(
                overrides, f'has "{entry}" where address:count is meant', "correct it"
            )


def _authentication_delay(conf: Configuration) -> Iterable[Problem]:
    delay, idle = "connection.failed.authentication.delay.ms", "connections.max.idle.ms"
    if 0 <= conf.number(idle) <= conf.number(delay):
        rule = f"must be less than {idle} = {conf.text(idle)}, or failed clients get no answer"
        name = delay if conf.has(delay) else idle
        yield conf.problem(
            name, rule if name == delay else f"must be more than {delay}", "correct it"
        )


def _cleaner_buffer(conf: Configuration) -> Iterable[Problem]:
    buffer, threads = "log.cleaner.dedupe.buffer.size", "log.cleaner.threads"
    count = int(conf.number(threads))
    if count == 0 or int(conf.number(buffer)) // count <= 1024 * 1024:
        rule = f"gives the {count} threads of {threads} less than 1 MiB each"
        name = buffer if conf.has(buffer) else threads
        yield conf.problem(name, rule, "have one thread at least, and more than 1 MiB for each")
    elif int(conf.number(buffer)) // count > _LONGEST_ARRAY:
        rule = f"gives each thread of {threads} more than {_LONGEST_ARRAY} bytes, the longest array"
        yield conf.problem(buffer, f"{rule} of a JVM", "lower it")
    else:
        yield from _cleaner_heap(conf)


def _cleaner_heap(conf: Configuration) -> Iterable[Problem]:
    """A broker makes these buffers when it starts and when the settings change, and ends when they
    don't fit: all brokers at once, and again at each start.
    """
    dedupe, reading = "log.cleaner.dedupe.buffer.size", "log.cleaner.io.buffer.size"
    threads = "log.cleaner.threads"
    declared = [name for name in (dedupe, reading, threads) if conf.has(name)]
    if conf.heap_mib is None or not declared:
        return
    each = 2 * int(conf.number(reading))  # one to read into, one to write from
    mebibytes = ceil((int(conf.number(dedupe)) + int(conf.number(threads)) * each) / 1024**2)
    if mebibytes > conf.heap_mib / 2:
        rule = (
            f"makes the buffers of the cleaner {mebibytes} MiB, more than half of the heap, which "
            f"is {conf.heap_mib} MiB"
        )
        yield conf.problem(declared[0], rule, "lower it, or raise heap_mib")


def _load_factor(conf: Configuration) -> Iterable[Problem]:
    name = "log.cleaner.io.buffer.load.factor"
    if not 0 < conf.number(name) <= 1:
        yield conf.problem(name, "must be more than 0 and at most 1", "use 0.9, the default")


def _heartbeats(conf: Configuration) -> Iterable[Problem]:
    beat, session = "broker.heartbeat.interval.ms", "broker.session.timeout.ms"
    if conf.number(beat) * 2 > conf.number(session):
        rule = f"{beat} must be at most half of {session} = {conf.text(session)}"
        yield conf.problem(beat if conf.has(beat) else session, rule, "correct one of them")


def _rebalance_protocols(conf: Configuration) -> Iterable[Problem]:
    name = "group.coordinator.rebalance.protocols"
    protocols = [word.strip() for word in (conf.text(name) or "").split(",")]
    if "classic" not in protocols:
        yield conf.problem(name, "must have classic among the protocols", "add classic")


def _assignors(conf: Configuration) -> Iterable[Problem]:
    """Anything but the built-in names is a class that the image does not have."""
    for name, known, single in (
        ("group.consumer.assignors", ("uniform", "range"), False),
        ("group.share.assignors", ("simple",), True),
    ):
        given = [word.strip() for word in (conf.text(name) or "").split(",") if word.strip()]
        if not given or set(given) - set(known) or (single and len(given) != 1):
            rule = "must name built-in assignors only" + " and exactly one" * single
            yield conf.problem(name, rule, f"use {' or '.join(known)}")


def _recording_level(conf: Configuration) -> Iterable[Problem]:
    name, levels = "metrics.recording.level", ("INFO", "DEBUG", "TRACE")
    if (conf.text(name) or "").upper() not in levels:
        yield conf.problem(name, "is not a recording level", f"use {', '.join(levels)}")


def _compression_codecs(conf: Configuration) -> Iterable[Problem]:
    for name in (
        "offsets.topic.compression.codec",
        "share.coordinator.state.topic.compression.codec",
    ):
        if not 0 <= conf.number(name) <= 4:
            rule = "must be the number of a codec: none, gzip, snappy, lz4, zstd are 0 to 4"
            yield conf.problem(name, rule, "use 0 to 4")


def _local_retention(conf: Configuration) -> Iterable[Problem]:
    """With tiered storage, what stays on disk can't be more than what is kept at all."""
    if not conf.is_on("remote.log.storage.system.enable"):
        return
    for local, whole in (
        ("log.local.retention.ms", "log.retention.ms"),
        ("log.local.retention.bytes", "log.retention.bytes"),
    ):
        limit = _retention_ms(conf) if whole == "log.retention.ms" else conf.number(whole)
        if limit != -1 and conf.number(local) != -2:
            kept = conf.number(local)
            if kept == -1 or kept > limit:
                rule = f"must be at most the whole retention, {int(limit)}"
                yield conf.problem(local, rule, "lower it, or use -2 for the same")


def _retention_ms(conf: Configuration) -> float:
    """Kafka's precedence: milliseconds, minutes, hours; any negative one is unlimited."""
    for name, factor in (
        ("log.retention.ms", 1),
        ("log.retention.minutes", 60_000),
        ("log.retention.hours", 3_600_000),
    ):
        if conf.text(name) is not None:
            return max(conf.number(name) * factor, -1)
    return -1


_AT_LEAST: Final = {
    "broker.heartbeat.interval.ms": 1,
    "broker.session.timeout.ms": 1,
    "connections.max.idle.ms": -1,
    "connections.max.reauth.ms": 0,
    "controller.socket.timeout.ms": 1,
    "delete.records.purgatory.purge.interval.requests": 0,
    "fetch.purgatory.purge.interval.requests": 0,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1,
    "initial.broker.registration.timeout.ms": 1,
    "log.cleaner.io.max.bytes.per.second": 1,
    "log.flush.interval.ms": 0,
    "log.flush.scheduler.interval.ms": 1,
    "log.retention.bytes": -1,
    "log.roll.hours": 1,
    "log.roll.jitter.hours": 0,
    "log.roll.jitter.ms": 0,
    "log.roll.ms": 1,
    "metadata.log.segment.ms": 1,
    "metadata.max.retention.bytes": -1,
    "metadata.max.retention.ms": -1,
    "num.replica.alter.log.dirs.threads": 1,
    "offset.metadata.max.bytes": 0,
    "producer.purgatory.purge.interval.requests": 0,
    "queued.max.request.bytes": -1,
    "replica.fetch.min.bytes": 0,
    "replica.fetch.wait.max.ms": 0,
    "replica.high.watermark.checkpoint.interval.ms": 1,
    "replica.lag.time.max.ms": 1,
    "replica.socket.receive.buffer.bytes": -1,
    "replica.socket.timeout.ms": 1,
    "request.timeout.ms": 1,
    "share.fetch.purgatory.purge.interval.requests": 0,
    "socket.connection.setup.timeout.max.ms": 1,
    "socket.connection.setup.timeout.ms": 1,
    "socket.receive.buffer.bytes": -1,
    "socket.send.buffer.bytes": -1,
}
"""The smallest sensible values of settings for which Kafka's own catalogue has no range, and with
which a node would start and then fail or never do its work."""

KAFKA_RULES: Final[tuple[Rule, ...]] = (
    *_group_orders("consumer"),
    *_group_orders("share"),
    *_group_orders("streams"),
    _Order("group.streams.num.standby.replicas", "group.streams.max.standby.replicas"),
    _Order("group.share.min.record.lock.duration.ms", "group.share.record.lock.duration.ms"),
    _Order("group.share.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"),
    _Order("group.share.max.size", "group.share.max.share.sessions"),
    _Order("group.min.session.timeout.ms", "group.max.session.timeout.ms"),
    _Order("replica.fetch.wait.max.ms", "replica.socket.timeout.ms"),
    _Order("replica.fetch.wait.max.ms", "replica.lag.time.max.ms"),
    _Order("log.cleaner.min.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms"),
    *(_least(name, limit) for name, limit in _AT_LEAST.items()),
    *(
        _least(name, 1, besides=-1)
        for name in ("log.retention.ms", "log.retention.minutes", "log.retention.hours")
    ),
    _load_factor,
    _queued_bytes,
    _connections_per_ip,
    _authentication_delay,
    _cleaner_buffer,
    _heartbeats,
    _rebalance_protocols,
    _assignors,
    _recording_level,
    _compression_codecs,
    _local_retention,
)
