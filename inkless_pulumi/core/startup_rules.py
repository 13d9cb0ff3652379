"""The rules between settings that a node checks when it starts, checked before it exists.

Each rule is a function of a `Configuration`, the settings of one role with Kafka's defaults behind
them. Sources: `KafkaConfig.validateValues` and the coordinators' config classes of Kafka 4.2.1;
`KafkaConfig`, `InklessConfig` and `SharedState` of Inkless 4.2.1-0.47. Rules that Kafka or Inkless
only breaks on later (at the first record, or never says) are here for the same reason.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from inkless_pulumi.core.catalogue import broker_settings, setting_path
from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.layout import lay_out
from inkless_pulumi.core.properties import server_properties
from inkless_pulumi.core.service_model import ServiceDeclaration
from inkless_pulumi.core.storage_names import prefix_problems

CLIENT_LISTENERS: Final = ("CLIENT", "MTLS")


@dataclass(frozen=True)
class Configuration:
    """The settings of one node as the broker would see them."""

    properties: Mapping[str, str]
    zones: tuple[str, ...] = ()

    def text(self, name: str) -> str | None:
        """The value as text: the one set, or Kafka's default, or None."""
        if name in self.properties:
            return self.properties[name]
        return broker_settings()[name].default_text

    def number(self, name: str) -> float:
        """The value of a setting that has a number; one without default and value counts as 0."""
        return float(self.text(name) or 0)

    def is_on(self, name: str) -> bool:
        """Whether a boolean is true."""
        return (self.text(name) or "false").lower() == "true"

    def has(self, name: str) -> bool:
        """Whether the setting is in the file, rather than left to its default."""
        return name in self.properties

    def problem(self, name: str, rule: str, remedy: str) -> Problem:
        """A problem at a setting, with the value it has now."""
        return Problem(setting_path(name), self.text(name), rule, remedy)


Rule = Callable[[Configuration], Iterable[Problem]]


def startup_problems(service: ServiceDeclaration) -> list[Problem]:
    """What the nodes of a service would refuse at their start, in every role it has."""
    plan = lay_out(service)
    facts = _stand_in_facts(plan)
    found: dict[Problem, None] = {}
    for roles in dict.fromkeys(node.roles for node in plan.nodes):
        node = next(node for node in plan.nodes if node.roles == roles)
        configuration = Configuration(server_properties(plan, node, facts), service.zones)
        found.update(dict.fromkeys(configuration_problems(configuration)))
    return list(found)


def configuration_problems(configuration: Configuration) -> list[Problem]:
    """What one node would refuse of its settings."""
    return [problem for rule in STARTUP_RULES for problem in rule(configuration)]


def _stand_in_facts(plan: ClusterPlan) -> ClusterFacts:
    """Facts of the right shape: the rules are about what was declared, not about addresses."""
    return ClusterFacts(
        cluster_id="AAAAAAAAAAAAAAAAAAAAAA",
        directory_ids={node.node_id: "AAAAAAAAAAAAAAAAAAAAAA" for node in plan.controllers},
        addresses={node.node_id: "192.0.2.1" for node in plan.nodes},
        bucket="bucket",
        region="region",
        database_host="192.0.2.2",
        database_port=5432,
        database_name="inkless",
        database_user="inkless",
        database_trust="/trust.pem",
    )


def _flag_chain(conf: Configuration) -> Iterable[Problem]:
    """Each flag needs others; a node that misses one stops with IllegalArgumentException."""
    remedies = {
        "diskless.storage.system.enable": 'declare cluster_type="inkless"',
        "diskless.managed.rf.enable": 'declare cluster_type="inkless"',
        "diskless.allow.from.classic.enable": "set it to true as well",
        "remote.log.storage.system.enable": "set tiered_storage=True",
    }
    for flag, needed in _FLAGS.items():
        missing = [name for name in needed if not conf.is_on(name)]
        if conf.is_on(flag) and missing:
            rule = f"needs {' and '.join(missing)} to be true"
            yield conf.problem(
                flag, rule, " and ".join(dict.fromkeys(remedies[m] for m in missing))
            )


_FLAGS: Final = {
    "diskless.managed.rf.enable": ("diskless.storage.system.enable",),
    "diskless.allow.from.classic.enable": (
        "diskless.managed.rf.enable",
        "remote.log.storage.system.enable",
    ),
    "diskless.remote.storage.consolidation.enable": (
        "diskless.managed.rf.enable",
        "diskless.allow.from.classic.enable",
        "remote.log.storage.system.enable",
    ),
}


def _explicit_storage(conf: Configuration) -> Iterable[Problem]:
    """In-memory defaults work until the first restart, and then everything is gone."""
    for name in ("inkless.control.plane.class", "inkless.storage.backend.class"):
        text = conf.text(name) or ""
        if conf.is_on("diskless.storage.system.enable") and "InMemory" in text:
            rule = "is in memory: every diskless topic is lost at a restart"
            yield conf.problem(name, rule, "leave it to the package")


def _no_false_switch(conf: Configuration) -> Iterable[Problem]:
    """As text these two look harmless, and Inkless reads them as a request for tiered storage."""
    for name in ("diskless.enable", "remote.storage.enable"):
        if conf.has(name) and conf.properties[name] == "false":
            rule = "must never be written as false: Inkless takes it for a request"
            yield Problem(setting_path(name), "false", rule, "leave it out")


def _batch_cache_lifetime(conf: Configuration) -> Iterable[Problem]:
    ttl, period = (
        "inkless.consume.batch.coordinate.cache.ttl.ms",
        "inkless.file.cleaner.retention.period.ms",
    )
    if not conf.is_on("inkless.consume.batch.coordinate.cache.enabled"):
        return
    if conf.number(ttl) > conf.number(period) / 2:
        rule = (
            f"{ttl} = {conf.text(ttl)} must be at most half of {period} = {conf.text(period)}, "
            "or a broker could read objects that are already deleted"
        )
        name = ttl if conf.has(ttl) else period
        remedy = f"lower the first to {int(conf.number(period) // 2)}, or raise the second"
        yield conf.problem(name, rule, remedy)


def _lagging_consumers(conf: Configuration) -> Iterable[Problem]:
    name = "inkless.fetch.lagging.consumer.threshold.ms"
    lifetime = conf.number("inkless.consume.cache.expiration.lifespan.sec") * 1000
    if conf.number(name) != -1 and conf.number(name) < lifetime:
        rule = (
            "must be -1 or at least the cache's lifetime, "
            f"inkless.consume.cache.expiration.lifespan.sec = {int(lifetime // 1000)} s"
        )
        yield conf.problem(name, rule, f"use -1, or {int(lifetime)} or more")


def _hedged_fetches(conf: Configuration) -> Iterable[Problem]:
    total, first = (
        "inkless.fetch.hedge.total.time.threshold.ms",
        "inkless.fetch.hedge.ttfb.threshold.ms",
    )
    if 0 < conf.number(total) <= conf.number(first):
        rule = f"must be more than {first} = {conf.text(first)} when both are on"
        yield conf.problem(total, rule, "raise it, or set one of them to 0")


def _cache_blocks(conf: Configuration) -> Iterable[Problem]:
    name = "inkless.consume.cache.block.bytes"
    if conf.number(name) <= 0:
        yield conf.problem(
            name, "must be more than 0, which Inkless does not check", "use 16777216"
        )


def _object_prefix(conf: Configuration) -> Iterable[Problem]:
    """Inkless throws only when the first object's key is built."""
    prefix = conf.properties.get("inkless.object.key.prefix")
    return [] if prefix is None else prefix_problems(prefix)


def _no_blanks(conf: Configuration) -> Iterable[Problem]:
    """Several settings of object storage refuse a blank where they accept no line at all."""
    for name, text in conf.properties.items():
        if name.startswith(("inkless.", "rsm.config.")) and not text.strip():
            yield conf.problem(name, "must not be blank", "leave it out")


def _zone_listeners(conf: Configuration) -> Iterable[Problem]:
    name = "inkless.client.az.listener.map"
    seen: set[str] = set()
    for entry in filter(None, (conf.text(name) or "").split(",")):
        listener, equals, zone = (part.strip() for part in entry.partition("="))
        if not (listener and equals and zone):
            yield conf.problem(name, f'has "{entry}" where LISTENER=zone is meant', "correct it")
        elif listener.upper() not in CLIENT_LISTENERS:
            rule = f"names {listener}, which clients can't connect to"
            yield conf.problem(name, rule, f"use {' or '.join(CLIENT_LISTENERS)}")
        elif listener.upper() in seen:
            yield conf.problem(name, f"names the listener {listener.upper()} twice", "keep one")
        elif conf.zones and zone not in conf.zones:
            rule = f"names {zone}, which is not a zone of the service"
            yield conf.problem(name, rule, f"use one of {', '.join(conf.zones)}")
        seen.add(listener.upper())


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


STARTUP_RULES: Final[tuple[Rule, ...]] = (
    _flag_chain,
    _explicit_storage,
    _no_false_switch,
    _batch_cache_lifetime,
    _lagging_consumers,
    _hedged_fetches,
    _cache_blocks,
    _object_prefix,
    _no_blanks,
    _zone_listeners,
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
    *(_least(name, 1) for name in ("log.roll.ms", "log.roll.hours")),
    *(_least(name, 0) for name in ("log.roll.jitter.ms", "log.roll.jitter.hours")),
    *(
        _least(name, 1, besides=-1)
        for name in ("log.retention.ms", "log.retention.minutes", "log.retention.hours")
    ),
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
"""Every rule, Inkless' first."""
