"""Retention that shrinks: which records become eligible for deletion."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed, value_text
from inkless_pulumi.report.nodes import Service
from inkless_pulumi.report.plan import Hidden
from inkless_pulumi.report.quantities import bytes_text, duration_text, number
from inkless_pulumi.report.topics import TopicChange, urns

__all__ = ["retention_findings"]

_DAYS: Final = 86_400_000
_KAFKA_RETENTION_MS: Final = 7 * _DAYS
"""Kafka's default of log.retention.hours is 168."""


def retention_findings(services: list[Service], topics: list[TopicChange]) -> Iterator[Finding]:
    """Topics that keep less, of their own or as the brokers' default says."""
    shrunk = [
        (change, line)
        for change in topics
        if change.old is not None and change.new is not None and not change.is_lost
        for line in _retention_lines(change)
    ]
    if shrunk:
        names = sorted({change.topic.name for change, _ in shrunk})
        words = counted(len(names), "topic keeps", "topics keep")
        yield Finding(
            "retention-shrinks",
            "data",
            Level.DANGER,
            f"{words} less: {listed(names)}",
            details=tuple(line for _, line in shrunk),
            resources=urns(change for change, _ in shrunk),
            gates=("data-loss",),
            brief=f"{words} less, and older records are deleted",
        )
    yield from _cluster_retention(services)


def _retention_lines(change: TopicChange) -> Iterator[str]:
    assert change.old is not None and change.new is not None  # noqa: S101, PT018  asked before
    name = code(change.topic.name)
    for setting, text, default in (
        ("retention.ms", duration_text, _KAFKA_RETENTION_MS),
        ("retention.bytes", bytes_text, -1),
    ):
        old, new = (_amount(topic.setting(setting), setting) for topic in (change.old, change.new))
        line = _shrinks(old, new, text, default)
        if line:
            yield f"{name}: {code(setting)} {line}"
    old, new = (_policies(topic.setting("cleanup.policy")) for topic in (change.old, change.new))
    if "delete" in new and "delete" not in old:
        yield f"{name}: {code('cleanup.policy')} gets delete: records past the retention go"
    if "compact" in new and "compact" not in old:
        yield f"{name}: {code('cleanup.policy')} gets compact: only the last record of a key stays"


def _amount(value: Any, setting: str) -> Any:
    """A value without its unit; what is not known or no number stays as it is."""
    if value is None or isinstance(value, Hidden):
        return value
    found = number(value, setting)
    return value if found is None else found


def _policies(setting: Any) -> set[str]:
    return {"delete"} if not isinstance(setting, str) else set(setting.replace(" ", "").split(","))


def _shrinks(old: Any, new: Any, text: Callable[[int], str], default: int) -> str:
    """How a limit shrinks; empty where it does not. `default` is Kafka's own, said to be so."""
    if old == new and not isinstance(new, Hidden):
        return ""
    if isinstance(old, Hidden) or isinstance(new, Hidden):
        return f"changes from {value_text(old)} to {value_text(new)}: it may shrink"
    before, after = (default if limit is None else number(limit) for limit in (old, new))
    if before is None or after is None:
        return f"changes from {value_text(old)} to {value_text(new)}: it may shrink"
    if after < 0 or 0 <= before <= after:
        return ""
    told = tuple(
        text(limit) + (" (Kafka's default)" if given is None else "")
        for limit, given in ((before, old), (after, new))
    )
    kept = f"records older than {text(after)}" if text is duration_text else "the oldest records"
    most = f" (up to {text(before - after)} of them)" if before > 0 else ""
    if text is not duration_text:
        most = f" (up to {text(before - after)} a partition)" if before > 0 else ""
    return f"shrinks from {told[0]} to {told[1]}: {kept} become eligible for deletion{most}"


def _cluster_retention(services: list[Service]) -> Iterator[Finding]:
    """The brokers' default, for topics that have no retention of their own."""
    lines: dict[str, None] = {}
    for service in services:
        for node in service.nodes:
            old, new = (service.configuration(node, old=side) for side in (True, False))
            if node.fate in ("created", "deleted") or not old or not new:
                continue
            before, after = _retention_ms(old), _retention_ms(new)
            if line := _shrinks(before, after, duration_text, _KAFKA_RETENTION_MS):
                lines[f"the brokers' retention {line}"] = None
            size = "log.retention.bytes"
            if line := _shrinks(old.get(size), new.get(size), bytes_text, -1):
                lines[f"{code(size)} {line}"] = None
    for line in lines:
        yield Finding(
            "default-retention-shrinks",
            "data",
            Level.DANGER,
            "Topics without a retention of their own keep less",
            details=(line,),
            gates=("data-loss",),
            brief="topics without a retention of their own keep less",
        )


def _retention_ms(configuration: Mapping[str, Any]) -> Any:
    """The finest of Kafka's three settings goes before the others."""
    for name, factor in (("ms", 1), ("minutes", 60_000), ("hours", 3_600_000)):
        given = configuration.get(f"log.retention.{name}")
        if given is not None:
            amount = number(given)
            return given if amount is None else amount if amount < 0 else amount * factor
    return None
