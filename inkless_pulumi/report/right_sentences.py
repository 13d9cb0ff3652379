"""Rights in words: who may do what, a line for all who gain or lose the same."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from inkless_pulumi.report.findings import code, joined
from inkless_pulumi.report.openings import NEW_GROUP, NEW_PREFIX_LIST
from inkless_pulumi.report.rights import Opening, Permission

__all__ = ["lines_of", "may", "may_connect", "may_on_kafka"]


def lines_of(
    rights: Iterable[Any], sentence: Callable[[Any, Any], str], sign: str
) -> Iterator[str]:
    """A line for all who gain the same, with all that they gain on the same."""
    actions: dict[tuple[Any, ...], list[Any]] = {}
    for right in sorted(rights):
        actions.setdefault(_subject(right), []).append(right)
    alike: dict[tuple[Any, ...], list[list[Any]]] = {}
    for group in actions.values():
        alike.setdefault(_object(group), []).append(group)
    lines = []
    for groups in alike.values():
        denial = {"+": "no longer denied: ", "-": "denied from now on: "}[sign]
        words = "" if groups[0][0].allows else denial
        lines.append(f"{sign} {words}{sentence(groups[0], [group[0] for group in groups])}")
    yield from dict.fromkeys(lines)  # a way has a rule at each end


def _subject(right: Any) -> tuple[Any, ...]:
    if isinstance(right, Permission):
        return (right.principal, right.resource, right.effect, right.condition)
    return (right.source, right.target, right.incoming)


def _object(group: list[Any]) -> tuple[Any, ...]:
    first = group[0]
    if isinstance(first, Permission):
        names = tuple(right.action for right in group)
        return (names, first.resource, first.effect, first.condition)
    return (tuple(right.ports for right in group), first.target, first.incoming)


def may(group: list[Permission], alike: list[Permission]) -> str:
    """What principals may do in the cloud: `group` is all that each of `alike` may."""
    who = joined("anybody" if one.principal == "*" else code(one.principal) for one in alike)
    what = joined(code(right.action) for right in group)
    when = f", if {code(group[0].condition)}" if group[0].condition else ""
    verb = "may"
    return f"{who} {verb} {what} on {code(group[0].resource)}{when}"


def may_on_kafka(group: list[Permission], alike: list[Permission]) -> str:
    """What principals may do on Kafka, likewise."""
    who = joined("any user" if one.principal == "User:*" else code(one.principal) for one in alike)
    what = joined("do everything" if one.action == "*" else code(one.action) for one in group)
    kind, _, name = group[0].resource.partition(":")
    if name == "*":
        where = f"every {kind}"
    elif name.endswith("*"):
        where = f"every {kind} whose name begins with {code(name[:-1])}"
    else:
        where = f"{kind} {code(name)}"
    verb = "may"
    host = f", from {code(group[0].condition)}" if group[0].condition else ""
    return f"{who} {verb} {what} on {where}{host}"


def may_connect(group: list[Opening], alike: list[Opening]) -> str:
    """Who may connect to whom, likewise."""
    who = joined(
        f"anybody on the internet ({code(one.source)})" if one.to_everybody else _end(one.source)
        for one in alike
    )
    ports = joined(code(one.ports) for one in group)
    if group[0].incoming:
        return f"{who} may connect to {_end(group[0].target)} on {ports}"
    return f"{_end(group[0].target)} may connect to {who} on {ports}"


def _end(name: str) -> str:
    """One end of a connection; what has no name yet is in our own words."""
    if name in (NEW_GROUP, NEW_PREFIX_LIST):
        return name
    kind, of, rest = name.partition("prefix list ")
    return f"{of}{code(rest)}" if of and not kind else code(name)
