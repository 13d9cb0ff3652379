"""Rules between settings that Inkless adds to Kafka's, on a node's start or, worse, later.

Sources: `KafkaConfig`, `InklessConfig` and `SharedState` of Inkless 4.2.1-0.47, and what was seen
on running brokers of it. A rule that Inkless itself breaks on only at the first record, or never
mentions, is here for the same reason as those that stop a node.
"""

from collections.abc import Iterable
from typing import Final

from inkless_pulumi.core.catalogue import setting_path
from inkless_pulumi.core.configuration import Configuration, Rule
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.storage_names import prefix_problems

CLIENT_LISTENERS: Final = ("CLIENT", "MTLS")


def _flag_chain(conf: Configuration) -> Iterable[Problem]:
    """Each flag needs others; a node that misses one stops with IllegalArgumentException."""
    remedies = {
        "diskless.storage.system.enable": 'declare cluster_type="inkless"',
        "diskless.managed.rf.enable": 'declare cluster_type="inkless"',
        "diskless.allow.from.classic.enable": "set switch_to_diskless=True",
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


def _compaction_by_default(conf: Configuration) -> Iterable[Problem]:
    """Diskless topics take the default too; Inkless accepts it and then keeps all records."""
    name = "log.cleanup.policy"
    if conf.is_on("diskless.storage.system.enable") and "compact" in (conf.text(name) or ""):
        rule = "would be the default of diskless topics as well, which are never compacted"
        yield conf.problem(name, rule, "set cleanup.policy on the classic topics that need it")


INKLESS_RULES: Final[tuple[Rule, ...]] = (
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
    _compaction_by_default,
)
