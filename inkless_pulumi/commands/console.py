"""What all commands tell the person who waits."""

import time
from collections.abc import Callable

from rich.console import Console

__all__ = ["errors", "progress"]


def progress() -> Callable[[str], None]:
    """Lines for the person who waits, on standard error: standard output may be a program's."""
    console, began = errors(), time.monotonic()

    def tell(line: str) -> None:
        console.print(
            f"{time.monotonic() - began:6.1f} s  {line}", markup=False, style="dim", soft_wrap=True
        )

    return tell


def errors() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, emoji=False)
