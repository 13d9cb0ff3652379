"""When a node may be stopped: each rule by an example that breaks it alone, then any cluster."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.provider.availability import MayStop, MustNot, Shortage, may_stop
from inkless_pulumi.provider.cluster_view import ClusterView, level_voters, serves
from inkless_pulumi.provider.kafka.model import PartitionState
from inkless_pulumi.provider.readiness import LONGEST_LAG_MS, Node, Waiting
from tests.unit.provider.cluster_views import (
    HEALTHY,
    NOW,
    brokers,
    node,
    partition,
    quorum,
    views,
    voter,
)

NODE = node(2)


def with_partition(minimum: int = 2, **changes: Any) -> ClusterView:
    return replace(HEALTHY, partitions=(partition(**changes),), min_in_sync={"orders": minimum})


def test_any_node_of_a_healthy_cluster_may_stop() -> None:
    for node_id in (1, 2, 3):
        assert may_stop(HEALTHY, node(node_id), "refuse") == MayStop()


WAITS: dict[str, tuple[ClusterView, str]] = {
    "there is no active controller": (
        replace(HEALTHY, quorum=None),
        "the metadata quorum has no active controller",
    ),
    "another voter is behind": (
        replace(
            HEALTHY,
            quorum=quorum(voter(1), voter(2), voter(3, caught_up=NOW - LONGEST_LAG_MS - 1)),
        ),
        "without node-2 only 1 of 3 voters would be level",
    ),
    "a lost directory counts as a fourth voter": (
        replace(HEALTHY, quorum=quorum(voter(1), voter(2), voter(3), voter(3, caught_up=0))),
        "without node-2 only 2 of 4 voters would be level",
    ),
    "a partition of its own has just its minimum, and a replica that is coming": (
        with_partition(in_sync=(1, 2)),
        "1 partition would fall below min.insync.replicas without node-2 (orders-0)",
    ),
    "it alone is in sync, whatever the minimum": (
        with_partition(1, in_sync=(2,)),
        "1 partition would fall below min.insync.replicas without node-2 (orders-0)",
    ),
    "a partition elsewhere is below its minimum": (
        with_partition(replicas=(1, 3, 4), in_sync=(1,)),
        "1 partition below min.insync.replicas (orders-0)",
    ),
}


@pytest.mark.parametrize(("seen", "reason"), WAITS.values(), ids=WAITS.keys())
@pytest.mark.parametrize("shortage", ["refuse", "wait", "accept"])
def test_a_node_is_not_stopped_while(seen: ClusterView, reason: str, shortage: Shortage) -> None:
    verdict = may_stop(seen, NODE, shortage)
    assert isinstance(verdict, Waiting)
    assert len(verdict.reasons) == 1, "each example breaks one rule and no other"
    assert reason in verdict.reasons[0]


WITHOUT_SPARE = {
    "one replica": with_partition(1, replicas=(2,), in_sync=(2,)),
    "as many replicas as its minimum": with_partition(2, replicas=(1, 2), in_sync=(1, 2)),
    "fewer replicas than its minimum": with_partition(3, replicas=(1, 2), in_sync=(1, 2)),
}


@pytest.mark.parametrize("seen", WITHOUT_SPARE.values(), ids=WITHOUT_SPARE.keys())
def test_a_topic_without_a_replica_to_spare_is_refused_waited_for_or_accepted(
    seen: ClusterView,
) -> None:
    assert may_stop(seen, NODE, "refuse") == MustNot(("orders",))
    waiting = may_stop(seen, NODE, "wait")
    assert isinstance(waiting, Waiting)
    assert waiting.reasons[0].startswith("orders would be unavailable without node-2")
    assert may_stop(seen, NODE, "accept") == MayStop(("orders",))


def test_a_topic_without_a_replica_to_spare_does_not_concern_the_other_nodes() -> None:
    assert may_stop(WITHOUT_SPARE["one replica"], node(3), "refuse") == MayStop()


def test_a_diskless_topic_concerns_no_node() -> None:
    assert may_stop(with_partition(0, replicas=(2,), in_sync=(2,)), NODE, "refuse") == MayStop()


def test_a_replica_to_spare_beyond_the_minimum_is_enough() -> None:
    assert may_stop(with_partition(1, in_sync=(1, 2)), NODE, "refuse") == MayStop()


NOT_SERVING = {
    "fenced, and its vote is old": (
        replace(
            HEALTHY,
            brokers=brokers(1, 2, 3, fenced=2),
            quorum=quorum(voter(1), voter(2, caught_up=0), voter(3)),
        ),
        NODE,
    ),
    "not registered, and no voter": (
        replace(HEALTHY, brokers=brokers(1, 3), quorum=quorum(voter(1), voter(3))),
        NODE,
    ),
    "a broker that is not registered": (
        replace(HEALTHY, brokers=brokers(1, 3)),
        node(2, "broker"),
    ),
    "a controller whose vote is old": (
        replace(HEALTHY, quorum=quorum(voter(1), voter(2, caught_up=0), voter(3))),
        node(2, "controller"),
    ),
}


@pytest.mark.parametrize(("seen", "stopped"), NOT_SERVING.values(), ids=NOT_SERVING.keys())
def test_a_node_that_does_not_serve_may_always_stop(seen: ClusterView, stopped: Node) -> None:
    ill = partition(7, in_sync=(1,))
    assert may_stop(replace(seen, partitions=(ill,)), stopped, "refuse") == MayStop()


def test_a_broker_of_its_own_is_no_voter_less() -> None:
    two = quorum(voter(1), voter(2), voter(3, caught_up=0))
    seen = replace(HEALTHY, brokers=brokers(1, 2, 3, 4), quorum=two)
    assert may_stop(seen, node(4, "broker"), "refuse") == MayStop()


def test_a_fenced_broker_whose_vote_is_cast_still_counts_in_the_quorum() -> None:
    seen = replace(
        HEALTHY,
        brokers=brokers(1, 2, 3, fenced=2),
        quorum=quorum(voter(1), voter(2), voter(3, caught_up=0)),
    )
    assert isinstance(may_stop(seen, NODE, "refuse"), Waiting)


# Any cluster.

stopping = st.builds(
    node,
    st.sampled_from([1, 2, 3, 4]),
    st.sampled_from(["broker", "controller"]),
    st.sampled_from(["broker", "controller"]),
)


def minimum(part: PartitionState, seen: ClusterView) -> int:
    return min(seen.min_in_sync[part.topic], len(part.replicas))


@given(views(), stopping, st.sampled_from(["refuse", "wait", "accept"]))
def test_no_allowed_stop_takes_anything_below_its_minimum(
    seen: ClusterView, stopped: Node, shortage: Shortage
) -> None:
    verdict = may_stop(seen, stopped, shortage)
    if not isinstance(verdict, MayStop) or not serves(seen, stopped):
        return
    assert shortage == "accept" or verdict.unavailable == ()
    for part in seen.partitions:
        if seen.min_in_sync[part.topic] == 0 or part.topic in verdict.unavailable:
            continue
        left = set(part.in_sync) - {stopped.node_id}
        assert len(part.in_sync) >= minimum(part, seen), "ill, and made to do with less"
        if stopped.node_id in part.in_sync:
            assert len(left) >= max(1, seen.min_in_sync[part.topic])
    assert seen.quorum is not None
    if "controller" in stopped.roles:
        left_voting = level_voters(seen.quorum) - {stopped.node_id}
        assert len(left_voting) > len(seen.quorum.voters) / 2


@given(views(), stopping)
def test_accepting_a_shortage_never_accepts_a_partition_that_is_recovering(
    seen: ClusterView, stopped: Node
) -> None:
    verdict = may_stop(seen, stopped, "accept")
    if isinstance(verdict, MayStop) and serves(seen, stopped):
        for part in seen.partitions:
            if part.topic in verdict.unavailable and stopped.node_id in part.in_sync:
                whole = len(part.in_sync) == len(part.replicas)
                spare = len(part.in_sync) > max(1, seen.min_in_sync[part.topic])
                assert whole or spare
