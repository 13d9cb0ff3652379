"""Inputs against a resource's model, as far as they are known.

At preview some inputs are unknown. Whatever is known is validated all the same: the whole is given
to pydantic with the unknown places marked, and errors that only say that a mark is not a value are
dropped. Defaults are filled in here, so that state has every input in full.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError, create_model
from pydantic.alias_generators import to_camel

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.model_errors import problem_of
from inkless_pulumi.provider.resource import WireModel
from inkless_pulumi.provider.wire import Path, has_unknown, unknown_paths

__all__ = ["Validated", "comparable", "lenient", "to_plain", "validate"]

_NO_SUCH_INPUT = "extra_forbidden"  # whatever its value will be


@dataclass(frozen=True)
class Validated:
    """Inputs after validation."""

    known: Mapping[str, object]
    """Validated values by Python name. An input with anything unknown or wrong in it is absent;
    where it is a nested model, what is known of it is there, by path (`connection.broker_count`),
    and where it has such models by name, what is known of each (`topics.*`)."""
    properties: Mapping[str, object]
    """Plain values by wire name, defaults included, unknown ones as they came."""
    problems: tuple[Problem, ...] = ()
    """What is wrong; when not empty, `properties` are as given."""


def validate(
    model: type[WireModel], given: Mapping[str, object], secrets: Iterable[str] = ()
) -> Validated:
    """Validate plain inputs.

    Args:
        model: of the inputs.
        given: plain values by wire name.
        secrets: wire names of inputs whose values must not be shown.
    """
    given = {name: value for name, value in given.items() if value is not None}
    try:
        sound = model.model_validate(given)
    except ValidationError:
        return _as_far_as_understood(model, given, frozenset(secrets))
    return Validated({name: getattr(sound, name) for name in model.model_fields}, to_plain(sound))


def _as_far_as_understood(
    model: type[WireModel], given: Mapping[str, object], secrets: frozenset[str]
) -> Validated:
    """Inputs of which some are wrong, or not known: these are no values of their types."""
    found = list(_problems(model, given, secrets))
    wrong = {spelling for name, _ in found for spelling in (name, to_camel(str(name)))}
    unsure = {name: value for name, value in given.items() if has_unknown(value) or name in wrong}
    certain = {name: value for name, value in given.items() if name not in unsure}
    left_out = frozenset(name for name in model.model_fields if to_camel(name) in {*unsure, *wrong})
    validated = _model_without(model, left_out).model_validate(certain)
    known = {name: getattr(validated, name) for name in model.model_fields if name not in left_out}
    known |= _known_parts(model, unsure)
    if found:
        return Validated(known, given, tuple(problem for _, problem in found))
    return Validated(known, {**to_plain(validated), **unsure})


def _known_parts(model: type[WireModel], unsure: Mapping[str, object]) -> dict[str, object]:
    """What is known of inputs that are partly unknown or wrong."""
    parts: dict[str, object] = {}
    for name, field in model.model_fields.items():
        nested, value = _nested_model(field.annotation), unsure.get(to_camel(name))
        if nested is None or not isinstance(value, dict):
            continue
        if get_origin(field.annotation) is dict:
            parts[f"{name}.*"] = {
                key: lenient(nested, item) if isinstance(item, dict) else {}
                for key, item in value.items()
            }
        else:
            parts |= {f"{name}.{part}": known for part, known in lenient(nested, value).items()}
    return parts


def lenient(model: type[WireModel], given: Mapping[str, object]) -> dict[str, object]:
    """Read old properties field by field: by Python name, what can't be understood left out."""
    understood: dict[str, object] = {}
    for name in model.model_fields:
        value = given.get(to_camel(name))
        if value is None or has_unknown(value):
            continue
        try:
            understood[name] = getattr(
                _only(model, name).model_validate({to_camel(name): value}), name
            )
        except ValidationError:
            continue
    return understood


def to_plain(values: BaseModel) -> dict[str, object]:
    """A model as plain values by wire name; what is None is left out."""
    return values.model_dump(mode="json", by_alias=True, exclude_none=True)


def comparable(model: type[WireModel], given: Mapping[str, object]) -> dict[str, object]:
    """Plain inputs by wire name, without what is incidental in nested ones."""
    values = dict(given)
    for name, field in model.model_fields.items():
        nested, value = _nested_model(field.annotation), values.get(to_camel(name))
        if nested is not None and nested.incidental and isinstance(value, dict):
            left_out = {to_camel(incidental) for incidental in nested.incidental}
            kept = {key: item for key, item in value.items() if key not in left_out}
            values[to_camel(name)] = kept
    return values


@lru_cache(maxsize=256)
def _model_without(model: type[WireModel], names: frozenset[str]) -> type[WireModel]:
    """A model whose fields `names` need no value and whose validators don't run for them."""
    if not names:
        return model
    fields: dict[str, Any] = dict.fromkeys(names, (object, None))
    return create_model(model.__name__, __base__=model, **fields)


def _only(model: type[WireModel], name: str) -> type[WireModel]:
    return _model_without(model, frozenset(model.model_fields) - {name})


def _problems(
    model: type[WireModel], given: Mapping[str, object], secrets: frozenset[str]
) -> Iterable[tuple[str | int, Problem]]:
    """What is wrong, each with the name of the input that it is in."""
    values = _by_python_name(model, given)
    try:
        model.model_validate(values)
    except ValidationError as invalid:
        unknown = list(unknown_paths(values))
        hidden = set(_by_python_name(model, dict.fromkeys(secrets)))
        for error in invalid.errors(include_url=False):
            place = error["loc"]
            is_known = error["type"] == _NO_SUCH_INPUT or not any(
                _related(place, path) for path in unknown
            )
            if is_known:
                problem = problem_of(error, model)
                yield place[0], replace(problem, value=None) if place[0] in hidden else problem


def _related(place: Path, unknown: Path) -> bool:
    """Whether an error is about an unknown value, or about something that holds one."""
    length = min(len(place), len(unknown))
    return place[:length] == unknown[:length]


def _by_python_name(model: type[WireModel], given: Mapping[str, object]) -> dict[str, object]:
    """Values with the wire's names in Python's spelling, which is what the user wrote."""
    fields = _fields_by_wire_name(model)
    values = {}
    for key, value in given.items():
        name, annotation = fields.get(key, (key, None))
        values[name] = _nested_by_python_name(annotation, value)
    return values


@cache
def _fields_by_wire_name(model: type[WireModel]) -> dict[str, tuple[str, Any]]:
    return {to_camel(name): (name, field.annotation) for name, field in model.model_fields.items()}


def _nested_by_python_name(annotation: object, value: object) -> object:
    model = _nested_model(annotation)
    if model is None:
        return value
    if isinstance(value, dict) and get_origin(annotation) is dict:
        return {key: _nested_by_python_name(model, item) for key, item in value.items()}
    if isinstance(value, dict):
        return _by_python_name(model, value)
    if isinstance(value, list):
        return [_nested_by_python_name(model, item) for item in value]
    return value


def _nested_model(annotation: object) -> type[WireModel] | None:
    """The model in `Model`, `Model | None` or `list[Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return annotation
    parts = (_nested_model(part) for part in get_args(annotation))
    return next((part for part in parts if part is not None), None)
