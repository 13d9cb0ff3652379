"""Moving replicas, draining a broker, and taking it off the books."""

import pytest

from inkless_pulumi.core.errors import ClusterError, NotReady
from inkless_pulumi.provider import broker_registration, moving, waiting
from inkless_pulumi.provider.broker_registration import (
    BrokerRegistration,
    BrokerRegistrationInputs,
    BrokerRegistrationOutputs,
)
from inkless_pulumi.provider.declared_services import DeclaredService, DeclaredServices
from inkless_pulumi.provider.kafka.model import BrokerState, Refusal
from inkless_pulumi.provider.node_stop import NodeStop, NodeStopInputs, NodeStopOutputs
from inkless_pulumi.provider.replica_balance import (
    ReplicaBalance,
    ReplicaBalanceInputs,
    ReplicaBalanceOutputs,
)
from inkless_pulumi.provider.resource import OperationCancelled
from inkless_pulumi.provider.rolling_order import RollingOrder
from inkless_pulumi.provider.throttle import RATES
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

STAYING = frozenset({1, 2, 3, 11, 12, 13})


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SECONDS_BETWEEN_LOOKS", 0)
    monkeypatch.setattr(moving, "_FIRST_PAUSE", 0)


@pytest.fixture
def cluster() -> MemoryCluster:
    """Four brokers; the fourth leaves and holds a replica of each of 25 partitions."""
    cluster = MemoryCluster()
    cluster.nodes.state = tuple(
        BrokerState(n, f"10.42.0.{n}:9094", False, f"zone-{(n - 11) % 3}") for n in (11, 12, 13, 14)
    )
    cluster.nodes.placed = {("orders", number): (14, 12, 13) for number in range(25)}
    return cluster


def drain(cluster: MemoryCluster, screen: Screen, patience: float = 60) -> None:
    moving.drain(cluster, 14, STAYING, throttle=None, patience=patience, context=screen.context())


def test_a_drain_moves_a_few_at_a_time_until_nothing_is_left(cluster: MemoryCluster) -> None:
    screen = Screen()
    drain(cluster, screen)
    assert set(cluster.nodes.placed.values()) == {(11, 12, 13)}
    assert [len(asked) for asked in cluster.partitions.asked] == [10, 10, 5]
    assert screen.lines[0] == "node-14 is drained: 25 partitions left, 0 moving"


def test_a_drain_that_was_interrupted_goes_on(cluster: MemoryCluster) -> None:
    screen = Screen()
    screen.cancelled.set()
    with pytest.raises(OperationCancelled):
        drain(cluster, screen)
    drain(cluster, Screen())
    assert [len(asked) for asked in cluster.partitions.asked] == [10, 10, 5]


def test_a_drain_begins_where_another_run_has_begun_moves(cluster: MemoryCluster) -> None:
    cluster.partitions.reassign({("orders", 0): (11, 12, 13)})
    cluster.partitions.asked.clear()
    drain(cluster, Screen())
    assert ("orders", 0) not in {where for asked in cluster.partitions.asked for where in asked}
    assert set(cluster.nodes.placed.values()) == {(11, 12, 13)}


def test_topics_that_can_not_be_drained_are_named_before_anything_moves(
    cluster: MemoryCluster,
) -> None:
    cluster.nodes.placed["wide", 0] = (11, 12, 13, 14)
    with pytest.raises(NotReady, match="node-14 can't leave: wide would have more replicas"):
        drain(cluster, Screen())
    assert cluster.partitions.asked == []


def test_another_broker_that_leaves_too_takes_no_replica(cluster: MemoryCluster) -> None:
    cluster.nodes.state += (BrokerState(15, "10.42.0.15:9094", False, "zone-0"),)
    drain(cluster, Screen())
    assert set(cluster.nodes.placed.values()) == {(11, 12, 13)}


def test_moves_that_stand_still_are_given_up(cluster: MemoryCluster) -> None:
    cluster.partitions.stuck = True
    with pytest.raises(NotReady, match=r"25 partitions left, 0 moving\. No progress for 0 s"):
        drain(cluster, Screen(), patience=0)


def test_a_move_that_kafka_refuses_is_told(cluster: MemoryCluster) -> None:
    cluster.partitions.refused = Refusal("INVALID_REPLICA_ASSIGNMENT", "no such broker")
    with pytest.raises(ClusterError, match=r"orders-0 could not be moved\. Kafka: INVALID"):
        drain(cluster, Screen())


LEAVER = NodeStopInputs(
    service="cluster",
    node_id=14,
    name="node-14",
    roles=["broker"],
    instance_id="i-14",
    connection=CONNECTION,
)


def guard(cluster: MemoryCluster, *declared: int) -> NodeStop:
    nodes = DeclaredServices()
    nodes.declare("cluster", DeclaredService(frozenset(declared)))
    return NodeStop(cluster.open_node, cluster.open, nodes)


def test_the_guard_of_a_broker_that_leaves_drains_it(cluster: MemoryCluster) -> None:
    guard(cluster, *STAYING).delete("node-14", LEAVER, NodeStopOutputs(), Screen().context())
    assert set(cluster.nodes.placed.values()) == {(11, 12, 13)}


def test_a_broker_is_drained_as_fast_as_this_run_declares(cluster: MemoryCluster) -> None:
    nodes = DeclaredServices()
    known = {
        "service": "cluster",
        "controllers": [1, 2, 3],
        "brokers": [11, 12, 13],
        "connection.reassignment_throttle": "1GiB",
    }
    list(RollingOrder(cluster.open_node, nodes).check(known, None))
    guarded = NodeStop(cluster.open_node, cluster.open, nodes)
    guarded.delete("node-14", LEAVER, NodeStopOutputs(), Screen().context())
    assert cluster.settings.alterations[0] == dict.fromkeys(RATES, str(1024**3))


def test_the_guard_of_a_broker_that_is_replaced_does_not_drain_it(cluster: MemoryCluster) -> None:
    guard(cluster, *STAYING, 14).delete("node-14", LEAVER, NodeStopOutputs(), Screen().context())
    assert cluster.partitions.asked == []


BALANCE = ReplicaBalanceInputs(
    service="cluster", brokers=[11, 12, 13], partitions_at_once=3, connection=CONNECTION
)


def test_new_brokers_are_given_their_share_a_few_partitions_at_a_time(
    cluster: MemoryCluster,
) -> None:
    cluster.nodes.placed = {("orders", number): (11, 12, 13) for number in range(8)}
    grown = BALANCE.model_copy(update={"brokers": [11, 12, 13, 14]})
    resource = ReplicaBalance(cluster.open)
    resource.create(BALANCE, Screen().context())
    assert cluster.partitions.asked == [], "three have an even share"
    resource.update("cluster", BALANCE, ReplicaBalanceOutputs(), grown, Screen().context())
    assert [len(asked) for asked in cluster.partitions.asked] == [3, 1]
    assert sorted(cluster.nodes.placed.values()) == [(11, 12, 13)] * 4 + [(14, 12, 13)] * 4


def test_the_same_brokers_move_nothing(cluster: MemoryCluster) -> None:
    nothing = ReplicaBalanceOutputs()
    ReplicaBalance(cluster.open).update("c", BALANCE, nothing, BALANCE, Screen().context())
    assert cluster.opened == []


@pytest.mark.parametrize("number", [0, 501])
def test_moving_nothing_or_too_much_at_once_is_refused(number: int) -> None:
    [problem] = ReplicaBalance().check({"partitions_at_once": number}, None)
    assert problem.path == "partitions_at_once"


def delete_balance(cluster: MemoryCluster, *declared: int) -> None:
    nodes = DeclaredServices()
    if declared:
        nodes.declare("cluster", DeclaredService(frozenset(declared)))
    ReplicaBalance(cluster.open, nodes).delete(
        "cluster", BALANCE, ReplicaBalanceOutputs(), Screen().context()
    )


def test_a_balance_that_is_taken_back_leaves_no_throttle(cluster: MemoryCluster) -> None:
    screen = Screen()
    screen.cancelled.set()
    with pytest.raises(OperationCancelled):
        drain(cluster, screen)
    assert cluster.partitions.throttled()
    delete_balance(cluster, *STAYING, 14)
    assert cluster.partitions.throttled() == {}
    assert not set(RATES) & set(cluster.settings.describe())
    assert [len(asked) for asked in cluster.partitions.asked] == [10], "no more was begun"


def test_a_balance_that_goes_with_its_service_waits_for_nothing(cluster: MemoryCluster) -> None:
    delete_balance(cluster)
    assert cluster.opened == []


REGISTERED = BrokerRegistrationInputs(service="cluster", node_id=14, connection=CONNECTION)


def unregister(cluster: MemoryCluster, *declared: int) -> None:
    nodes = DeclaredServices()
    if declared:
        nodes.declare("cluster", DeclaredService(frozenset(declared)))
    BrokerRegistration(cluster.open, nodes).delete(
        "node-14", REGISTERED, BrokerRegistrationOutputs(), Screen().context()
    )


def test_a_broker_that_has_gone_is_unregistered(cluster: MemoryCluster) -> None:
    cluster.nodes.state = cluster.nodes.state[:3]
    unregister(cluster, *STAYING)
    assert cluster.nodes.unregistered == [14]


def test_a_broker_that_still_serves_is_not_unregistered(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_registration, "_GONE_SECONDS", -1)
    with pytest.raises(NotReady, match="Broker 14 still serves"):
        unregister(cluster, *STAYING)
    assert cluster.nodes.unregistered == []


@pytest.mark.parametrize("declared", [(), (*STAYING, 14)])
def test_a_service_that_goes_as_a_whole_and_a_broker_that_stays_are_left_registered(
    cluster: MemoryCluster, declared: tuple[int, ...]
) -> None:
    unregister(cluster, *declared)
    assert cluster.opened == []
