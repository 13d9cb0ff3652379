"""The gate: when it waits, what it tells, and how it gives up."""

import pytest

from inkless_pulumi.core.errors import SecretStoreError
from inkless_pulumi.provider import node_ready as module
from inkless_pulumi.provider import waiting
from inkless_pulumi.provider.declared_services import DeclaredServices
from inkless_pulumi.provider.kafka.model import (
    BrokerState,
    DisklessWrite,
    Finding,
    QuorumState,
    ReplicaState,
    Unreachable,
)
from inkless_pulumi.provider.node_log import NodeLogInputs
from inkless_pulumi.provider.node_ready import (
    NodeReady,
    NodeReadyInputs,
    NodeReadyOutputs,
)
from inkless_pulumi.provider.resource import Incomplete, OperationCancelled
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

NODE_1 = NodeReadyInputs(
    node_id=1,
    name="node-1",
    roles=["broker", "controller"],
    address="10.42.0.10",
    instance_id="i-1",
    image="registry/inkless@sha256:1234",
    connection=CONNECTION,
)
NONE = NodeReadyOutputs()
SHORT = 0.01


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SECONDS_BETWEEN_LOOKS", 0)


@pytest.fixture
def gate(cluster: MemoryCluster) -> NodeReady:
    return NodeReady(cluster.open_node)


def test_a_gate_opens_when_the_node_is_ready(gate: NodeReady, screen: Screen) -> None:
    assert gate.create(NODE_1, screen.context()).id == "node-1"
    assert screen.lines == ["node-1 is ready"]


def test_a_broker_is_looked_at_through_its_own_listener_alone(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    elsewhere = CONNECTION.model_copy(update={"bootstrap_servers": "10.42.9.9:9094"})
    gate.create(NODE_1.model_copy(update={"connection": elsewhere}), screen.context())
    assert cluster.opened == ["10.42.0.10:9094"]


def test_a_dedicated_controller_is_looked_at_through_the_brokers(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    controller = NODE_1.model_copy(update={"roles": ["controller"], "address": "10.42.9.9"})
    gate.create(controller, screen.context())
    assert cluster.opened == ["10.42.0.10:9094"]


def test_a_gate_that_does_not_wait_at_creation_touches_nothing(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    gate.create(NODE_1.model_copy(update={"wait_at_creation": False}), screen.context())
    assert cluster.opened == []


def test_an_update_waits_whatever_was_said_of_creation(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    lazy = NODE_1.model_copy(update={"wait_at_creation": False})
    gate.update("node-1", lazy, NONE, lazy, screen.context())
    assert cluster.opened != []


def test_what_is_missing_is_told_and_then_the_reason_for_giving_up(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.nodes.in_sync = ()
    with pytest.raises(Incomplete, match="not in sync yet on node-1") as given_up:
        gate.create(NODE_1, screen.context(timeout=SHORT))
    assert given_up.value.id == "node-1"
    assert "The nodes after it were not touched" in str(given_up.value)
    assert screen.lines[0].startswith("waiting for node-1 (0 s): 1 partition not in sync")


def test_an_update_that_gives_up_is_recorded_so_that_the_next_run_waits_again(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.nodes.active = None
    with pytest.raises(Incomplete, match="no active controller"):
        gate.update("node-1", NODE_1, NONE, NODE_1, screen.context(timeout=SHORT))


def test_a_fenced_node_is_waited_for(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.nodes.state = (BrokerState(1, "10.42.0.10:9094", fenced=True),)
    with pytest.raises(Incomplete, match="fenced"):
        gate.create(NODE_1, screen.context(timeout=SHORT))


def test_a_silent_listener_is_waited_for_with_the_cause(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(ask: int | None = None) -> tuple[BrokerState, ...]:
        finding = Finding("10.42.0.10:9094", "network", "connection refused")
        raise Unreachable("can't be reached", [finding])

    monkeypatch.setattr(cluster.nodes, "brokers", silent)
    with pytest.raises(Incomplete, match=r"at 10.42.0.10:9094: connection refused \[network\]"):
        gate.create(NODE_1, screen.context(timeout=SHORT))


def test_what_waiting_can_not_mend_ends_the_wait(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(ask: int | None = None) -> tuple[BrokerState, ...]:
        raise SecretStoreError("the secret admin can't be read")

    monkeypatch.setattr(cluster.nodes, "brokers", locked)
    with pytest.raises(SecretStoreError):
        gate.create(NODE_1, screen.context())


def test_a_wait_ends_when_the_user_interrupts(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.nodes.in_sync = ()
    screen.cancelled.set()
    with pytest.raises(OperationCancelled):
        gate.create(NODE_1, screen.context())


def test_a_node_is_waited_for_until_diskless_topics_take_a_record_through_it(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.diskless.topics = {"orders"}
    cluster.diskless.answers = [DisklessWrite(False, "KAFKA_STORAGE_ERROR: no bucket")]
    gate.create(NODE_1, screen.context())
    assert cluster.diskless.asked == [1, 1]
    assert "takes no record for a diskless topic: KAFKA_STORAGE_ERROR: no" in screen.lines[1]
    assert screen.lines[-1] == "node-1 is ready"


def test_no_record_is_written_without_a_diskless_topic_or_before_all_else_holds(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    gate.create(NODE_1, screen.context())
    cluster.diskless.topics = {"orders"}
    gate.create(NODE_1.model_copy(update={"roles": ["controller"]}), screen.context())
    cluster.nodes.in_sync = ()
    with pytest.raises(Incomplete):
        gate.create(NODE_1, screen.context(timeout=SHORT))
    assert cluster.diskless.asked == []


def test_a_cluster_that_has_no_diskless_topics_to_write_to_is_told_and_not_waited_for(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.diskless.topics = {"orders"}
    cluster.diskless.answers = [DisklessWrite(None, "POLICY_VIOLATION: no such names")]
    gate.create(NODE_1, screen.context())
    assert screen.warnings == [
        "node-1 was not tried with a record: POLICY_VIOLATION: no such names"
    ]


def quorum(leader: int, now: int, *, follower_caught_up: int) -> QuorumState:
    follower = 3 - leader
    voters = (
        ReplicaState(leader, "directory", 9, now, now),
        ReplicaState(follower, "directory", 9, now, follower_caught_up),
    )
    return QuorumState(leader, 9, voters, ())


def test_a_new_active_controller_has_another_clock(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter(
        [
            quorum(1, 90_000, follower_caught_up=89_900),
            quorum(2, 5_000, follower_caught_up=4_900),
            quorum(2, 6_000, follower_caught_up=5_900),
        ]
    )
    monkeypatch.setattr(cluster.nodes, "quorum", lambda: next(seen))
    cluster.nodes.state += (BrokerState(2, "10.42.1.10:9094", fenced=False),)
    gate.create(NODE_1, screen.context())
    assert screen.lines[-1] == "node-1 is ready"
    assert list(seen) == [], "it was ready before the new controller's clock had gone on"


def test_of_several_nodes_that_were_found_down_the_last_is_waited_for(
    cluster: MemoryCluster, screen: Screen
) -> None:
    declared = DeclaredServices()
    gate = NodeReady(cluster.open_node, declared)
    node = NODE_1.model_copy(update={"service": "cluster"})
    declared.find_down("cluster", [1, 2, 3])
    gate.update("node-1", node, NONE, node, screen.context())
    assert cluster.opened == [], "one of three may be no quorum"
    for down in ([2, 1], [1], []):
        cluster.opened.clear()
        declared.find_down("cluster", down)
        gate.update("node-1", node, NONE, node, screen.context())
        assert cluster.opened != [], down


def test_a_gate_that_is_deleted_touches_nothing(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    gate.delete("node-1", NODE_1, NONE, screen.context())
    assert cluster.opened == []


def test_no_change_of_a_node_replaces_its_gate() -> None:
    assert frozenset() == NodeReady.replace_on


@pytest.mark.parametrize(
    ("change", "path"),
    [({"roles": []}, "roles"), ({"timeout_seconds": 0}, "timeout_seconds")],
)
def test_a_wait_that_makes_no_sense_is_refused(
    gate: NodeReady, change: dict[str, object], path: str
) -> None:
    [problem] = gate.check({**dict(NODE_1), **change}, None)
    assert problem.path == path


def test_the_configuration_that_the_node_tells_is_looked_at(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen
) -> None:
    wanted = NODE_1.model_copy(update={"configuration": {"num.partitions": "6"}})
    gate.create(wanted, screen.context())
    cluster.settings.files["num.partitions"] = "3"
    with pytest.raises(Incomplete, match=r"num\.partitions=3, and should with 6"):
        gate.create(wanted, screen.context(timeout=SHORT))


def test_the_end_of_the_log_of_a_node_that_does_not_start_is_told(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = NodeLogInputs(region="eu-central-1", group="kafka-logs", stream="node-1")
    told = {log: "The end of its log:\n  OutOfMemoryError"}
    monkeypatch.setattr(module, "end_of_log", told.__getitem__)
    cluster.nodes.active = None
    with pytest.raises(Incomplete, match=r"no active controller(.|\n)*\n  OutOfMemoryError"):
        gate.create(NODE_1.model_copy(update={"log": log}), screen.context(timeout=SHORT))


def test_the_last_line_of_the_log_of_a_node_that_takes_long_is_told_while_it_is_waited_for(
    gate: NodeReady, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = NodeLogInputs(region="eu-central-1", group="kafka-logs", stream="node-1")
    monkeypatch.setattr(module, "_LOG_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(module, "last_line", lambda *_, since: "OutOfMemoryError" if since else "")
    monkeypatch.setattr(module, "end_of_log", lambda _: "")
    cluster.nodes.active = None
    with pytest.raises(Incomplete):
        gate.create(NODE_1.model_copy(update={"log": log}), screen.context(timeout=SHORT))
    assert screen.lines[0].endswith("no active controller; its log: OutOfMemoryError")
