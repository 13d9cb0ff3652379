"""Where replicas go when a topic's replication factor changes."""

from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.replica_placement import Replicas, placed

ZONES = {1: "a", 2: "b", 3: "c", 4: "a", 5: "b", 6: "c"}


def test_new_replicas_go_to_other_zones_and_to_the_brokers_with_the_fewest() -> None:
    alone = {index: Replicas((1,), (1,)) for index in range(4)}
    assert placed(alone, 3, ZONES) == {0: (1, 2, 3), 1: (1, 5, 6), 2: (1, 2, 3), 3: (1, 5, 6)}


def test_a_replica_that_is_behind_goes_first() -> None:
    assert placed({0: Replicas((1, 2, 3), (2, 3))}, 2, ZONES) == {0: (2, 3)}


def test_of_two_in_one_zone_one_goes() -> None:
    assert placed({0: Replicas((1, 4, 2), (1, 4, 2))}, 2, ZONES) == {0: (1, 2)}


@given(
    st.lists(st.permutations(list(ZONES)).map(tuple), min_size=1, max_size=6),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_replicas_that_can_stay_do_and_zones_are_spread(
    orders: list[tuple[int, ...]], before: int, factor: int
) -> None:
    present = {
        index: Replicas(nodes[:before], nodes[:before]) for index, nodes in enumerate(orders)
    }
    for index, nodes in placed(present, factor, ZONES).items():
        assert len(nodes) == len(set(nodes)) == factor
        assert set(nodes) <= set(present[index].nodes) or set(present[index].nodes) <= set(nodes)
        zones_before = {ZONES[node] for node in present[index].nodes}
        zones = {ZONES[node] for node in nodes}
        assert len(zones) >= min(factor, len(zones_before))
