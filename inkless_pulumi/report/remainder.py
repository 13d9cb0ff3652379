"""What else changes: everything that no other finding has told of. Nothing is left out."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed, value_text
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource

__all__ = ["remaining_findings"]

_SILENT: Final = ("pulumi:pulumi:Stack", "inkless:aws:InklessService", "inkless:aws:S3Storage")
"""Components: what they change is told of their parts."""
_FOLLOWS: Final = ("connection",)
"""Properties that follow from another resource, and mean nothing where they change alone."""
_VERBS: Final = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
}
_PATH = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
_SHOWN = 3


def remaining_findings(plan: Plan, told: Iterable[str]) -> Iterator[Finding]:
    """One finding for each kind of action on what is not in `told`, a set of URNs."""
    known = set(told)
    rest = [one for one in plan.touched if one.urn not in known and not _silent(one)]
    followers = [one for one in rest if _only_follows(one)]
    if followers:
        yield Finding(
            "connection-changes",
            "other",
            Level.INFO,
            f"{counted(len(followers), 'resource takes', 'resources take')} over how the cluster "
            "is reached, and nothing else",
            resources=tuple(one.urn for one in followers),
        )
    for action, verb in _VERBS.items():
        found = [one for one in rest if one.action is action and not _only_follows(one)]
        if found:
            level = Level.INFO if action in (Action.CREATE, Action.UPDATE) else Level.NOTICE
            yield Finding(
                f"others-{verb}",
                "other",
                level,
                f"{counted(len(found), 'resource is', 'resources are')} {verb} besides",
                details=tuple(_lines(found)),
                resources=tuple(one.urn for one in found),
            )


def _silent(resource: Resource) -> bool:
    if resource.type.startswith("pulumi:providers:"):  # a plugin, and nothing in the account
        return resource.action in (Action.CREATE, Action.DELETE)
    return resource.type in _SILENT


def _only_follows(resource: Resource) -> bool:
    tops = {path.partition(".")[0].partition("[")[0] for path in resource.changed}
    return resource.action is Action.UPDATE and bool(tops) and tops <= set(_FOLLOWS)


def _lines(resources: list[Resource]) -> Iterator[str]:
    """What changes in place in full; what comes or goes by its kind."""
    kinds: dict[str, list[Resource]] = {}
    for resource in sorted(resources, key=lambda one: (one.type, one.name, one.urn)):
        kinds.setdefault(resource.type, []).append(resource)
    for token, alike in kinds.items():
        kind = token.rpartition(":")[2]
        word = kind if kind.isalnum() else code(kind)
        changes = [(one, "; ".join(_changes(one))) for one in alike]
        plain = [one.name for one, how in changes if not how]
        if plain:
            yield f"{word}: {listed(plain)}"
        for one, how in changes:
            if how:
                yield f"{word} {code(one.name)}: {how}"


def _changes(resource: Resource) -> Iterator[str]:
    if resource.old is None or resource.new is None:
        return
    for path in resource.changed[:_SHOWN]:
        old, new = _at(resource.old.inputs, path), _at(resource.new.inputs, path)
        yield f"{code(path)} from {_value(old)} to {_value(new)}"
    if len(resource.changed) > _SHOWN:
        yield f"and {len(resource.changed) - _SHOWN} more properties"


def _value(value: Any) -> str:
    return "another value" if isinstance(value, dict) else value_text(value)


def _at(properties: Any, path: str) -> Any:
    """The value at a path of the engine's: `tags.Name`, `rules[0].id`, `settings["a.b"]`."""
    value = properties
    for found in _PATH.finditer(path):
        name, index, quoted = found.groups()
        if isinstance(value, Hidden):
            return value
        if index is not None:
            known = isinstance(value, list) and int(index) < len(value)
            value = value[int(index)] if known else None
        else:
            value = value.get(quoted or name) if isinstance(value, dict) else None
    return value
