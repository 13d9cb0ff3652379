"""Which nodes the program of this run declares.

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

    def declare(self, service: str, nodes: Iterable[int]) -> None:
        """Note that a service has these nodes."""
        with self._lock:
            self._nodes[service] = frozenset(nodes)

    def of(self, service: str) -> frozenset[int]:
        """The nodes of a service; empty when this run does not declare the service."""
        with self._lock:
            return self._nodes.get(service, frozenset())


DECLARED = DeclaredNodes()
"""Of the plugin's process, which lives as long as one operation of the engine."""
