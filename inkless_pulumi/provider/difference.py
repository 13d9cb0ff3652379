"""The detailed difference between what is and what is wanted, property by property."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from pulumi.provider.experimental.provider import DiffResponse, PropertyDiff, PropertyDiffKind

from inkless_pulumi.provider.wire import Unknown, path_below

__all__ = ["difference"]

_REPLACING = {
    PropertyDiffKind.ADD: PropertyDiffKind.ADD_REPLACE,
    PropertyDiffKind.DELETE: PropertyDiffKind.DELETE_REPLACE,
    PropertyDiffKind.UPDATE: PropertyDiffKind.UPDATE_REPLACE,
}


def difference(
    old: Mapping[str, object],
    new: Mapping[str, object],
    *,
    replaces: Callable[[str], bool],
    stale: Iterable[str],
    delete_before_replace: bool,
    stables: list[str],
) -> DiffResponse:
    """Compare inputs.

    Args:
        old: plain inputs as state has them, by wire name.
        new: plain inputs as wanted; an unknown one always counts as a change.
        replaces: whether a change of the named input replaces the resource.
        stale: outputs that call for an update although no input changed.
        delete_before_replace: the order of a replacement.
        stables: wire names of the outputs that an update keeps.
    """
    detailed: dict[str, PropertyDiff] = {}
    changed: list[str] = []
    replacing: list[str] = []
    for name in sorted({*old, *new}):
        replace = replaces(name)
        changes = list(_changes(old.get(name), new.get(name), path_below("", name)))
        for path, kind in changes:
            detailed[path] = PropertyDiff(_REPLACING[kind] if replace else kind, input_diff=True)
        if changes:
            changed.append(name)
            if replace:
                replacing.append(name)
    for name in stale:
        changed.append(name)
        detailed[name] = PropertyDiff(PropertyDiffKind.UPDATE, input_diff=False)
    return DiffResponse(
        changes=bool(changed),
        replaces=replacing,
        stables=stables,
        delete_before_replace=delete_before_replace,
        diffs=changed,
        detailed_diff=detailed,
    )


def _changes(old: object, new: object, path: str) -> Iterator[tuple[str, PropertyDiffKind]]:
    if old is None and new is None:
        return
    if isinstance(new, Unknown):
        yield path, PropertyDiffKind.ADD if old is None else PropertyDiffKind.UPDATE
    elif old is None:
        yield path, PropertyDiffKind.ADD
    elif new is None:
        yield path, PropertyDiffKind.DELETE
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _changes(old.get(key), new.get(key), path_below(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from _changes(before, after, path_below(path, index))
    elif old != new:
        yield path, PropertyDiffKind.UPDATE
