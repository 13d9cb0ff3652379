"""Durations and sizes as people write them: `7d`, `1.5h`, `50GiB`.

Kafka itself takes whole numbers only, of milliseconds and of bytes; which of the two a setting is
in, its name says. A value without a unit is left as it is.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

DURATIONS: Final[Mapping[str, int]] = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}
"""Milliseconds in each unit."""

SIZES: Final[Mapping[str, int]] = {
    "B": 1,
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGTP", 1)},
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("kMGTP", 1)},
    "KB": 1000,
}
"""Bytes in each unit; those with an i count in steps of 1024."""

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)")


def units_of(setting: str) -> Mapping[str, int]:
    """The units that a setting's value may be written in; none: it is no duration and no size."""
    if setting.endswith(".ms"):
        return DURATIONS
    return SIZES if setting.endswith(".bytes") else {}


def in_base_unit(text: str, units: Mapping[str, int]) -> str:
    """A quantity as the whole number that Kafka takes: `7d` becomes `604800000`.

    What is not a number with one of the units, or is not whole in the end, is returned as it came.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None or found[2] not in units:
        return text
    amount = Decimal(found[1]) * units[found[2]]
    return str(int(amount)) if amount == int(amount) else text


def example_of(units: Mapping[str, int]) -> str:
    """How a quantity in these units may be written, for error messages."""
    if units is DURATIONS:
        return "a number of milliseconds, or a duration like 12h or 7d"
    return "a number of bytes, or a size like 512MiB or 50GiB"
