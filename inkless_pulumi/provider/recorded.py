"""Resources with nothing behind them that could be looked up: a wait, an order, a guard.

What state has of one is all there is of it. What it does is done when it is made, changed or
deleted, and speaks to a cluster.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.provider.kafka.connection import connection_problems
from inkless_pulumi.provider.resource import Context, Resource, WireModel

__all__ = ["Recorded"]

I = TypeVar("I", bound=WireModel)  # noqa: E741 - inputs
O = TypeVar("O", bound=WireModel)  # noqa: E741 - outputs


class Recorded(Resource[I, O]):
    """Answers what is recorded; a subclass overrides what it does beside it."""

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse a connection that can't be made."""
        yield from connection_problems(known)

    def read(
        self, id: str, inputs: I | None, outputs: O | None, context: Context
    ) -> tuple[I, O] | None:
        """Answer what is recorded; there is nothing to import."""
        return None if inputs is None or outputs is None else (inputs, outputs)

    def update(self, id: str, old_inputs: I, old_outputs: O, inputs: I, context: Context) -> O:
        """Take what the next step is to go by."""
        return old_outputs

    def delete(self, id: str, inputs: I, outputs: O, context: Context) -> None:
        """Nothing to remove but the state."""
