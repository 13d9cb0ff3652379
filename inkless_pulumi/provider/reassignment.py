"""Which replicas move where: when brokers leave, and when new ones are to carry their share.

Pure. A move changes one partition's list of replicas and never the number of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inkless_pulumi.provider.kafka.model import BrokerState, Partition, PartitionState

__all__ = ["DrainPlan", "NodeIds", "plan_drain", "plan_rebalance"]

NodeIds = tuple[int, ...]
"""Node ids; the first is the preferred leader."""


@dataclass(frozen=True)
class DrainPlan:
    """How leaving brokers lose their replicas."""

    moves: Mapping[Partition, NodeIds]
    """The new replicas of each partition that has some on a leaving broker."""
    impossible: tuple[str, ...]
    """Topics with more replicas than brokers that stay."""


def plan_drain(
    partitions: Iterable[PartitionState], brokers: Iterable[BrokerState], leaving: frozenset[int]
) -> DrainPlan:
    """Find a new place for every replica on a leaving broker.

    The others stay where they are, in their order. A replica goes to a broker of the zone it was
    in, or of one that the partition is not in yet; among those to the one with the fewest replicas.
    """
    staying = {b.node_id: b.rack for b in brokers if not b.fenced and b.node_id not in leaving}
    zones = {broker.node_id: broker.rack for broker in brokers}
    partitions = tuple(partitions)
    load = _load(partitions, staying)
    moves: dict[Partition, NodeIds] = {}
    impossible: set[str] = set()
    for part in partitions:
        replicas = list(part.replicas)
        for place, broker in enumerate(replicas):
            if broker not in leaving:
                continue
            free = [other for other in staying if other not in replicas]
            if not free:
                impossible.add(part.topic)
                break
            others = {zones.get(other) for other in replicas if other != broker}
            replicas[place] = min(free, key=lambda b: (staying[b] in others, load[b], b))
            load[replicas[place]] += 1
            moves[part.topic, part.partition] = tuple(replicas)
    done = {where: new for where, new in moves.items() if where[0] not in impossible}
    return DrainPlan(done, tuple(sorted(impossible)))


def plan_rebalance(
    partitions: Iterable[PartitionState], brokers: Iterable[BrokerState]
) -> dict[Partition, NodeIds]:
    """Even out how many replicas the brokers have, with few moves.

    Again and again a replica goes from the broker that has most to the one that has fewest, as long
    as they are two or more apart. A partition never comes to be in fewer zones than it was, nor
    twice on a broker; where no replica of the one broker can go to the other, others are tried.
    """
    zones = {broker.node_id: broker.rack for broker in brokers if not broker.fenced}
    replicas = {(part.topic, part.partition): part.replicas for part in partitions}
    load = _load(partitions, zones)
    moves: dict[Partition, NodeIds] = {}
    while (step := _step(replicas, load, zones)) is not None:
        where, giver, taker = step
        new = tuple(taker if broker == giver else broker for broker in replicas[where])
        replicas[where] = moves[where] = new
        load[giver] -= 1
        load[taker] += 1
    return moves


def _load(partitions: Iterable[PartitionState], brokers: Iterable[int]) -> Counter[int]:
    load = Counter(dict.fromkeys(brokers, 0))
    load.update(broker for part in partitions for broker in part.replicas if broker in load)
    return load


def _step(
    replicas: Mapping[Partition, NodeIds],
    load: Counter[int],
    zones: Mapping[int, str | None],
) -> tuple[Partition, int, int] | None:
    """A replica that may go from a broker to one with two or more fewer; None: there is none."""
    by_load = sorted(load, key=lambda broker: (load[broker], broker))
    for giver in reversed(by_load):
        for taker in by_load:
            if load[giver] - load[taker] < 2:
                break
            for where, held in replicas.items():
                if giver in held and taker not in held and _keeps_zones(held, giver, taker, zones):
                    return where, giver, taker
    return None


def _keeps_zones(held: NodeIds, giver: int, taker: int, zones: Mapping[int, str | None]) -> bool:
    others = {zones.get(broker) for broker in held if broker != giver}
    return zones.get(taker) not in others or zones.get(giver) in others
