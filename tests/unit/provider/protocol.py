"""Talking to the plugin in its own process, without an engine."""

import asyncio
from collections.abc import Coroutine
from contextlib import closing
from typing import Any, TypeVar

from inkless_pulumi.provider.lifecycle import InklessProvider
from inkless_pulumi.provider.server import resource_named

T = TypeVar("T")


class Silence:
    """A log that nothing is written to, apart from warnings about what is declared."""

    def progress(self, urn: str, line: str) -> None:
        raise AssertionError(line)

    def warn(self, urn: str, line: str) -> None:
        pass


def silent_provider() -> InklessProvider:
    """All resources of the package."""
    return InklessProvider(resource_named, Silence(), lambda: "")


def urn(token: str) -> str:
    """Of a resource of this type."""
    return f"urn:pulumi:dev::project::{token}::it"


def answer(call: Coroutine[Any, Any, T]) -> T:
    """Wait for an answer, and leave no trace: other tests rely on the loop of their thread."""
    with closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(call)
