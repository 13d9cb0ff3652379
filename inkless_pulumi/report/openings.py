"""Firewall rules as openings that can be compared: rules of their own, and those within a group."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.plan import Hidden, Resource, State
from inkless_pulumi.report.quantities import number
from inkless_pulumi.report.rights import Opening

__all__ = ["NEW_GROUP", "NEW_PREFIX_LIST", "OPENING_TYPES", "openings"]

NEW_GROUP: Final = "a new group"
NEW_PREFIX_LIST: Final = "a prefix list"
"""Instead of names that are known only after the update."""

_INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_EGRESS: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
OPENING_TYPES: Final = (_INGRESS, _EGRESS, _GROUP, _RULE)


def openings(
    resource: Resource, state: State, group_name: Callable[[Any], str]
) -> frozenset[Opening] | None:
    """What a firewall rule, or the rules within a group, open. None: not all is known yet."""
    inputs = state.inputs
    if resource.type == _GROUP:
        rules = [
            (rule, incoming)
            for side, incoming in (("ingress", True), ("egress", False))
            for rule in inputs.get(side) or ()
        ]
        if any(not isinstance(rule, Mapping) for rule, _ in rules):
            return None
        found = [_opening(rule, resource.name, incoming, group_name) for rule, incoming in rules]
    else:
        incoming = resource.type == _INGRESS or inputs.get("type") == "ingress"
        target = group_name(inputs.get("securityGroupId"))
        found = [_opening(inputs, target, incoming, group_name)]
    if any(one is None for one in found):
        return None
    return frozenset(opening for one in found if one is not None for opening in one)


def _opening(
    rule: Mapping[str, Any], target: str, incoming: bool, group_name: Callable[[Any], str]
) -> list[Opening] | None:
    protocol = rule.get("ipProtocol", rule.get("protocol"))
    ports = [rule.get("fromPort"), rule.get("toPort")]
    if isinstance(protocol, Hidden) or any(isinstance(port, Hidden) for port in ports):
        return None
    first, last = (-1 if (found := number(port)) is None else found for port in ports)
    sources = list(_sources(rule, target, group_name))
    if any(source is None for source in sources):
        return None
    return [
        Opening(str(source), str(protocol), first, last, target, incoming) for source in sources
    ]


def _sources(
    rule: Mapping[str, Any], target: str, group_name: Callable[[Any], str]
) -> Iterator[str | None]:
    """Ranges, groups and prefix lists. None: a range that is not known; groups may be unknown."""
    for name in ("cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks"):
        given = rule.get(name)
        for source in given if isinstance(given, list) else [] if given is None else [given]:
            yield None if isinstance(source, Hidden) else str(source)
    for name in ("referencedSecurityGroupId", "sourceSecurityGroupId", "securityGroups"):
        given = rule.get(name)
        for source in given if isinstance(given, list) else [] if given is None else [given]:
            yield group_name(source)
    for name in ("prefixListId", "prefixListIds"):
        given = rule.get(name)
        for source in given if isinstance(given, list) else [] if given is None else [given]:
            yield NEW_PREFIX_LIST if isinstance(source, Hidden) else f"prefix list {source}"
    if rule.get("self") is True:
        yield target
