"""In which order nodes are changed, and when that is decided."""

from dataclasses import replace
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.errors import ConnectionFailed
from inkless_pulumi.provider.cluster_view import ClusterView, serves
from inkless_pulumi.provider.declared_services import DeclaredService, DeclaredServices
from inkless_pulumi.provider.kafka.connection import ConnectionInputs
from inkless_pulumi.provider.kafka.model import BrokerState
from inkless_pulumi.provider.readiness import Node
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.rolling_order import (
    RollingOrder,
    RollingOrderInputs,
    RollingOrderOutputs,
    rolling_order,
)
from tests.unit.provider.cluster_views import HEALTHY, brokers, node, quorum, views, voter
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

COMBINED = [node(1), node(2), node(3)]
DEDICATED = [node(n, "controller") for n in (1, 2, 3)] + [node(n, "broker") for n in (11, 12, 13)]
BUSY = ClusterView(brokers=brokers(11, 12, 13), quorum=quorum(leader=1))


def order(
    nodes: list[Node], seen: ClusterView, *, new: tuple[int, ...] = (), downgrade: bool = False
) -> list[int]:
    known = {n.node_id for n in nodes} - set(new)
    return rolling_order(nodes, known=known, seen=seen, downgrade=downgrade)


def test_the_active_controller_is_last() -> None:
    assert order([*COMBINED], replace(HEALTHY, quorum=quorum(leader=2))) == [1, 3, 2]


def test_controllers_come_before_brokers_and_the_active_one_last_among_them() -> None:
    assert order([*DEDICATED], BUSY) == [2, 3, 1, 11, 12, 13]


def test_in_a_downgrade_brokers_come_before_controllers() -> None:
    assert order([*DEDICATED], BUSY, downgrade=True) == [11, 12, 13, 2, 3, 1]


def test_a_node_that_does_not_serve_is_first() -> None:
    assert order([*DEDICATED], replace(BUSY, brokers=brokers(11, 12))) == [13, 2, 3, 1, 11, 12]


def test_a_node_without_a_cast_vote_is_first() -> None:
    seen = replace(
        HEALTHY,
        brokers=brokers(1, 2, 3, fenced=3),
        quorum=quorum(voter(1), voter(2), voter(3, caught_up=0)),
    )
    assert order([*COMBINED], seen) == [3, 2, 1]


def test_new_nodes_are_last() -> None:
    grown = [*DEDICATED, node(14, "broker")]
    assert order([*grown], BUSY, new=(14,)) == [2, 3, 1, 11, 12, 13, 14]


@given(views(), st.permutations([1, 2, 3, 4]), st.booleans())
def test_every_node_has_a_turn_and_those_that_do_not_serve_have_the_first(
    seen: ClusterView, ids: list[int], downgrade: bool
) -> None:
    nodes = [node(node_id) for node_id in ids]
    decided = order([*nodes], seen, downgrade=downgrade)
    assert sorted(decided) == [1, 2, 3, 4]
    served = [serves(seen, node(node_id)) for node_id in decided]
    assert served == sorted(served)


def inputs(**changes: object) -> RollingOrderInputs:
    return RollingOrderInputs(
        service="cluster",
        controllers=[1, 2, 3],
        brokers=[1, 2, 3],
        runs={"1": "a", "2": "a", "3": "a"},
        version="4.2.1-0.47",
        connection=CONNECTION,
    ).model_copy(update=changes)


AT_CREATION = RollingOrderOutputs(order=[1, 2, 3], at_creation=True)


def test_a_new_service_has_the_order_of_creation_without_a_look() -> None:
    cluster = MemoryCluster()
    made = RollingOrder(cluster.open_node).create(inputs(brokers=[11]), Screen().context())
    assert made.outputs == RollingOrderOutputs(order=[1, 2, 3, 11], at_creation=True)
    assert cluster.opened == []


def test_a_change_asks_the_cluster() -> None:
    cluster, screen, declared = MemoryCluster(), Screen(), DeclaredServices()
    cluster.nodes.state = tuple(BrokerState(n, f"10.0.{n}.10:9094", False) for n in (1, 2, 3))
    decided = RollingOrder(cluster.open_node, declared).update(
        "cluster", inputs(), AT_CREATION, inputs(), screen.context()
    )
    assert decided == RollingOrderOutputs(order=[2, 3, 1], at_creation=False)
    assert screen.lines == ["nodes are changed in the order 2, 3, 1"]
    assert not declared.more_are_down("cluster", 2)


def test_nodes_that_are_found_down_are_told_to_the_gates() -> None:
    cluster, declared = MemoryCluster(), DeclaredServices()
    cluster.nodes.state = (BrokerState(1, "10.42.0.10:9094", False),)
    RollingOrder(cluster.open_node, declared).update(
        "cluster", inputs(), AT_CREATION, inputs(), Screen().context()
    )
    assert declared.more_are_down("cluster", 2)
    assert not declared.more_are_down("cluster", 3)
    assert not declared.more_are_down("cluster", 1)


def test_a_cluster_that_does_not_answer_is_changed_in_the_order_of_creation() -> None:
    def closed(_c: ConnectionInputs, _s: str, _x: Context) -> NoReturn:
        raise ConnectionFailed("nobody answers")

    screen, declared = Screen(), DeclaredServices()
    decided = RollingOrder(closed, declared).update(
        "cluster", inputs(), AT_CREATION, inputs(), screen.context()
    )
    assert decided == RollingOrderOutputs(order=[1, 2, 3], at_creation=False)
    assert "nobody answers" in screen.warnings[0]
    assert declared.more_are_down("cluster", 1)
    assert not declared.more_are_down("cluster", 3)


@pytest.mark.parametrize("known", [dict(inputs()), {"service": "cluster", "brokers": [1, 2, 3]}])
def test_its_check_tells_which_nodes_this_run_declares(known: dict[str, object]) -> None:
    declared = DeclaredServices()
    assert [*RollingOrder(declared=declared).check(known, None)] == []
    assert declared.of("cluster") == DeclaredService(frozenset({1, 2, 3}))
    assert declared.of("another") is None


def test_its_check_tells_what_is_accepted_in_this_very_run() -> None:
    declared = DeclaredServices()
    [*RollingOrder(declared=declared).check(dict(inputs(on_shortage="accept")), None)]
    found = declared.of("cluster")
    assert found is not None
    assert found.on_shortage == "accept"
