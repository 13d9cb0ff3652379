"""Claims of who may do what in the account, against policies and firewall rules in its books."""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any, Final, NamedTuple

from inkless_pulumi.report.document import FindingDocument
from proofs.claims.observed import Observed, Update
from proofs.claims.sentences import match

__all__ = ["like_other_roles", "unclaimed_openings", "unclaimed_permissions"]

_ROLE: Final = "aws:iam/role:Role "
_ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy "
_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup "
_INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule "
_LIST: Final = re.compile(r", | and ")


class Permission(NamedTuple):
    """What a role, or a service that takes it on, may do."""

    who: str
    action: str
    on: str


class Opening(NamedTuple):
    """Who may connect to a group of machines."""

    source: str
    group: str
    ports: str


def _names(observed: Observed, token: str) -> dict[str, str]:
    """The logical names of the resources of a type, by their ids."""
    return {
        record.id: key.removeprefix(token)
        for key, record in observed.account.items()
        if key.startswith(token)
    }


# --- policies ------------------------------------------------------------------------------------


def unclaimed_permissions(finding: FindingDocument, update: Update) -> Iterator[str]:
    """The lines that say who may do what (no longer), against the roles that came, went or stay.

    What a preview does not know yet stands for itself in another finding, so more may come than is
    told of here.
    """
    before, after = (_permissions(side) for side in (update.before, update.after))
    seen = {"+": after - before, "-": before - after}
    told: dict[str, set[Permission]] = {"+": set(), "-": set()}
    for line in finding.details:
        said = match(r"([+-]) (.+?) may (.+?) on (\S+?)(?:, if \{.*\})?", line)
        told[said[1]] |= {
            Permission(who, action, said[4])
            for who in _LIST.split(said[2])
            for action in _LIST.split(said[3])
        }
    for sign in "+-":
        for permission in sorted(told[sign] - seen[sign]):
            yield f"{permission} was told of with {sign}, and was not seen"
    if told["-"]:
        for permission in sorted(seen["-"] - told["-"]):
            yield f"{permission} went without a word"


def like_other_roles(finding: FindingDocument, update: Update) -> Iterator[str]:
    """Roles of nodes that join: but for their own secrets, another role may do the same."""
    yield from unclaimed_permissions(finding, update)
    before, after = (_by_role(side) for side in (update.before, update.after))
    for role, permissions in after.items():
        if role not in before and permissions not in before.values():
            yield f"{role} may not do what another role may: {sorted(permissions)}"


def _by_role(observed: Observed) -> dict[str, frozenset[tuple[str, str, str]]]:
    """What each role may do and who takes it on, without the role's own name."""
    permissions = _permissions(observed)
    found: dict[str, frozenset[tuple[str, str, str]]] = {}
    for role in _names(observed, _ROLE).values():
        node = re.compile(rf"\b{re.escape(role.removesuffix('-role'))}-\S*")
        found[role] = frozenset(
            (node.sub("its own", one.who), one.action, node.sub("its own", one.on))
            for one in permissions
            if role in (one.who, one.on)
        )
    return found


def _permissions(observed: Observed) -> set[Permission]:
    names = _names(observed, _ROLE)
    found: set[Permission] = set()
    for key, record in observed.account.items():
        if key.startswith(_ROLE):
            for statement in _statements(record.inputs["assumeRolePolicy"]):
                for kind, who in statement["Principal"].items():
                    for action in _listed(statement["Action"]):
                        found.add(Permission(f"{kind}:{who}", action, names[record.id]))
        elif key.startswith(_ROLE_POLICY):
            for statement in _statements(record.inputs["policy"]):
                for action in _listed(statement["Action"]):
                    for on in _listed(statement["Resource"]):
                        found.add(Permission(names[record.inputs["role"]], action, on))
    return found


def _statements(document: Any) -> list[dict[str, Any]]:
    read = json.loads(document) if isinstance(document, str) else document
    statements: list[dict[str, Any]] = read["Statement"]
    return statements


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# --- firewall rules ------------------------------------------------------------------------------


def unclaimed_openings(finding: FindingDocument, update: Update) -> Iterator[str]:
    """Who may connect to which machines, or may not any more, other than is told of."""
    before, after = (_openings(side) for side in (update.before, update.after))
    sign = "-" if finding.rule == "firewall-narrows" else "+"
    have, had = (before, after) if sign == "-" else (after, before)
    seen = {opening for opening in have - had if not _covered(opening, had)}
    told: set[Opening] = set()
    for line in finding.details:
        said = match(
            rf"\{sign} (?:anybody on the internet \((\S+)\)|(\S+)) may connect to (\S+) on (.+)",
            line,
        )
        told |= {Opening(said[1] or said[2], said[3], ports) for ports in _LIST.split(said[4])}
    for opening in sorted(told ^ seen):
        how = "was not told of" if opening in seen else "was not seen"
        yield f"{sign} {opening} {how}"


def _openings(observed: Observed) -> set[Opening]:
    """Those of addresses; what groups may among themselves is none of them."""
    names = _names(observed, _GROUP)
    return {
        Opening(
            record.inputs["cidrIpv4"],
            names[record.inputs["securityGroupId"]],
            f"{record.inputs['ipProtocol']} {record.inputs['fromPort']:.0f}",
        )
        for key, record in observed.account.items()
        if key.startswith(_INGRESS) and record.inputs.get("cidrIpv4")
    }


def _covered(opening: Opening, by: set[Opening]) -> bool:
    network = ip_network(opening.source)
    others = (ip_network(other.source) for other in by if other[1:] == opening[1:])
    return any(
        network.subnet_of(other)  # type: ignore[arg-type]
        for other in others
        if other.version == network.version
    )
