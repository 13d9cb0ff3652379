"""The plan of a cluster: which nodes, where, and what never moves."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.declaration import ServiceDeclaration
from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.network import host_address, subnet_cidrs
from inkless_pulumi.core.plan import plan_cluster
from inkless_pulumi.core.service_model import ServiceDeclaration as Unchecked
from tests.unit.core.declarations import BASE, ZONES, service, valid_services


@given(valid_services())
def test_every_plan_has_unique_nodes_and_one_controller_a_zone(
    declared: ServiceDeclaration,
) -> None:
    plan = plan_cluster(declared)
    assert len({node.node_id for node in plan.nodes}) == len(plan.nodes)
    assert len({node.name for node in plan.nodes}) == len(plan.nodes)
    assert len({(node.zone, node.address_slot) for node in plan.nodes}) == len(plan.nodes)
    assert sorted(node.zone for node in plan.controllers) == sorted(declared.zones)
    assert all(declared.zones[node.zone_index] == node.zone for node in plan.nodes)
    assert len(plan.brokers) == 3 * declared.brokers_per_zone


@given(valid_services())
def test_controllers_are_created_before_brokers(
    declared: ServiceDeclaration,
) -> None:
    plan = plan_cluster(declared)
    roles = [node.is_controller for node in plan.nodes]
    assert roles == sorted(roles, reverse=True)


@given(valid_services(), st.integers(16, 24))
def test_every_address_is_in_the_subnet_of_its_zone(
    declared: ServiceDeclaration, prefix_length: int
) -> None:
    subnets = subnet_cidrs(f"10.42.0.0/{prefix_length}", declared.zones)
    for node in plan_cluster(declared).nodes:
        address = host_address(subnets[node.zone], node.address_slot)
        assert ip_address(address) in ip_network(subnets[node.zone])


@given(st.integers(1, 19))
def test_adding_brokers_changes_nothing_of_the_nodes_that_were_there(brokers: int) -> None:
    before = plan_cluster(service(topology="dedicated", brokers_per_zone=brokers))
    after = plan_cluster(service(topology="dedicated", brokers_per_zone=brokers + 1))
    assert after.nodes[: len(before.nodes)] == before.nodes
    assert len(after.nodes) == len(before.nodes) + 3


def test_a_combined_cluster_has_three_nodes_that_do_both() -> None:
    plan = plan_cluster(service())
    assert [(node.node_id, node.name, node.zone, node.roles) for node in plan.nodes] == [
        (1, "node-1", ZONES[0], ("broker", "controller")),
        (2, "node-2", ZONES[1], ("broker", "controller")),
        (3, "node-3", ZONES[2], ("broker", "controller")),
    ]


def test_a_dedicated_cluster_numbers_its_brokers_by_zone() -> None:
    plan = plan_cluster(service(topology="dedicated", brokers_per_zone=2))
    assert [node.node_id for node in plan.controllers] == [1, 2, 3]
    assert [(node.node_id, node.zone) for node in plan.brokers] == [
        (11, ZONES[0]),
        (12, ZONES[1]),
        (13, ZONES[2]),
        (14, ZONES[0]),
        (15, ZONES[1]),
        (16, ZONES[2]),
    ]


def test_brokers_may_be_counted_in_all_and_take_the_zones_in_turn() -> None:
    three = plan_cluster(service(topology="dedicated"))
    four = plan_cluster(service(topology="dedicated", brokers=4))
    assert four.nodes[:-1] == three.nodes
    assert (four.nodes[-1].node_id, four.nodes[-1].zone) == (14, ZONES[0])


def test_the_first_creation_waits_only_where_waiting_can_end() -> None:
    combined = plan_cluster(service())
    assert [node.gate_waits_at_creation for node in combined.nodes] == [False, False, True]
    dedicated = plan_cluster(service(topology="dedicated"))
    waits = {node.node_id: node.gate_waits_at_creation for node in dedicated.nodes}
    assert waits == {1: False, 2: False, 3: False, 11: True, 12: True, 13: True}


def test_every_node_of_an_inkless_service_counts_for_the_database() -> None:
    dedicated = service(topology="dedicated", database_max_connections_per_node=12)
    assert plan_cluster(dedicated).database_connections == 6 * 12


def test_a_classic_service_has_no_database() -> None:
    classic = service(cluster_type="classic", classic_eligible=True)
    assert plan_cluster(classic).database_connections == 0


def test_volumes_are_the_plans_unless_asked_for() -> None:
    assert {node.volume_gib for node in plan_cluster(service()).nodes} == {50}
    asked = plan_cluster(service(topology="dedicated", volume_gib=300))
    assert {node.volume_gib for node in asked.brokers} == {300}
    assert {node.volume_gib for node in asked.controllers} == {20}


def test_a_plan_is_only_made_of_a_declaration_that_keeps_the_rules() -> None:
    unchecked = Unchecked.model_validate(BASE | {"zones": ("a", "a", "b")})
    with pytest.raises(DeclarationError, match="more than once"):
        plan_cluster(unchecked)


def test_a_node_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        plan_cluster(service()).node(99)
