"""What the fields of a model are for, read out of its source.

Pydantic can do it (`use_attribute_docstrings`), and then does it whenever a model is loaded: 50 ms
of CPU time at each start of the plugin, 40 in each program with a topics file. Only schemas tell of
descriptions, so only they ask for them.
"""

import ast
import inspect
import textwrap
import typing
from functools import cache
from itertools import pairwise

from pydantic import BaseModel

__all__ = ["field_descriptions"]


def field_descriptions(model: type[BaseModel]) -> dict[str, str]:
    """The string literals after a model's fields by field, those that it inherits among them."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            found |= _own_descriptions(owner)
    return found


@cache
def _own_descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Kept: to find a class, Python parses all of the file that it is in."""
    source = textwrap.dedent(inspect.getsource(model))
    definition = typing.cast("ast.ClassDef", ast.parse(source).body[0])
    found: dict[str, str] = {}
    for statement, following in pairwise(definition.body):
        match statement, following:
            case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                found[name] = " ".join(text.split())
    return found
