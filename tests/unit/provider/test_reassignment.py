"""Where replicas go: when brokers leave, and when new ones are to carry their share."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.provider.kafka.model import BrokerState, PartitionState
from inkless_pulumi.provider.reassignment import NodeIds, plan_drain, plan_rebalance


def broker(node_id: int, *, fenced: bool = False) -> BrokerState:
    """Brokers 11, 14, … are in zone 0, 12, 15, … in zone 1, and so on."""
    return BrokerState(node_id, f"10.0.0.{node_id}:9094", fenced, f"zone-{(node_id - 11) % 3}")


def part(number: int, *replicas: int, topic: str = "orders") -> PartitionState:
    return PartitionState(topic, number, replicas[0], replicas, replicas, ())


BROKERS = [broker(node_id) for node_id in range(11, 17)]


def test_a_replica_goes_to_the_zone_that_it_was_in() -> None:
    plan = plan_drain([part(0, 14, 12, 13)], BROKERS, frozenset({14}))
    assert plan.moves == {("orders", 0): (11, 12, 13)}
    assert plan.impossible == ()


def test_what_is_elsewhere_stays_there() -> None:
    assert plan_drain([part(0, 11, 12, 13)], BROKERS, frozenset({14})).moves == {}


def test_no_replica_goes_to_a_broker_that_leaves_too_or_is_down() -> None:
    brokers = [broker(11, fenced=True), *BROKERS[1:], broker(17)]
    plan = plan_drain([part(0, 14, 12, 13)], brokers, frozenset({14}))
    assert plan.moves == {("orders", 0): (17, 12, 13)}


def test_a_topic_with_more_replicas_than_brokers_stay_is_named_and_not_moved() -> None:
    found = [part(0, 11, 12, 13), part(0, 11, 12, 13, 14, topic="wide")]
    plan = plan_drain(found, BROKERS[:4], frozenset({14}))
    assert plan.impossible == ("wide",)
    assert plan.moves == {}


def test_replicas_are_spread_over_those_that_stay() -> None:
    found = [part(number, 17) for number in range(4)]
    plan = plan_drain(found, [*BROKERS[:4], broker(17)], frozenset({17}))
    assert Counter(new[0] for new in plan.moves.values()) == {11: 1, 12: 1, 13: 1, 14: 1}


def test_a_new_broker_gets_its_share_and_zones_are_kept() -> None:
    found = [part(number, 11, 12, 13) for number in range(4)]
    moves = plan_rebalance(found, BROKERS[:4])
    assert sorted(moves.values()) == [(14, 12, 13), (14, 12, 13)]


def test_a_balanced_cluster_is_left_alone() -> None:
    found = [part(0, 11, 12, 13), part(1, 14, 15, 16)]
    assert plan_rebalance(found, BROKERS) == {}


partitions = st.lists(
    st.lists(st.sampled_from(range(11, 17)), min_size=1, max_size=4, unique=True), max_size=12
).map(lambda lists: [part(number, *replicas) for number, replicas in enumerate(lists)])
leavers = st.frozensets(st.sampled_from(range(11, 17)), max_size=4)


def zones(replicas: NodeIds) -> int:
    return len({(node_id - 11) % 3 for node_id in replicas})


@given(partitions, leavers)
def test_a_drained_broker_holds_nothing_and_nothing_is_lost(
    found: list[PartitionState], leaving: frozenset[int]
) -> None:
    plan = plan_drain(found, BROKERS, leaving)
    for before in found:
        after = plan.moves.get((before.topic, before.partition), before.replicas)
        if before.topic in plan.impossible:
            assert after == before.replicas
            continue
        assert leaving.isdisjoint(after)
        assert len(set(after)) == len(before.replicas)
        kept = [(a, b) for a, b in zip(after, before.replicas, strict=True) if b not in leaving]
        assert all(a == b for a, b in kept)
    too_wide = any(len(p.replicas) > len(BROKERS) - len(leaving) for p in found)
    needs = any(leaving & set(p.replicas) for p in found)
    assert not plan.impossible or (too_wide and needs)


@given(partitions)
def test_a_rebalance_keeps_copies_and_zones_and_never_widens_the_gap(
    found: list[PartitionState],
) -> None:
    moves = plan_rebalance(found, BROKERS)
    before, after = Counter(range(11, 17)), Counter(range(11, 17))
    for known in found:
        new = moves.get((known.topic, known.partition), known.replicas)
        assert len(set(new)) == len(known.replicas)
        assert zones(new) >= zones(known.replicas)
        before.update(known.replicas)
        after.update(new)
    assert max(after.values()) - min(after.values()) <= max(before.values()) - min(before.values())
