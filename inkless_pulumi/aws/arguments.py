"""Which arguments there are: a component takes those of its `TypedDict`, and ignores none."""

import typing
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.model_errors import suggestion

__all__ = ["argument_problems"]


def argument_problems(args: Mapping[str, Any], shape: type) -> list[Problem]:
    """Arguments that do not exist, and ones that are missing, also in arguments of arguments.

    Args:
        args: what was given.
        shape: the `TypedDict` that says what may be given.
    """
    hints: Mapping[str, Any] = shape.__annotations__
    problems = [
        Problem(name, None, "is not an argument", suggestion(name, hints))
        for name in args
        if name not in hints
    ]
    for name, hint in hints.items():
        value, optional = args.get(name), typing.get_origin(hint) is typing.NotRequired
        inner = typing.get_args(hint)[0] if optional else hint
        if value is None and not optional:
            problems.append(Problem(name, None, "is required", "give it a value"))
        elif isinstance(value, Mapping) and typing.is_typeddict(inner):
            within = argument_problems(value, inner)
            problems += [replace(one, path=f'{name}["{one.path}"]') for one in within]
    return problems
