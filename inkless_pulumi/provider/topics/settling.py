"""Waiting until brokers show what the controller agreed to: they learn a moment later."""

import time
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.model import TopicState
from inkless_pulumi.provider.pauses import growing_pauses
from inkless_pulumi.provider.topics.account import Operation
from inkless_pulumi.provider.topics.declared import TopicChange, setting_changes

__all__ = ["await_gone", "await_shown", "visible"]

_SETTLED_SECONDS = 60.0
"""Without any progress. A broker opened 70 logs a second, measured: 10,000 topics take minutes."""
_LOOKED_AT_ONCE, _NAMED = 500, 20
_VISIBLE_SECONDS = 10.0
_WORTH_TELLING_SECONDS = 1.0
_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


def await_shown(
    operation: Operation, what: str, changes: Sequence[TopicChange], keys: Collection[str]
) -> None:
    """Wait until topics are shown as declared; those that are not, while none is, have failed.

    Args:
        operation: that made or changed them.
        what: was done to them, for errors.
        changes: the topics.
        keys: the settings to look at.
    """
    waiting = {change.new.name: change for change in changes}
    began = progressed = time.monotonic()
    pauses = growing_pauses(_PAUSE, _LONGEST_PAUSE)
    while waiting:
        looked_at = dict(islice(waiting.items(), _LOOKED_AT_ONCE))
        missing = _missing(operation, looked_at, keys)
        for name in looked_at.keys() - missing:
            del waiting[name]
            progressed, pauses = time.monotonic(), growing_pauses(_PAUSE, _LONGEST_PAUSE)
        if not missing:
            continue
        if time.monotonic() > progressed + _SETTLED_SECONDS:
            for name, reason in _missing(operation, waiting, keys).items():
                operation.account.failed[name] = (
                    f"Topic {name} was {what}, but {reason}, and for {_SETTLED_SECONDS:g} s the "
                    "brokers made no progress. Look at the brokers, then run the update again."
                )
            return
        if time.monotonic() > began + _WORTH_TELLING_SECONDS:
            name, reason = next(iter(missing.items()))
            others = f", and for {len(waiting) - 1} others" if len(waiting) > 1 else ""
            operation.context.progress(f"waiting for {name}: {reason}{others}")
        operation.context.pause(next(pauses))


def await_gone(operation: Operation, names: Sequence[str]) -> None:
    """Wait until deleted topics are shown no more.

    Raises:
        ClusterError: they still are, and for a minute none has gone.
    """
    left = list(names)
    progressed = time.monotonic()
    pauses = growing_pauses(_PAUSE, _LONGEST_PAUSE)
    while left:
        looked_at = left[:_LOOKED_AT_ONCE]
        there = operation.cluster.topics.describe(looked_at, keys=())
        if len(there) < len(looked_at):
            progressed, pauses = time.monotonic(), growing_pauses(_PAUSE, _LONGEST_PAUSE)
        left = [*there, *left[_LOOKED_AT_ONCE:]]
        if not there:
            continue
        if time.monotonic() > progressed + _SETTLED_SECONDS:
            raise ClusterError(
                f"{', '.join(left[:_NAMED])}: still there {_SETTLED_SECONDS:g} s after Kafka "
                "agreed to the deletion. Look at the brokers, then run the update again."
            )
        if time.monotonic() > progressed + _WORTH_TELLING_SECONDS:
            operation.context.progress(f"waiting until {left[0]} has gone")
        operation.context.pause(next(pauses))


def visible(operation: Operation, names: Sequence[str]) -> Mapping[str, TopicState]:
    """Describe topics of which Kafka says that they exist, as soon as the brokers show them."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    for wait in growing_pauses(_PAUSE, _LONGEST_PAUSE):
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
