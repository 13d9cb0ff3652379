"""When a node counts as ready: each rule by an example that breaks it alone, then any cluster."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.provider.kafka.model import (
    BrokerState,
    DisklessWrite,
    PartitionState,
    QuorumState,
    ReplicaState,
)
from inkless_pulumi.provider.readiness import (
    LONGEST_LAG_MS,
    Node,
    Observation,
    Ready,
    Waiting,
    decide,
    only_the_write_is_missing,
    under_replicated,
)

SINCE = 1_000_000
NOW = SINCE + 60_000
BOTH = frozenset({"broker", "controller"})

NODE = Node(2, "node-2", BOTH, "10.0.2.10:9094", {"num.partitions": "6"})
CONTROLLER = Node(2, "node-2", frozenset({"controller"}), "10.0.2.10:9094")
BROKER = Node(12, "node-12", frozenset({"broker"}), "10.0.2.21:9094")


def voter(node_id: int, *, caught_up: int = NOW, log_end: int = 500) -> ReplicaState:
    return ReplicaState(node_id, f"directory-{node_id}", log_end, NOW, caught_up)


def partition(number: int = 0, topic: str = "orders", **changes: object) -> PartitionState:
    healthy = PartitionState(topic, number, 1, (1, 2, 3), (1, 2, 3), ())
    return replace(healthy, **changes)  # type: ignore[arg-type]


HEALTHY = Observation(
    brokers=tuple(BrokerState(n, f"10.0.{n}.10:9094", fenced=False) for n in (1, 2, 3)),
    quorum=QuorumState(1, 500, tuple(voter(n) for n in (1, 2, 3)), ()),
    watched_since=SINCE,
    partitions=(partition(0), partition(1)),
    min_in_sync={},
    diskless=DisklessWrite(True),
)
assert HEALTHY.quorum is not None
QUORUM: QuorumState = HEALTHY.quorum


def with_quorum(**changes: object) -> Observation:
    return replace(HEALTHY, quorum=replace(QUORUM, **changes))  # type: ignore[arg-type]


def with_this_broker(broker: BrokerState) -> Observation:
    return replace(HEALTHY, brokers=(HEALTHY.brokers[0], broker, HEALTHY.brokers[2]))


def test_a_node_that_serves_in_a_healthy_cluster_is_ready() -> None:
    assert decide(HEALTHY, NODE) == Ready()


def test_a_cluster_without_topics_is_healthy() -> None:
    assert decide(replace(HEALTHY, partitions=()), NODE) == Ready()


BROKEN: dict[str, tuple[Observation, str]] = {
    "its listener is silent": (
        replace(HEALTHY, own_listener="connection refused"),
        "node-2 does not answer at 10.0.2.10:9094: connection refused",
    ),
    "the cluster can't be looked at": (
        replace(HEALTHY, cluster="the brokers' answers timed out"),
        "the brokers' answers timed out",
    ),
    "it is not registered": (
        replace(HEALTHY, brokers=(HEALTHY.brokers[0], HEALTHY.brokers[2])),
        "node-2 is not registered",
    ),
    "it is fenced": (
        with_this_broker(BrokerState(2, "10.0.2.10:9094", fenced=True)),
        "node-2 is registered, but fenced",
    ),
    "another machine has its id": (
        with_this_broker(BrokerState(2, "10.0.9.9:9094", fenced=False)),
        "node 2 is registered at 10.0.9.9:9094",
    ),
    "it runs with another configuration": (
        replace(HEALTHY, configuration={"num.partitions": "3"}),
        "node-2 runs with num.partitions=3, and should with 6",
    ),
    "another node of both roles votes, but is no broker yet": (
        replace(HEALTHY, brokers=HEALTHY.brokers[:2]),
        "node 3 votes, but is not registered as a broker",
    ),
    "another node of both roles is fenced": (
        replace(
            HEALTHY,
            brokers=(*HEALTHY.brokers[:2], BrokerState(3, "10.0.3.10:9094", fenced=True)),
        ),
        "node 3 votes, but is not registered as a broker",
    ),
    "there is no active controller": (
        replace(HEALTHY, quorum=None),
        "the metadata quorum has no active controller",
    ),
    "its directory is new and has no vote yet": (
        with_quorum(voters=(voter(1), voter(3)), observers=(voter(2),)),
        "node-2 is no voter",
    ),
    "it was last seen before it was restarted": (
        with_quorum(voters=(voter(1), voter(2, caught_up=SINCE - 1), voter(3))),
        "node 2 has not caught up with the active controller (node 1) since the waiting began",
    ),
    "another voter hangs": (
        with_quorum(
            voters=(voter(1), voter(2), voter(3, caught_up=NOW - LONGEST_LAG_MS - 1, log_end=480))
        ),
        "node 3 was last level with the active controller (node 1) 5 s ago; it is 20 records",
    ),
    "a lost directory still counts as a voter": (
        with_quorum(voters=(voter(1), voter(2), voter(2, caught_up=SINCE - 9), voter(3))),
        "node 2 has not caught up",
    ),
    "a partition of its own is not in sync": (
        replace(HEALTHY, partitions=(partition(0, in_sync=(1, 3)),), min_in_sync={"orders": 2}),
        "1 partition not in sync yet on node-2 (orders-0)",
    ),
    "a partition elsewhere has no leader": (
        replace(HEALTHY, partitions=(partition(0, replicas=(3,), in_sync=(3,), leader=None),)),
        "1 partition without a leader (orders-0)",
    ),
    "a replica elsewhere is offline": (
        replace(HEALTHY, partitions=(partition(7, offline=(3,)),)),
        "1 partition with a replica on a node that is down (orders-7)",
    ),
    "a partition elsewhere is below its minimum": (
        replace(
            HEALTHY,
            partitions=(partition(0, replicas=(1, 3, 4), in_sync=(1,)),),
            min_in_sync={"orders": 2},
        ),
        "1 partition below min.insync.replicas (orders-0)",
    ),
    "a record to a diskless topic is refused": (
        replace(HEALTHY, diskless=DisklessWrite(False, "KAFKA_STORAGE_ERROR")),
        "node-2 takes no record for a diskless topic: KAFKA_STORAGE_ERROR",
    ),
    "no record was written to a diskless topic yet": (
        replace(HEALTHY, diskless=None),
        "no record was written to a diskless topic through node-2 yet",
    ),
    "a diskless topic has no leader": (
        replace(HEALTHY, partitions=(partition(3, "events", replicas=(1,), leader=None),)),
        "1 partition without a leader (events-3)",
    ),
}


@pytest.mark.parametrize(("seen", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_node_is_waited_for_while(seen: Observation, reason: str) -> None:
    verdict = decide(seen, NODE)
    assert isinstance(verdict, Waiting)
    assert len(verdict.reasons) == 1, "each example breaks one rule and no other"
    assert reason in verdict.reasons[0]


def test_nothing_else_is_asked_while_the_node_is_silent() -> None:
    seen = Observation(own_listener="no answer", quorum=None)
    verdict = decide(seen, NODE)
    assert isinstance(verdict, Waiting)
    assert len(verdict.reasons) == 1


def test_a_follower_within_its_minimum_elsewhere_does_not_hold_up_the_roll() -> None:
    partitions = (partition(0, replicas=(1, 3, 4), in_sync=(1, 3)),)
    seen = replace(HEALTHY, partitions=partitions, min_in_sync={"orders": 2})
    assert decide(seen, NODE) == Ready()


def test_a_topic_whose_minimum_exceeds_its_replicas_does_not_hold_up_the_roll() -> None:
    single = (partition(0, replicas=(1,), in_sync=(1,)),)
    assert decide(replace(HEALTHY, partitions=single, min_in_sync={"orders": 2}), NODE) == Ready()


def test_a_dedicated_controller_is_neither_asked_itself_nor_registered_as_a_broker() -> None:
    seen = replace(HEALTHY, own_listener="nothing listens there", brokers=())
    assert decide(seen, CONTROLLER) == Ready()


def test_a_dedicated_controller_is_waited_for_while_it_lags() -> None:
    voters = (voter(1), voter(2, caught_up=SINCE - 1), voter(3))
    verdict = decide(with_quorum(voters=voters), CONTROLLER)
    assert isinstance(verdict, Waiting)


def test_a_cluster_without_diskless_topics_is_not_held_up_for_them() -> None:
    assert decide(replace(HEALTHY, diskless=DisklessWrite(None)), NODE) == Ready()


def test_a_dedicated_controller_takes_no_records() -> None:
    for write in (None, DisklessWrite(False, "it is a controller")):
        assert decide(replace(HEALTHY, diskless=write), CONTROLLER) == Ready()


def test_a_record_is_worth_writing_once_all_else_holds() -> None:
    untried = replace(HEALTHY, diskless=None)
    assert only_the_write_is_missing(untried, NODE)
    assert not only_the_write_is_missing(HEALTHY, NODE), "it was written"
    assert not only_the_write_is_missing(replace(untried, brokers=()), NODE)


def with_broker(*observers: ReplicaState) -> Observation:
    brokers = (*HEALTHY.brokers, BrokerState(12, BROKER.address, fenced=False))
    return replace(with_quorum(observers=observers), brokers=brokers)


def test_a_dedicated_broker_follows_the_metadata_as_an_observer() -> None:
    assert decide(with_broker(voter(12)), BROKER) == Ready()


def test_a_dedicated_broker_is_waited_for_while_it_does_not_follow_the_metadata() -> None:
    verdict = decide(with_broker(voter(11)), BROKER)
    assert isinstance(verdict, Waiting)
    assert verdict.reasons == ("node-12 is no observer of the metadata quorum",)


def test_a_dedicated_broker_is_waited_for_while_its_metadata_is_old() -> None:
    verdict = decide(with_broker(voter(12, caught_up=SINCE - 1)), BROKER)
    assert isinstance(verdict, Waiting)
    assert "node 12 has not caught up" in verdict.reasons[0]


def test_the_directory_that_a_broker_lost_does_not_hold_it_up() -> None:
    lost = ReplicaState(12, "lost", 3, SINCE - 9, SINCE - 9)
    assert decide(with_broker(lost, voter(12)), BROKER) == Ready()


def test_other_observers_do_not_hold_up_a_node() -> None:
    assert decide(with_broker(voter(12), voter(13, caught_up=0)), BROKER) == Ready()


def test_long_lists_of_partitions_are_cut() -> None:
    partitions = tuple(partition(n, in_sync=(1, 3)) for n in range(40))
    verdict = decide(replace(HEALTHY, partitions=partitions, min_in_sync={"orders": 1}), NODE)
    assert verdict == Waiting(
        ("40 partitions not in sync yet on node-2 (orders-0, orders-1, orders-10, …)",)
    )


# Any cluster.

NODES = (1, 2, 3, 4)
times = st.sampled_from([SINCE - 1, SINCE, NOW - LONGEST_LAG_MS - 1, NOW - LONGEST_LAG_MS, NOW])


@st.composite
def partitions(draw: st.DrawFn) -> PartitionState:
    replicas = draw(st.lists(st.sampled_from(NODES), min_size=1, max_size=4, unique=True))
    in_sync = draw(st.lists(st.sampled_from(replicas), unique=True))
    offline = draw(st.lists(st.sampled_from(replicas), max_size=1))
    leader = draw(st.sampled_from([*in_sync, None]))
    topic = draw(st.sampled_from(["orders", "events"]))
    return PartitionState(topic, 0, leader, tuple(replicas), tuple(in_sync), tuple(offline))


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    voters = draw(st.lists(st.sampled_from(NODES), min_size=1, unique=True))
    states = [voter(1), *(voter(n, caught_up=draw(times)) for n in voters if n != 1)]
    brokers = draw(st.lists(st.sampled_from(NODES), unique=True))
    found = draw(st.lists(partitions(), max_size=4))
    short = {part.topic for part in under_replicated(found)}
    return Observation(
        own_listener=draw(st.sampled_from([None, None, None, "silence"])),
        diskless=draw(st.sampled_from([None, *map(DisklessWrite, (True, False, None))])),
        brokers=tuple(BrokerState(n, f"10.0.{n}.10:9094", draw(st.booleans())) for n in brokers),
        quorum=draw(st.sampled_from([QuorumState(1, 500, tuple(states), ()), None])),
        watched_since=SINCE,
        partitions=tuple(found),
        min_in_sync={topic: draw(st.integers(1, 3)) for topic in short},
    )


@given(observations())
def test_a_ready_node_is_seen_in_full_health(seen: Observation) -> None:
    if decide(seen, NODE) != Ready():
        return
    assert seen.own_listener is None
    assert seen.diskless in (DisklessWrite(True), DisklessWrite(None))
    assert [b.fenced for b in seen.brokers if b.node_id == NODE.node_id] == [False]
    assert seen.quorum is not None
    assert NODE.node_id in {v.node_id for v in seen.quorum.voters}
    assert all(v.last_caught_up >= SINCE for v in seen.quorum.voters)
    assert all(v.last_caught_up >= NOW - LONGEST_LAG_MS for v in seen.quorum.voters)
    for part in seen.partitions:
        assert part.leader is not None
        assert not part.offline
        assert NODE.node_id in part.in_sync or NODE.node_id not in part.replicas
        whole = len(part.in_sync) == len(part.replicas)
        assert whole or len(part.in_sync) >= seen.min_in_sync[part.topic]


Harm = Callable[[Observation], Observation]
HARMS: list[Harm] = [
    lambda seen: replace(seen, own_listener="silence"),
    lambda seen: replace(seen, brokers=()),
    lambda seen: replace(seen, quorum=None),
    lambda seen: replace(seen, diskless=None),
    lambda seen: replace(seen, diskless=DisklessWrite(False)),
    lambda seen: replace(seen, partitions=(*seen.partitions, partition(9, leader=None))),
    lambda seen: replace(seen, partitions=(*seen.partitions, partition(9, in_sync=(1, 3)))),
    lambda seen: replace(seen, partitions=(*seen.partitions, partition(9, offline=(3,)))),
]


@given(st.lists(partitions().filter(lambda p: len(p.in_sync) == len(p.replicas))), st.data())
def test_one_harm_is_enough_to_wait(found: list[PartitionState], data: st.DataObject) -> None:
    whole = [replace(part, leader=part.replicas[0], offline=()) for part in found]
    seen = replace(HEALTHY, partitions=tuple(whole))
    assert decide(seen, NODE) == Ready()
    harm = data.draw(st.sampled_from(HARMS))
    assert isinstance(decide(harm(seen), NODE), Waiting)
