"""What this run knows of services: what is declared of each, and which nodes were found down.

When a resource is deleted its program has no say any more. Whether a node is replaced, leaves a
service that stays, or goes with all of it, follows from what else the same run declared: the engine
has every declared resource checked, by this process, before it deletes what is not declared.

Not so in an update of single resources (`--target`): of those that are not named nothing is
checked. So a service of which nothing was declared goes as a whole only if the run has no program
(`pulumi destroy`), or deleted the service's feature level, which depends on all of its nodes.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from inkless_pulumi.provider.availability import Shortage

__all__ = ["DECLARED", "DeclaredService", "DeclaredServices"]


@dataclass(frozen=True)
class DeclaredService:
    """What the run's program declares of a service."""

    nodes: frozenset[int]
    """The node ids."""
    throttle: str | None = None
    """How fast replicas may leave brokers: the `reassignment_throttle`. None: the default."""
    on_shortage: Shortage = "refuse"
    """What to do about topics without a replica to spare."""


class DeclaredServices:
    """Services by cluster id; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._has_program = False
        self._services: dict[str, DeclaredService] = {}
        self._removed: set[str] = set()
        self._down: dict[str, tuple[int, ...]] = {}

    def begin_program(self) -> None:
        """Note that the run has a program, which declares what there is to be."""
        with self._lock:
            self._has_program = True

    def declare(self, service: str, declared: DeclaredService) -> None:
        """Note what a service is to be."""
        with self._lock:
            self._services[service] = declared

    def remove(self, service: str) -> None:
        """Note that what depends on all nodes of a service was deleted."""
        with self._lock:
            self._removed.add(service)

    def of(self, service: str) -> DeclaredService | None:
        """What a service is to be; None when this run does not declare it."""
        with self._lock:
            return self._services.get(service)

    def goes(self, service: str) -> bool:
        """Whether a service that is not declared goes as a whole."""
        with self._lock:
            return service in self._removed or not self._has_program

    def find_down(self, service: str, nodes: Iterable[int]) -> None:
        """Note which nodes did not serve when a roll began, in the order of their turns."""
        with self._lock:
            self._down[service] = tuple(nodes)

    def more_are_down(self, service: str, node_id: int) -> bool:
        """Whether a node was found down, and another one whose turn is still to come."""
        with self._lock:
            return node_id in self._down.get(service, ())[:-1]


DECLARED = DeclaredServices()
"""Of the plugin's process, which lives as long as one operation of the engine."""
