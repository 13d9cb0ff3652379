"""What this run knows of the nodes of a service: which are declared, and which were found down.

When a resource is deleted its program has no say any more. Whether a node is replaced, leaves a
service that stays, or goes with all of it, follows from what else the same run declared: the engine
has every declared resource checked, by this process, before it deletes what is not declared. In a
`pulumi destroy` nothing is declared.
"""

import threading
from collections.abc import Iterable

__all__ = ["DECLARED", "DeclaredNodes"]


class DeclaredNodes:
    """Node ids by service; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nodes: dict[str, frozenset[int]] = {}
        self._throttles: dict[str, str | None] = {}
        self._down: dict[str, tuple[int, ...]] = {}

    def declare(self, service: str, nodes: Iterable[int], throttle: str | None = None) -> None:
        """Note that a service has these nodes, and how fast replicas may leave others."""
        with self._lock:
            self._nodes[service] = frozenset(nodes)
            self._throttles[service] = throttle

    def of(self, service: str) -> frozenset[int]:
        """The nodes of a service; empty when this run does not declare the service."""
        with self._lock:
            return self._nodes.get(service, frozenset())

    def throttle(self, service: str) -> str | None:
        """The `reassignment_throttle` of a service; None: the default."""
        with self._lock:
            return self._throttles.get(service)

    def find_down(self, service: str, nodes: Iterable[int]) -> None:
        """Note which nodes did not serve when a roll began, in the order of their turns."""
        with self._lock:
            self._down[service] = tuple(nodes)

    def more_are_down(self, service: str, node_id: int) -> bool:
        """Whether a node was found down, and another one whose turn is still to come."""
        with self._lock:
            return node_id in self._down.get(service, ())[:-1]


DECLARED = DeclaredNodes()
"""Of the plugin's process, which lives as long as one operation of the engine."""
