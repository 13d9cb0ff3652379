"""The guard: when it waits, what it tells, and when it has nothing to say."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from inkless_pulumi.core.errors import NotReady
from inkless_pulumi.provider import node_stop as module
from inkless_pulumi.provider import waiting
from inkless_pulumi.provider.cluster_view import ClusterView
from inkless_pulumi.provider.declared_services import DeclaredService, DeclaredServices
from inkless_pulumi.provider.feature_level import (
    FeatureLevel,
    FeatureLevelInputs,
    FeatureLevelOutputs,
)
from inkless_pulumi.provider.kafka.model import Finding, PartitionState, Unreachable
from inkless_pulumi.provider.node_stop import (
    NodeStop,
    NodeStopInputs,
    NodeStopOutputs,
)
from tests.unit.provider.cluster_views import HEALTHY, partition
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

NODE_1 = NodeStopInputs(
    service="cluster",
    node_id=1,
    name="node-1",
    roles=["broker"],
    instance_id="i-1",
    connection=CONNECTION,
)
NONE = NodeStopOutputs()
ILL = replace(HEALTHY, partitions=(partition(in_sync=(1, 2)),))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SECONDS_BETWEEN_LOOKS", 0)


@pytest.fixture
def declared() -> DeclaredServices:
    nodes = DeclaredServices()
    nodes.declare("cluster", DeclaredService(frozenset([1, 2, 3])))
    return nodes


@pytest.fixture
def guard(cluster: MemoryCluster, declared: DeclaredServices) -> NodeStop:
    return NodeStop(cluster.open_node, cluster.open, declared)


def spare(cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partition has replicas elsewhere as well."""
    whole = PartitionState("orders", 0, 1, (1, 2), (1, 2), ())
    monkeypatch.setattr(cluster.nodes, "partitions", lambda _ask=None: (whole,))


def test_a_node_may_stop_when_nothing_is_missed(
    guard: NodeStop, cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare(cluster, monkeypatch)
    screen = Screen()
    guard.delete("node-1", NODE_1, NONE, screen.context())
    assert cluster.opened == [CONNECTION.bootstrap_servers]
    assert screen.warnings == []


def test_topics_without_a_replica_to_spare_are_named(guard: NodeStop) -> None:
    with pytest.raises(NotReady, match="node-1 was not stopped: orders would be unavailable"):
        guard.delete("node-1", NODE_1, NONE, Screen().context())


def test_what_is_accepted_is_told(guard: NodeStop, declared: DeclaredServices) -> None:
    screen = Screen()
    declared.declare("cluster", DeclaredService(frozenset([1, 2, 3]), on_shortage="accept"))
    guard.delete("node-1", NODE_1, NONE, screen.context())
    assert screen.warnings == ["Unavailable until node-1 is back, as was accepted: orders"]


def test_a_service_that_goes_as_a_whole_is_not_waited_for(cluster: MemoryCluster) -> None:
    NodeStop(cluster.open_node, cluster.open, DeclaredServices()).delete(
        "node-1", NODE_1, NONE, Screen().context()
    )
    assert cluster.opened == []


def test_so_is_one_that_was_taken_out_of_a_program(cluster: MemoryCluster) -> None:
    undeclared = DeclaredServices()
    undeclared.begin_program()
    level = FeatureLevelInputs(service="cluster", version="4.2.1-0.47", connection=CONNECTION)
    FeatureLevel(cluster.open, undeclared).delete(
        "cluster", level, FeatureLevelOutputs(metadata_version=29), Screen().context()
    )
    NodeStop(cluster.open_node, cluster.open, undeclared).delete(
        "node-1", NODE_1, NONE, Screen().context()
    )
    assert cluster.opened == []


def test_a_program_of_which_only_single_resources_are_updated_stops_no_node(
    cluster: MemoryCluster,
) -> None:
    undeclared = DeclaredServices()
    undeclared.begin_program()
    guard = NodeStop(cluster.open_node, cluster.open, undeclared)
    with pytest.raises(NotReady, match=r"node-1 was not stopped: .*name the RollingOrder as well"):
        guard.delete("node-1", NODE_1, NONE, Screen().context())


def unreachable(cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch, *, vacant: bool) -> None:
    def silent(_ask: int | None = None) -> tuple[()]:
        finding = Finding("10.42.0.10:9094", "network", "no answer", vacant=vacant)
        raise Unreachable("The cluster can't be reached", [finding])

    monkeypatch.setattr(cluster.nodes, "brokers", silent)


def test_where_no_broker_runs_any_node_may_stop(
    guard: NodeStop, cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable(cluster, monkeypatch, vacant=True)
    guard.delete("node-1", NODE_1, NONE, Screen().context())


def test_a_cluster_that_can_not_be_seen_may_serve_and_is_left_alone(
    guard: NodeStop, cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable(cluster, monkeypatch, vacant=False)
    with pytest.raises(NotReady, match="The cluster can't be reached"):
        guard.delete("node-1", NODE_1, NONE, Screen().context(timeout=0.01))


def test_a_broker_that_leaves_waits_for_brokers_that_start_and_could_take_its_replicas(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The machines were killed in mid-scaling; the next run met them booting, and failed after 30 s.
    declared = DeclaredServices()
    declared.declare("cluster", DeclaredService(frozenset([2, 3])))
    guard = NodeStop(cluster.open_node, cluster.open, declared)
    unreachable(cluster, monkeypatch, vacant=True)
    screen = Screen()
    with pytest.raises(NotReady, match="no broker runs that could take over its replicas"):
        guard.delete("node-1", NODE_1, NONE, screen.context(timeout=0.01))
    assert "node-1 must not stop yet (0 s): no broker runs" in screen.lines[0]


def test_a_recovering_cluster_is_waited_for(
    guard: NodeStop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Iterator[ClusterView] = iter([ILL, ILL, HEALTHY])
    monkeypatch.setattr(module, "look_at", lambda _: next(seen))
    screen = Screen()
    guard.delete("node-1", NODE_1, NONE, screen.context())
    told = "1 partition would fall below min.insync.replicas without node-1 (orders-0)"
    assert [line.partition(": ")[2] for line in screen.lines] == [told]


def test_another_machine_replaces_the_guard_before_it_replaces_the_machine() -> None:
    assert NodeStop.replace_on == {"instance_id"}
    assert NodeStop.delete_before_replace
