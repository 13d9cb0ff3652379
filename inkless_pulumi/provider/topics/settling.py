"""Waiting until brokers show what the controller agreed to: they learn a moment later."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.model import TopicState
from inkless_pulumi.provider.topics.account import Operation
from inkless_pulumi.provider.topics.declared import TopicChange, setting_changes

__all__ = ["await_gone", "await_shown", "visible"]

_SETTLED_SECONDS = 60.0
_VISIBLE_SECONDS = 10.0
_WORTH_TELLING_SECONDS = 1.0
_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


def await_shown(
    operation: Operation, what: str, changes: Sequence[TopicChange], keys: Collection[str]
) -> None:
    """Wait until topics are shown as declared; those that are not in time have failed.

    Args:
        operation: that made or changed them.
        what: was done to them, for errors.
        changes: the topics.
        keys: the settings to look at.
    """
    began = time.monotonic()
    waiting = {change.new.name: change for change in changes}
    for wait in _waits():
        missing = _missing(operation, waiting, keys)
        if not missing:
            return
        if time.monotonic() > began + _SETTLED_SECONDS:
            for name, reason in missing.items():
                operation.account.failed[name] = (
                    f"Topic {name} was {what}, but after {_SETTLED_SECONDS:g} s {reason}. Look at "
                    "the brokers, then run the update again."
                )
            return
        waiting = {name: waiting[name] for name in missing}
        if time.monotonic() > began + _WORTH_TELLING_SECONDS:
            name, reason = next(iter(missing.items()))
            others = f", and for {len(missing) - 1} others" if len(missing) > 1 else ""
            operation.context.progress(f"waiting for {name}: {reason}{others}")
        operation.context.pause(wait)


def await_gone(operation: Operation, names: Sequence[str]) -> None:
    """Wait until deleted topics are shown no more.

    Raises:
        ClusterError: they still are after a minute.
    """
    deadline = time.monotonic() + _SETTLED_SECONDS
    left = list(names)
    for wait in _waits():
        left = list(operation.cluster.topics.describe(left, keys=())) if left else []
        if not left:
            return
        if time.monotonic() > deadline:
            raise ClusterError(
                f"{', '.join(left)}: still there {_SETTLED_SECONDS:g} s after Kafka agreed to the "
                "deletion. Look at the brokers, then run the update again."
            )
        if wait >= _WORTH_TELLING_SECONDS:
            operation.context.progress(f"waiting until {left[0]} has gone")
        operation.context.pause(wait)


def visible(operation: Operation, names: Sequence[str]) -> Mapping[str, TopicState]:
    """Describe topics of which Kafka says that they exist, as soon as the brokers show them."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    for wait in _waits():
        found = operation.cluster.topics.describe(names)
        if len(found) == len(names) or time.monotonic() > deadline:
            break
        operation.context.pause(wait)
    return found


def _missing(
    operation: Operation, waiting: Mapping[str, TopicChange], keys: Collection[str]
) -> dict[str, str]:
    """What topics do not show yet, by name."""
    found = operation.cluster.topics.describe(list(waiting), keys)
    reasons = {name: _unsettled(found.get(name), change, keys) for name, change in waiting.items()}
    settled = [
        name
        for name, change in waiting.items()
        if change.new.kind == "diskless" and reasons[name] is None
    ]
    ends = operation.cluster.partitions.ends(settled) if settled else {}
    for name in settled:
        if name not in ends or not ends[name].served:
            reasons[name] = "some of its partitions are not served"
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _unsettled(found: TopicState | None, change: TopicChange, keys: Collection[str]) -> str | None:
    if found is None:
        return "the brokers do not know it"
    if found.partitions < change.new.partitions:
        return f"it has {found.partitions} partitions"
    if not found.has_leaders:
        return "some of its partitions have no leader"
    differing = [key for key in setting_changes(found.settings, change) if key in keys]
    return f"its {', '.join(differing)} is not as declared" if differing else None


def _waits() -> Iterator[float]:
    wait = _PAUSE
    while True:
        yield wait
        wait = min(2 * wait, _LONGEST_PAUSE)
