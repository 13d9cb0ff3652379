"""Where replicas go when a topic's replication factor changes.

Replicas that stay, stay where they are: a change of the factor moves no more data than it must. New
ones go to the zone that has the fewest of the partition, and there to the broker that has the
fewest of the topic.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Replicas", "placed"]


@dataclass(frozen=True)
class Replicas:
    """The replicas of a partition."""

    nodes: tuple[int, ...]
    """In order of preference: the first is the leader when all is well."""
    in_sync: tuple[int, ...]


def placed(
    partitions: Mapping[int, Replicas], factor: int, zones: Mapping[int, str]
) -> dict[int, tuple[int, ...]]:
    """The replicas that each partition of a topic should have.

    Args:
        partitions: the present ones, by index.
        factor: how many replicas each should have.
        zones: of the brokers that are alive, by node id; `factor` of them at least.
    """
    load = Counter(node for replicas in partitions.values() for node in replicas.nodes)
    wanted = {}
    for index in sorted(partitions):
        present = partitions[index]
        nodes = _fewer(present, factor, zones)
        while len(nodes) < factor:
            nodes = (*nodes, _next(nodes, load, zones))
            load[nodes[-1]] += 1
        wanted[index] = nodes
    return wanted


def _next(nodes: Sequence[int], load: Mapping[int, int], zones: Mapping[int, str]) -> int:
    taken = Counter(zones.get(node, "") for node in nodes)
    free = [node for node in zones if node not in nodes]
    return min(free, key=lambda node: (taken[zones[node]], load[node], node))


def _fewer(present: Replicas, factor: int, zones: Mapping[int, str]) -> tuple[int, ...]:
    """Those of the present replicas that stay."""
    nodes = list(present.nodes)
    while len(nodes) > factor:
        nodes.remove(_dispensable(nodes, present.in_sync, zones))
    return tuple(nodes)


def _dispensable(nodes: Sequence[int], in_sync: Collection[int], zones: Mapping[int, str]) -> int:
    """One that is behind; else one that shares its zone; else the last in order of preference."""
    shared = Counter(zones.get(node, "") for node in nodes)
    return max(
        nodes,
        key=lambda node: (node not in in_sync, shared[zones.get(node, "")], nodes.index(node)),
    )
