"""Whether inputs are ones the cloud's plugin would take: names, types, required, enums, groups.

What is unknown at preview is taken for right; it is looked at again when it is known.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inkless_pulumi.sandbox.standin.paths import join, values_at
from inkless_pulumi.sandbox.standin.table import ResourceType, TypeTable
from inkless_pulumi.sandbox.standin.wire import UNKNOWN, Secret, reveal


@dataclass(frozen=True)
class Failure:
    """One input that is refused: its path (empty: the resource as a whole) and why."""

    path: str
    reason: str


def check_inputs(
    table: TypeTable, resource: ResourceType, inputs: Mapping[str, Any]
) -> Iterator[Failure]:
    """Every rule of the type's table that the inputs break."""
    plain = reveal(dict(inputs))
    yield from _check_object(table, plain, resource.inputs, resource.required, "")
    yield from _check_enums(resource, plain)
    for constraint in resource.constraints:
        yield from _check_constraint(constraint, plain)


def check_shape(table: TypeTable, value: Any, shape: Any, path: str) -> Iterator[Failure]:
    """Whether a value has a wire type, nested properties included."""
    if isinstance(value, Secret):
        value = value.value
    if value is UNKNOWN or value is None or shape == "any":
        return
    kind, expected = _expected(shape)
    if not (_is_plain(value, shape) if kind is None else isinstance(value, kind)):
        yield Failure(path, f"expected {expected}, got {_describe(value)}")
    elif isinstance(shape, dict):
        nested = table.nested[shape["ref"]]
        yield from _check_object(table, value, nested.properties, nested.required, path)
    elif not isinstance(shape, str):
        entries = value.items() if kind is dict else enumerate(value)
        for key, item in entries:
            yield from check_shape(table, item, shape[1], f"{path}[{json.dumps(key)}]")


def _expected(shape: Any) -> tuple[type | None, str]:
    """The Python type of a wire type (None: a plain value) and its name in a sentence."""
    if isinstance(shape, str):
        return None, _article(shape)
    if isinstance(shape, list) and shape[0] == "array":
        return list, "an array"
    return dict, "an object"


def _check_object(
    table: TypeTable,
    value: Mapping[str, Any],
    properties: Mapping[str, Any],
    required: frozenset[str],
    path: str,
) -> Iterator[Failure]:
    for name, item in value.items():
        if name.startswith("__"):
            continue
        if name not in properties:
            close = difflib.get_close_matches(name, properties, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            yield Failure(join(path, name), f"no such property{hint}")
        else:
            yield from check_shape(table, item, properties[name], join(path, name))
    for name in sorted(required):
        if value.get(name) is None:
            yield Failure(join(path, name), "missing required property")


def _is_plain(value: Any, shape: str) -> bool:
    match shape:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _article(shape: str) -> str:
    return f"an {shape}" if shape[0] in "aeiou" else f"a {shape}"


def _describe(value: Any) -> str:
    # Only the kind: what was given in the wrong place may well be a password.
    if isinstance(value, bool):
        return "a boolean"
    kinds = {str: "a string", int: "a number", float: "a number", list: "an array"}
    return kinds.get(type(value), "an object")


def _check_enums(resource: ResourceType, inputs: Mapping[str, Any]) -> Iterator[Failure]:
    for pattern, allowed in resource.enums.items():
        for path, value in values_at(inputs, pattern):
            if value not in allowed:
                names = ", ".join(str(item) for item in allowed)
                yield Failure(path, f"{value!r} is not one of: {names}")


def _check_constraint(
    constraint: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Iterator[Failure]:
    kind = constraint["kind"]
    if kind == "RequiredWith":
        name = constraint["property"]
        missing = [other for other in constraint["with"] if not _given(inputs, other)]
        if _given(inputs, name) and missing:
            yield Failure(name, f"needs {', '.join(map(repr, missing))} as well")
        return
    names: list[str] = constraint["properties"]
    given = [name for name in names if _given(inputs, name)]
    listed = ", ".join(map(repr, names))
    if kind == "ConflictsWith" and len(given) > 1:
        yield Failure(given[0], f"conflicts with {', '.join(map(repr, given[1:]))}")
    elif kind == "AtLeastOneOf" and not given:
        yield Failure(names[0], f"at least one of {listed} must be given")
    elif kind == "ExactlyOneOf" and len(given) != 1:
        found = ", ".join(map(repr, given)) if given else "none"
        yield Failure(names[0], f"exactly one of {listed} must be given, found {found}")


def _given(inputs: Mapping[str, Any], name: str) -> bool:
    # Empty strings and arrays count as left out, as they do to the cloud's own plugin.
    return inputs.get(name) not in (None, "", [])
