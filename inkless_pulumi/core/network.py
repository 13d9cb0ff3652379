"""The arithmetic of networks: which subnet each zone gets, and which address each node.

Apart from the resources so that it can be tested alone. A service's own network is cut into four
equal blocks, one a zone; the fourth stays free. Subnets the user brings are checked, not cut.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from typing import Final

from inkless_pulumi.core.errors import Problem

WIDEST_PREFIX: Final = 16
"""The largest network: clouds refuse one wider than a /16."""
NARROWEST_PREFIX: Final = 24
"""The smallest network: a quarter of a /24 has 59 usable addresses, enough for every node."""
RESERVED_HEAD: Final = 4
"""Addresses a cloud keeps at a subnet's start (network, router, DNS, future use)."""
RESERVED_TAIL: Final = 1
"""Addresses a cloud keeps at a subnet's end (broadcast)."""
_PRIVATE_RANGES: Final = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)


@dataclass(frozen=True)
class ExistingSubnet:
    """What the cloud says of a subnet that the user brought."""

    subnet_id: str
    zone: str
    network_id: str
    cidr: str


def network_problems(cidr: str, path: str = "network.cidr") -> list[Problem]:
    """What is wrong with the CIDR of a service's own network; nothing when it can be used."""
    try:
        network = IPv4Network(cidr)
    except ValueError:
        return [_not_a_network(cidr, path)]
    problems = []
    if not WIDEST_PREFIX <= network.prefixlen <= NARROWEST_PREFIX:
        rule = f"must be between a /{WIDEST_PREFIX} and a /{NARROWEST_PREFIX}"
        problems.append(Problem(path, cidr, rule, 'use for example "10.42.0.0/16"'))
    if not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        rule = "is not a private range, and nodes have no public addresses"
        remedy = "take it from 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10"
        problems.append(Problem(path, cidr, rule, remedy))
    return problems


def _not_a_network(cidr: str, path: str) -> Problem:
    try:
        start = IPv4Network(cidr, strict=False)
    except ValueError:
        return Problem(path, cidr, "is not an IPv4 CIDR", 'write it like "10.42.0.0/16"')
    rule = "has bits set behind its prefix"
    return Problem(path, cidr, rule, f'the network of that size is "{start}"')


def overlap_problems(cidrs: Mapping[str, str]) -> list[Problem]:
    """Every pair of networks that share addresses; `cidrs` maps an argument path to its CIDR."""
    networks = {path: IPv4Network(cidr) for path, cidr in cidrs.items()}
    return [
        Problem(
            right,
            cidrs[right],
            f"overlaps {left} = {cidrs[left]}",
            "give every network a range of its own",
        )
        for left, right in combinations(networks, 2)
        if networks[left].overlaps(networks[right])
    ]


def subnet_cidrs(cidr: str, zones: Sequence[str]) -> dict[str, str]:
    """The subnet of each zone, by the zone's place in `zones`: a zone's subnet never moves.

    Raises ValueError where `network_problems` would have found something.
    """
    blocks = list(IPv4Network(cidr).subnets(prefixlen_diff=2))
    return {zone: str(block) for zone, block in zip(zones, blocks, strict=False)}


def host_address(subnet_cidr: str, slot: int) -> str:
    """The address of host number `slot` of a subnet. Raises ValueError outside the usable ones."""
    subnet = IPv4Network(subnet_cidr)
    if not RESERVED_HEAD <= slot < subnet.num_addresses - RESERVED_TAIL:
        raise ValueError(f"{subnet_cidr} has no usable host number {slot}")
    return str(subnet[slot])


def highest_slot(subnet_cidr: str) -> int:
    """The last host number of a subnet that a node can have."""
    return IPv4Network(subnet_cidr).num_addresses - RESERVED_TAIL - 1


def subnet_choice_problems(
    zones: Sequence[str], chosen: Iterable[str], path: str = "subnet_ids"
) -> list[Problem]:
    """Whether the subnets the user brought are exactly one a zone, by the zones they are for."""
    given = list(chosen)
    missing = [zone for zone in zones if zone not in given]
    surplus = [zone for zone in given if zone not in zones]
    rule = f"must name one subnet for each of the zones {', '.join(zones)}"
    remedies = [f'add one for "{zone}"' for zone in missing]
    remedies += [
        f'remove the one for "{zone}", which is not a zone of the service' for zone in surplus
    ]
    return [Problem(path, given, rule, " and ".join(remedies))] if remedies else []


def existing_subnet_problems(
    subnets: Mapping[str, ExistingSubnet], highest: int, path: str = "subnet_ids"
) -> list[Problem]:
    """What is wrong with subnets the user brought; `subnets` maps the zone asked for to facts.

    `highest` is the largest host number a node of the service has. Refused are a subnet outside
    its zone, subnets of different networks, subnets that overlap, and one with too few addresses.
    """
    problems = []
    first = next(iter(subnets.values()), None)
    for zone, subnet in subnets.items():
        where = f'{path}["{zone}"]'
        if subnet.zone != zone:
            rule = f"the subnet is in zone {subnet.zone}, not in {zone}"
            remedy = f"name a subnet of {zone}, or list it under {subnet.zone}"
            problems.append(Problem(where, subnet.subnet_id, rule, remedy))
        if first is not None and subnet.network_id != first.network_id:
            rule = f"is in network {subnet.network_id}, and the others in {first.network_id}"
            remedy = "take all three from one network"
            problems.append(Problem(where, subnet.subnet_id, rule, remedy))
        if highest_slot(subnet.cidr) < highest:
            rule = f"{subnet.cidr} has no host number {highest}, which a node needs"
            remedy = "use a larger subnet, a /26 at least"
            problems.append(Problem(where, subnet.subnet_id, rule, remedy))
    named = {f'{path}["{zone}"]': subnet.cidr for zone, subnet in subnets.items()}
    return problems + overlap_problems(named)
