"""What changed between the recorded and the new inputs, and whether that replaces the resource."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from inkless_pulumi.sandbox.standin.paths import join, pattern_of
from inkless_pulumi.sandbox.standin.table import ResourceType
from inkless_pulumi.sandbox.standin.wire import holds_unknown, reveal

JSON_DOCUMENTS = frozenset(("policy", "assumeRolePolicy", "dashboardBody"))
"""Properties whose text is JSON: two texts of one document are the same to the cloud."""


class Kind(Enum):
    """How a property changed."""

    ADDED = "added"
    DELETED = "deleted"
    UPDATED = "updated"


@dataclass(frozen=True)
class Change:
    """One changed property; `replaces` when the cloud can't change it in place."""

    path: str
    kind: Kind
    replaces: bool = False

    @property
    def name(self) -> str:
        """The top-level property it is in."""
        return self.path.partition(".")[0].partition("[")[0]


def find_changes(
    resource: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    """The changes that the type's table sees, each marked with whether it replaces.

    Not a change: leaving out a property that the cloud then keeps (computed if unset), the order
    of elements, the spelling of a JSON document, and write-only values, which only their version
    property can change.
    """
    skipped = resource.write_only | {"__defaults"}
    old_plain = {key: value for key, value in reveal(dict(old)).items() if key not in skipped}
    new_plain = {key: value for key, value in reveal(dict(new)).items() if key not in skipped}
    for change in _compare_objects(old_plain, new_plain, ""):
        pattern = pattern_of(change.path)
        kept = resource.computed_if_unset | resource.nested_computed
        if change.kind is Kind.DELETED and pattern in kept:
            continue
        yield Change(change.path, change.kind, _replaces(resource, pattern, change.kind))


def _replaces(resource: ResourceType, pattern: str, kind: Kind) -> bool:
    if pattern in resource.replace_on_changes:
        return True
    if kind is Kind.UPDATED:
        return False
    within = tuple(f"{pattern}{joint}" for joint in (".", "[*]"))
    return pattern.removesuffix("[*]") in resource.replace_on_count_change or any(
        listed.startswith(within) for listed in resource.replace_on_changes
    )


def _compare_objects(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        where = join(path, key)
        if key not in new:
            yield Change(where, Kind.DELETED)
        elif key not in old:
            yield Change(where, Kind.ADDED)
        else:
            yield from _compare(old[key], new[key], where)


def _compare(old: Any, new: Any, path: str) -> Iterator[Change]:
    if _same(old, new, path):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _compare_objects(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_arrays(old, new, path)
    else:
        yield Change(path, Kind.UPDATED)


def _compare_arrays(old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    if not all(isinstance(item, Mapping) for item in [*old, *new]):
        yield Change(path, Kind.UPDATED)
        return
    for index in range(max(len(old), len(new))):
        where = f"{path}[{index}]"
        if index >= len(new):
            yield Change(where, Kind.DELETED)
        elif index >= len(old):
            yield Change(where, Kind.ADDED)
        else:
            yield from _compare(old[index], new[index], where)


def _same(old: Any, new: Any, path: str) -> bool:
    if holds_unknown(new):
        return False
    if old == new:
        return True
    if isinstance(old, list) and isinstance(new, list):
        return sorted(map(_canonical, old)) == sorted(map(_canonical, new))
    if path in JSON_DOCUMENTS and isinstance(old, str) and isinstance(new, str):
        try:
            return _canonical(json.loads(old)) == _canonical(json.loads(new))
        except ValueError:
            return False
    return False


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
