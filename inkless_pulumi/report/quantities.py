"""Durations, sizes and money as people read them."""

from collections.abc import Sequence
from typing import Any, Final

from inkless_pulumi.core.quantities import in_base_unit, units_of

__all__ = ["bytes_text", "duration_text", "minutes_text", "money_text", "number"]

_DURATIONS: Final = (
    (86_400_000, "day"),
    (3_600_000, "hour"),
    (60_000, "minute"),
    (1_000, "second"),
    (1, "millisecond"),
)
_SIZES: Final = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "bytes"))


def number(value: Any, setting: str = "") -> int | None:
    """A whole number as Kafka takes it; None for anything else, unknown values among it.

    With the setting that it is a value of, it may have a unit: `7d`, `50GiB`.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    try:
        return int(in_base_unit(str(value).strip(), units_of(setting)))
    except ValueError:
        return None


def duration_text(milliseconds: int) -> str:
    """`7 days`, `90 minutes`; a negative one is Kafka's way to say for ever."""
    if milliseconds < 0:
        return "no limit"
    return _whole(milliseconds, _DURATIONS, plural=True)


def bytes_text(size: int) -> str:
    """`50 GiB`; a negative one is Kafka's way to say no limit."""
    return "no limit" if size < 0 else _whole(size, _SIZES, plural=False)


def _whole(amount: int, units: Sequence[tuple[int, str]], *, plural: bool) -> str:
    """In the largest unit that leaves no fraction."""
    for size, unit in units:
        if amount and amount % size == 0:
            count = amount // size
            return f"{count:,} {unit}{'s' if plural and count != 1 else ''}"
    return f"0 {units[-1][1]}{'s' if plural else ''}"


def minutes_text(fewest: int, most: int) -> str:
    """`about 9 to 15 min`."""
    return f"about {fewest} to {most} min" if fewest != most else f"about {most} min"


def money_text(dollars: float) -> str:
    """`+$12.40`, `-$3.10`."""
    return f"{'+' if dollars >= 0 else '-'}${abs(dollars):,.2f}"
