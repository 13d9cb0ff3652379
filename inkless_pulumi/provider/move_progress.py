"""How far a move is, in bytes: one partition may take hours, and is no standstill meanwhile."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import inf

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed
from inkless_pulumi.provider.cluster_view import ClusterView
from inkless_pulumi.provider.kafka.model import Cluster, Partition, Reassignment

__all__ = ["MoveProgress", "bytes_to_copy", "readable"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class MoveProgress:
    """Remembers when something last went forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moving: frozenset[Partition] | None = None
        self._partitions, self._lacking = 0, inf
        self._since = clock()

    def idle_seconds(
        self, partitions: int, moving: Iterable[Partition], to_copy: int | None
    ) -> float:
        """Note how much is left; how long it has not become less.

        Args:
            partitions: that are not where they should be.
            moving: those on their way. Others than before are a step forward.
            to_copy: how many bytes these still lack; None: it can't be told.
        """
        now, on_their_way = self._clock(), frozenset(moving)
        lacking = inf if to_copy is None else to_copy
        if on_their_way != self._moving or partitions < self._partitions or lacking < self._lacking:
            self._moving, self._partitions, self._lacking = on_their_way, partitions, lacking
            self._since = now
        return now - self._since


def bytes_to_copy(
    cluster: Cluster, moving: Mapping[Partition, Reassignment], seen: ClusterView
) -> int | None:
    """How much larger the leaders' copies are than those that are being made; None: a partition has
    no leader, or a broker does not answer.
    """
    leaders = {(one.topic, one.partition): one.leader for one in seen.partitions}
    copied = [
        (where, leaders.get(where), new) for where, move in moving.items() for new in move.adding
    ]
    asked: dict[int | None, set[Partition]] = defaultdict(set)
    for where, leader, new in copied:
        asked[leader].add(where)
        asked[new].add(where)
    alive = {broker.node_id for broker in seen.brokers if not broker.fenced}
    sizes: dict[int | None, Mapping[Partition, int]] = {}
    for node, wanted in asked.items():
        if node is None or node not in alive:
            return None
        try:
            sizes[node] = cluster.partitions.sizes(node, wanted)
        except (ClusterError, ConnectionFailed):
            return None  # it has just stopped
    return sum(
        max(0, sizes[leader].get(where, 0) - sizes[new].get(where, 0))
        for where, leader, new in copied
    )


def readable(size: float) -> str:
    """A number of bytes as people read it: `1.5 GiB`."""
    power = 0
    while size >= 1024 and power < len(_UNITS) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.1f} {_UNITS[power]}" if power else f"{size:.0f} {_UNITS[power]}"
