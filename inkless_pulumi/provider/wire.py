"""Properties between Pulumi's wire format and plain Python values.

Plain means: None, bool, int, float, str, list, dict, and `UNKNOWN` for what a preview can't know
yet. Numbers travel as floats; whole ones become int again here.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_ON_THE_WIRE

__all__ = ["UNKNOWN", "Unknown", "has_unknown", "path_below", "plain", "unknown_paths", "wire"]


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()
"""A value that is known only after another resource was created or changed."""

Path = tuple[str | int, ...]


def plain(value: PropertyValue) -> object:
    """Turn a property into a plain value; secrets lose their mark."""
    match value.value:
        case bool() | None:
            return value.value
        case float() as number:
            return int(number) if number.is_integer() else number
        case str() as text:
            return UNKNOWN if text == UNKNOWN_ON_THE_WIRE else text
        case Mapping() as items:
            return {key: plain(item) for key, item in items.items()}
        case list() | tuple() as items:
            return [plain(item) for item in items]
        case _:
            raise TypeError(
                f"A {value.type.value.lower()} is no value for a property of this package."
            )


def wire(value: object, *, secret: bool = False) -> PropertyValue:
    """Turn a plain value into a property, optionally a secret one."""
    match value:
        case Unknown():
            return PropertyValue(UNKNOWN_ON_THE_WIRE, is_secret=secret)
        case bool() | str() | None:
            return PropertyValue(value, is_secret=secret)
        case int() | float():
            return PropertyValue(float(value), is_secret=secret)
        case Mapping():
            items = {str(key): wire(item) for key, item in value.items()}
            return PropertyValue(items, is_secret=secret)
        case list() | tuple():
            return PropertyValue([wire(item) for item in value], is_secret=secret)
        case _:
            raise TypeError(f"A {type(value).__name__} has no form on the wire.")


def unknown_paths(value: object, at: Path = ()) -> Iterator[Path]:
    """Find where in a plain value something is unknown."""
    match value:
        case Unknown():
            yield at
        case dict():
            for key, item in value.items():
                yield from unknown_paths(item, (*at, key))
        case list():
            for index, item in enumerate(value):
                yield from unknown_paths(item, (*at, index))


def has_unknown(value: object) -> bool:
    """Whether anything in a plain value is unknown."""
    return any(True for _ in unknown_paths(value))


def path_below(parent: str, part: str | int) -> str:
    """A property path in Pulumi's notation: `a.b[0]["key.with.dots"]`."""
    if isinstance(part, int):
        return f"{parent}[{part}]"
    if not part.isidentifier():
        return f'{parent}["{part}"]'
    return f"{parent}.{part}" if parent else part
