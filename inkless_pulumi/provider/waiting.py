"""Looking again and again until something is so, and saying on the resource's line what is missing.

The one wait of the gate after a node, of the guard before it, and of what follows its end.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from inkless_pulumi.core.errors import NotReady
from inkless_pulumi.provider.readiness import Waiting
from inkless_pulumi.provider.resource import Context

__all__ = ["wait_for"]

T = TypeVar("T")
_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_BETWEEN_WORDS, _SECONDS_BETWEEN_THE_SAME = 1.0, 5.0
"""Without a terminal each word is a line of its own."""


def wait_for(
    look: Callable[[], T | Waiting],
    seconds: float,
    context: Context,
    *,
    meanwhile: str,
    given_up: Callable[[str], str],
    besides: Callable[[float], str] = lambda _: "",
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Look until the answer is another than `Waiting`, and return it.

    Args:
        look: at what is waited for.
        seconds: to wait at most.
        context: of the operation.
        meanwhile: what is waited for, for the progress: `waiting for node-1`.
        given_up: what to say when it is not so in time, given what was missing at last.
        besides: what else to tell while waiting, given the seconds waited; goes behind what is
            missing.
        clock: seconds.

    Raises:
        NotReady: it is not so in time.
        OperationCancelled: the user interrupted the update.
    """
    began = clock()
    told, told_at = "", -_SECONDS_BETWEEN_WORDS
    while isinstance(seen := look(), Waiting):
        waited = clock() - began
        if waited >= seconds:
            raise NotReady(given_up("; ".join(seen.reasons)))
        same = seen.reasons[0] == told
        if waited - told_at >= (_SECONDS_BETWEEN_THE_SAME if same else _SECONDS_BETWEEN_WORDS):
            told, told_at = seen.reasons[0], waited
            context.progress(f"{meanwhile} ({waited:.0f} s): {told}{besides(waited)}")
        context.pause(_SECONDS_BETWEEN_LOOKS)
    return seen
