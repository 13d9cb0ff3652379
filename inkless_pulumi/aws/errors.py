"""Errors of a declaration, in the form Pulumi shows without a traceback."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pulumi

from inkless_pulumi.core.errors import DeclarationError, Problem


class InvalidDeclaration(DeclarationError, pulumi.RunError):
    """A declaration that breaks rules, raised while a Pulumi program runs.

    A `DeclarationError` for who catches it, and a `RunError` for the engine, which then prints the
    message alone and creates nothing.
    """


@contextmanager
def declared(subject: str = "", arguments: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn a DeclarationError into one that Pulumi prints well.

    `arguments` maps the paths that `core` knows to the arguments as they are called here.
    """
    try:
        yield
    except DeclarationError as error:
        problems = tuple(_renamed(problem, arguments or {}) for problem in error.problems)
        raise InvalidDeclaration(problems, error.subject or subject) from None


def refuse(problems: Iterable[Problem], subject: str) -> None:
    """Raise one InvalidDeclaration for all `problems`; return when there are none."""
    found = tuple(problems)
    if found:
        raise InvalidDeclaration(found, subject)


def _renamed(problem: Problem, arguments: Mapping[str, str]) -> Problem:
    return replace(problem, path=arguments.get(problem.path, problem.path))
