"""How long to pause between two looks at something that takes a moment."""

from collections.abc import Iterator

__all__ = ["growing_pauses"]


def growing_pauses(first: float, longest: float) -> Iterator[float]:
    """Seconds to pause: each time twice as long as before, up to the longest; without end."""
    pause = first
    while True:
        yield pause
        pause = min(2 * pause, longest)
