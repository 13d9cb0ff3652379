"""How fast replicas move to other brokers at most, as a user declares it.

Kafka calls it the replication throttle (KIP-73). It holds for each broker, in both directions, and
only for the replicas that move: those that keep a partition in sync are never slowed down.
"""

from typing import Final

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.quantities import SIZES, in_base_unit

DEFAULT_THROTTLE: Final = "32MiB"
"""A quarter of the 125 MiB/s that a gp3 volume has, the slowest part of a broker's way from disk to
disk: the rest is left to clients. 100 GiB take a broker 53 minutes then."""
_LEAST: Final = 64 * 1024
"""Less is most likely a forgotten unit, and would take months."""


def bytes_per_second(throttle: str) -> int:
    """A throttle without problems as Kafka takes it."""
    return int(_in_bytes(throttle))


def throttle_problems(throttle: str, path: str = "reassignment_throttle") -> list[Problem]:
    """Why this is no throttle; empty when it is one."""
    text = _in_bytes(throttle)
    if not text.isdecimal():
        rule = "is not a size, which is meant for each second"
        return [Problem(path, throttle, rule, 'write it like "50MiB"')]
    if int(text) < _LEAST:
        rule = f"is less than {_LEAST} bytes a second, at which moving replicas would never end"
        return [Problem(path, throttle, rule, 'use more, like "50MiB"')]
    return []


def _in_bytes(throttle: str) -> str:
    return in_base_unit(throttle.strip().removesuffix("/s"), SIZES)
