"""Property paths: walking a value by a pattern such as `ebsBlockDevices[*].volumeType`."""

import re
from collections.abc import Iterator
from typing import Any

from inkless_pulumi.sandbox.standin.wire import UNKNOWN, Secret

_INDEX = re.compile(r"\[\d+\]")


def pattern_of(path: str) -> str:
    """The pattern a concrete path belongs to: `rules[2].status` is of `rules[*].status`."""
    return _INDEX.sub("[*]", path)


def join(parent: str, key: str) -> str:
    """The path of a property below another."""
    return f"{parent}.{key}" if parent else key


def values_at(value: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each (concrete path, value) that a pattern meets; what is absent or unknown is passed over.

    An array at the end of the pattern yields its elements: a rule on it is a rule on each.
    """
    if isinstance(value, Secret):
        value = value.value
    if value is None or value is UNKNOWN:
        return
    if not pattern:
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from values_at(item, "", f"{path}[{index}]")
        else:
            yield path, value
        return
    head, _, rest = pattern.partition(".")
    name = head.removesuffix("[*]")
    if not isinstance(value, dict) or name not in value:
        return
    inner = value[name].value if isinstance(value[name], Secret) else value[name]
    if head.endswith("[*]") and isinstance(inner, list):
        for index, item in enumerate(inner):
            yield from values_at(item, rest, f"{join(path, name)}[{index}]")
    else:
        yield from values_at(inner, rest, join(path, name))
