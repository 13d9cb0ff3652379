"""Waiting until every broker knows of a change.

The controller answers before the brokers have replayed the change. A client that starts right after
`pulumi up` may meet any of them, and gives up at once when its password is refused.
"""

import time
from collections.abc import Callable
from typing import Any

from kafka.protocol.admin import DescribeClusterRequest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.client import Session
from inkless_pulumi.provider.pauses import growing_pauses

__all__ = ["await_everywhere"]

_DEADLINE = 30.0
_PAUSE, _LONGEST_PAUSE = 0.01, 0.2


def await_everywhere(session: Session, knows: Callable[[int], bool], what: str) -> None:
    """Wait until each broker that is alive knows.

    Args:
        session: the connection.
        knows: asks one broker, by node id.
        what: what they should know, for the error.

    Raises:
        ClusterError: some broker does not know in time.
    """
    deadline = time.monotonic() + _DEADLINE
    pauses = growing_pauses(_PAUSE, _LONGEST_PAUSE)
    pending = _alive(session)
    while pending := {node for node in pending if not knows(node)}:
        if time.monotonic() > deadline:
            names = ", ".join(f"node {node}" for node in sorted(pending))
            raise ClusterError(
                f"{names} did not learn of {what} within {_DEADLINE:g} s; look at its log, then "
                "run the update again."
            )
        session.pause(next(pauses))
        pending &= _alive(session)


def _alive(session: Session) -> set[int]:
    """Brokers that serve; one that starts later learns before it serves."""

    def request() -> Any:
        return DescribeClusterRequest()  # leaves out the fenced ones

    response = session.send(request)
    session.expect(response.error_code, response.error_message)
    return {broker.broker_id for broker in response.brokers}
