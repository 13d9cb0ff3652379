"""Nodes that join a service that is there: what their roles may do is what the others' may do.

A service makes the role and the policy of every node in one way, but what a new node's policy says
is known only after the update, for the name of its secret is. So a node that joins is held against
one of its kind that stays: whatever is known of the two must be alike, but for their names.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from inkless_pulumi.report.node_reasons import part_of
from inkless_pulumi.report.nodes import Service
from inkless_pulumi.report.plan import Plan, Resource
from inkless_pulumi.report.rights import Permission

__all__ = ["NewNodes"]

_PARTS: Final = ("role", "policy")


@dataclass(frozen=True)
class _Pair:
    """A part of a new node, and the node of its kind that it is held against."""

    part: str
    name: str
    other: str


class NewNodes:
    """The roles and policies of nodes that join a service that is there."""

    def __init__(self, plan: Plan, services: Iterable[Service]) -> None:
        self._pairs = {
            urn: pair for service in services for urn, pair in _pairs(plan, service).items()
        }

    def has_policy(self, resource: Resource) -> bool:
        """Whether a resource is the policy of such a node, which is never known at preview."""
        pair = self._pairs.get(resource.urn)
        return pair is not None and pair.part == "policy"

    def like_others(self, right: Any, resource: Resource, known: Any) -> bool:
        """Whether what such a resource allows is what the other node's allows.

        Args:
            right: what it allows.
            resource: the role or policy.
            known: all that is allowed after the update.
        """
        pair = self._pairs.get(resource.urn)
        if pair is None or not isinstance(right, Permission):
            return False
        others = replace(
            right,
            principal=right.principal.replace(pair.name, pair.other),
            resource=right.resource.replace(pair.name, pair.other),
        )
        return others in known


def _pairs(plan: Plan, service: Service) -> dict[str, _Pair]:
    found: dict[str, _Pair] = {}
    staying = [node for node in service.nodes if node.fate not in ("created", "deleted")]
    for node in service.having("created"):
        model = next((other for other in staying if other.roles == node.roles), None)
        if model is None:
            continue
        names = [each.gate.name.removesuffix("-ready") for each in (node, model)]
        for part in _PARTS:
            new, old = (part_of(plan, each.gate, part) for each in (node, model))
            if new is not None and old is not None:
                found[new.urn] = _Pair(part, *names)
    return found
