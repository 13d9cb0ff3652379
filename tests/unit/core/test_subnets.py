"""The arithmetic of networks."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.network import (
    ExistingSubnet,
    existing_subnet_problems,
    host_address,
    network_problems,
    overlap_problems,
    subnet_choice_problems,
    subnet_cidrs,
)

ZONES = ("a", "b", "c")


@given(st.integers(0, 255), st.integers(16, 24))
def test_the_subnets_of_a_network_lie_in_it_and_share_nothing(second: int, length: int) -> None:
    network = IPv4Network(f"10.{second}.0.0/{length}")
    subnets = [IPv4Network(cidr) for cidr in subnet_cidrs(str(network), ZONES).values()]
    assert len(subnets) == 3
    assert all(subnet.subnet_of(network) for subnet in subnets)
    assert overlap_problems({str(index): str(cidr) for index, cidr in enumerate(subnets)}) == []


def test_a_zone_gets_its_subnet_by_its_place() -> None:
    assert subnet_cidrs("10.42.0.0/16", ZONES) == {
        "a": "10.42.0.0/18",
        "b": "10.42.64.0/18",
        "c": "10.42.128.0/18",
    }


@given(st.integers(4, 62))
def test_an_address_is_the_subnets_start_plus_the_slot(slot: int) -> None:
    assert host_address("10.42.0.64/26", slot) == f"10.42.0.{64 + slot}"


@pytest.mark.parametrize("slot", [0, 3, 63, 64])
def test_addresses_that_a_cloud_keeps_for_itself_are_refused(slot: int) -> None:
    with pytest.raises(ValueError, match="no usable host number"):
        host_address("10.42.0.64/26", slot)


@pytest.mark.parametrize(
    ("cidr", "message"),
    [
        ("10.42.0.0", 'must be between a /16 and a /24; use for example "10.42.0.0/16"'),
        ("10.0.0.0/8", 'must be between a /16 and a /24; use for example "10.42.0.0/16"'),
        ("10.42.0.0/25", 'must be between a /16 and a /24; use for example "10.42.0.0/16"'),
        ("2001:db8::/32", 'is not an IPv4 CIDR; write it like "10.42.0.0/16"'),
        ("somewhere", 'is not an IPv4 CIDR; write it like "10.42.0.0/16"'),
        (
            "10.42.1.0/16",
            'has bits set behind its prefix; the network of that size is "10.42.0.0/16"',
        ),
        (
            "8.8.0.0/16",
            "is not a private range, and nodes have no public addresses; take it from 10.0.0.0/8, "
            "172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
        ),
    ],
)
def test_a_network_that_cant_be_used_is_refused(cidr: str, message: str) -> None:
    (problem,) = network_problems(cidr)
    assert str(problem) == f'network.cidr = "{cidr}": {message}'


def test_networks_that_overlap_are_refused_at_the_later_one() -> None:
    (problem,) = overlap_problems(
        {
            "cidr": "10.42.0.0/16",
            "client_cidrs[0]": "10.43.0.0/16",
            "client_cidrs[1]": "10.42.9.0/24",
        }
    )
    assert str(problem) == (
        'client_cidrs[1] = "10.42.9.0/24": overlaps cidr = 10.42.0.0/16; give every network a '
        "range of its own"
    )


def subnet(zone: str, network: str = "vpc-1", cidr: str | None = None) -> ExistingSubnet:
    own = {"a": "10.0.0.0/24", "b": "10.0.1.0/24", "c": "10.0.2.0/24"}
    return ExistingSubnet(f"subnet-{zone}", zone, network, cidr or own.get(zone, "10.0.9.0/24"))


def test_a_subnet_a_zone_is_what_is_wanted() -> None:
    assert existing_subnet_problems({zone: subnet(zone) for zone in ZONES}, 40) == []


def test_a_subnet_outside_its_zone_is_refused() -> None:
    found = existing_subnet_problems({"a": subnet("a"), "b": subnet("d"), "c": subnet("c")}, 40)
    assert [str(problem) for problem in found] == [
        'subnet_ids["b"] = "subnet-d": the subnet is in zone d, not in b; name a subnet of b, or '
        "list it under d"
    ]


def test_subnets_of_two_networks_are_refused() -> None:
    found = existing_subnet_problems({"a": subnet("a"), "b": subnet("b", "vpc-2")}, 40)
    assert ["is in network vpc-2, and the others in vpc-1" in str(p) for p in found] == [True]


def test_a_subnet_without_room_for_the_nodes_is_refused() -> None:
    (problem,) = existing_subnet_problems({"a": subnet("a", cidr="10.0.0.0/28")}, 20)
    assert problem.rule == "10.0.0.0/28 has no host number 20, which a node needs"


def test_existing_subnets_that_overlap_are_refused() -> None:
    found = existing_subnet_problems({"a": subnet("a"), "b": subnet("b", cidr="10.0.0.0/25")}, 40)
    assert ['overlaps subnet_ids["a"]' in str(problem) for problem in found] == [True]


def test_the_subnets_given_must_be_those_of_the_zones() -> None:
    (problem,) = subnet_choice_problems(ZONES, ["a", "b", "d"])
    assert str(problem) == (
        'subnet_ids = ["a", "b", "d"]: must name one subnet for each of the zones a, b, c; add one '
        'for "c" and remove the one for "d", which is not a zone of the service'
    )
    assert subnet_choice_problems(ZONES, ZONES) == []
