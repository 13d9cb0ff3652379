"""pydantic's validation errors in the words and paths of our own `Problem`.

pydantic says where in the model a value is wrong; a user needs the argument as written, the rule in
one clause and the way out. Types of error that have no entry here keep pydantic's own sentence.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from inkless_pulumi.core.errors import Problem

Location = tuple[int | str, ...]
"""Where in a model pydantic finds something wrong."""


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """One problem for each place in `model` that an input got wrong."""
    seen: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        problem = problem_of(detail, model)
        seen.setdefault(problem.path, problem)
    return list(seen.values())


def problem_of(detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    """One of pydantic's errors as a problem."""
    location = _without_union_branches(detail["loc"])
    path = _argument_path(location, model)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        names = _field_names(model, location[:-1])
        return Problem(path, None, "is not an argument", suggestion(str(location[-1]), names))
    if kind == "missing":
        return Problem(path, None, "is required", "give it a value")
    value = detail["input"]
    if kind == "literal_error":
        expected = str(context["expected"])
        return Problem(path, value, "is not one of the possible values", f"use {expected}")
    if kind.startswith(("greater_than", "less_than")):
        return Problem(path, value, "is out of range", _bound(kind, context))
    if kind == "string_too_short":
        return Problem(path, value, "must not be empty", "give it a value or leave it out")
    return Problem(path, value, _clause(detail["msg"]), "give a value of that kind")


def _bound(kind: str, context: dict[str, object]) -> str:
    limit = context.get("ge", context.get("le", context.get("gt", context.get("lt"))))
    return f"use {limit} or {'more' if kind.startswith('greater') else 'less'}"


def _clause(sentence: str) -> str:
    rule = sentence.partition(", unable to ")[0]  # which says the same twice
    text = rule.removeprefix("Input should be ").removeprefix("Input ").rstrip(".")
    return f"must be {text}" if sentence.startswith("Input should be ") else text


def _argument_path(location: Location, model: type[BaseModel]) -> str:
    """`("settings", "log.dirs")` as a user writes it: `settings["log.dirs"]`."""
    path = ""
    for part, is_key, _ in _steps(location, model):
        if isinstance(part, int):
            path += f"[{part}]"
        elif is_key or not part.isidentifier():
            path += f'["{part}"]'
        else:
            path += f".{part}" if path else part
    return path or "the arguments"


def _steps(
    location: Location, model: type[BaseModel]
) -> Iterator[tuple[int | str, bool, type[BaseModel] | None]]:
    """Each part of a path, whether it is a key of the user's own, and the model that is there."""
    here: type[BaseModel] | None = model
    is_key = False
    for part in location:
        if is_key or isinstance(part, int):
            yield part, is_key, here
            is_key = False
            continue
        field = here.model_fields.get(part) if here is not None else None
        annotation = field.annotation if field is not None else None
        here = _model_in(annotation)
        yield part, False, here
        is_key = _is_map(annotation)


def _without_union_branches(location: Location) -> Location:
    """`settings.x.int` is pydantic's way of saying which type of a union it tried."""
    if "settings" not in location:
        return location
    last = max(place for place, part in enumerate(location) if part == "settings")
    return location[: last + 2]


def _field_names(model: type[BaseModel], parents: Location) -> list[str]:
    models = [model, *(here for _, _, here in _steps(parents, model))]
    return list(models[-1].model_fields) if models[-1] is not None else []


def _is_map(annotation: object) -> bool:
    """Whether it is `dict[str, …]` or `dict[str, …] | None`."""
    return get_origin(annotation) is dict or any(map(_is_map, get_args(annotation)))


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)


def suggestion(name: str, known: Iterable[str], what: str = "argument") -> str:
    """The way out of a mistyped name: the closest known one, or to remove it."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f'did you mean "{close[0]}"?' if close else f"remove it or correct the {what}'s name"
