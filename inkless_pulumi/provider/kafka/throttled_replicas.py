"""The lists of throttled replicas that a topic has (KIP-73), and which part of one is ours.

A list is `*`, or pairs of partition and broker joined by commas. What a move of ours adds stands
behind a mark: a pair with a broker that can't exist. So what somebody else has put there is told
from what we have to take away, also when the run that added it was killed.
"""

from collections.abc import Iterable, Mapping

from inkless_pulumi.core.topics import THROTTLED_FOLLOWERS, THROTTLED_LEADERS

__all__ = ["Replica", "ours", "with_ours", "without_ours"]

Replica = tuple[int, int]
"""A partition's index and a broker's id."""
_EVERY = "*"
_MARK = f"0:{2**31 - 1}"


def ours(text: str) -> tuple[Replica, ...]:
    """The replicas in a list that a move of ours has put there."""
    _, mine = _parts(text)
    return tuple((int(partition), int(broker)) for partition, broker in map(_split, mine))


def without_ours(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings of a topic as somebody else has made them."""
    kept = {
        name: with_ours(value, ())
        if name in (THROTTLED_LEADERS, THROTTLED_FOLLOWERS) and ours(value)
        else value
        for name, value in settings.items()
    }
    return {name: value for name, value in kept.items() if value or not settings[name]}


def with_ours(text: str, replicas: Iterable[Replica]) -> str:
    """A list with these replicas as ours, and no others. `*` has them all already."""
    kept, _ = _parts(text)
    added = [f"{partition}:{broker}" for partition, broker in sorted(set(replicas))]
    return ",".join([*kept, *([_MARK, *added] if added and _EVERY not in kept else [])])


def _parts(text: str) -> tuple[list[str], list[str]]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    place = entries.index(_MARK) if _MARK in entries else len(entries)
    return entries[:place], entries[place + 1 :]


def _split(entry: str) -> list[str]:
    return entry.split(":")
