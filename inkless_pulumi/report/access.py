"""Who may do what afterwards that they may not do now, and the other way round.

All rules of the plan are taken together, those that stay among them: a rule that only moves to
another resource, or that another one covers, is no difference.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from inkless_pulumi.report.acls import ACCESS_RULE, acl_permissions
from inkless_pulumi.report.exposure import exposure_findings
from inkless_pulumi.report.findings import Finding, Level, code, counted
from inkless_pulumi.report.new_nodes import NewNodes
from inkless_pulumi.report.nodes import Service
from inkless_pulumi.report.openings import NEW_GROUP, OPENING_TYPES, openings
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource, State
from inkless_pulumi.report.right_sentences import lines_of, may, may_connect, may_on_kafka
from inkless_pulumi.report.rights import Permission, Right, difference, permissions

__all__ = ["access_findings"]

_DOCUMENTS: Final = ("policy", "assumeRolePolicy", "policyDocument", "resourcePolicy")
"""Properties that hold a policy document, of whatever type the resource is."""
_SERVICE: Final = "inkless:aws:InklessService"


@dataclass
class _Rights:
    """What may be done before and after, and what can't be told."""

    old: dict[Right, list[Resource]] = field(default_factory=dict)
    new: dict[Right, list[Resource]] = field(default_factory=dict)
    hidden: list[Resource] = field(default_factory=list)

    def add(self, resource: Resource, rights: Callable[[State], frozenset[Any] | None]) -> None:
        """Take in what a resource allows."""
        for state, side in ((resource.old, self.old), (resource.new, self.new)):
            if state is None:
                continue
            found = rights(state)
            if found is not None:
                for right in found:
                    side.setdefault(right, []).append(resource)
            elif side is self.new and resource.touched:
                self.hidden.append(resource)


def access_findings(plan: Plan, services: Iterable[Service]) -> Iterator[Finding]:
    """What widens, what narrows, and what can't be told yet."""
    kafka, policies, firewall = _Rights(), _Rights(), _Rights()
    names, joining = _Names(plan), NewNodes(plan, services)
    for resource in plan.resources:
        if resource.type == ACCESS_RULE:
            kafka.add(resource, acl_permissions)
        elif resource.type in OPENING_TYPES:
            firewall.add(resource, partial(openings, resource, group_name=names.group))
        elif resource.type.startswith("aws:"):
            for name in _DOCUMENTS:
                if name in resource.state.inputs or (resource.old and name in resource.old.inputs):
                    policies.add(resource, partial(names.policy, resource, name))
    for what, rights, sentence in (
        ("kafka", kafka, may_on_kafka),
        ("policy", policies, may),
        ("firewall", firewall, may_connect),
    ):
        yield from _differences(plan, joining, what, rights, sentence)
    yield from exposure_findings(plan)


class _Names:
    """Names of resources that rules refer to by id."""

    def __init__(self, plan: Plan) -> None:
        self._groups = {
            state.id: resource.name
            for resource in plan.of_type("aws:ec2/securityGroup:SecurityGroup")
            for state in (resource.old, resource.new)
            if state is not None and state.id
        }
        self._roles = {
            str(state.outputs.get("name") or state.inputs.get("name")): resource.name
            for resource in plan.of_type("aws:iam/role:Role")
            for state in (resource.old, resource.new)
            if state is not None
        }

    def group(self, given: Any) -> str:
        """A security group's name; its id where it is not in the plan."""
        if isinstance(given, Hidden):
            return NEW_GROUP
        return self._groups.get(given, str(given))

    def policy(self, resource: Resource, name: str, state: State) -> frozenset[Permission] | None:
        """What a policy document in a property of a resource says."""
        document = state.inputs.get(name)
        if document is None:
            return frozenset()
        role = state.inputs.get("role")
        who = self._roles.get(role, role) if isinstance(role, str) else resource.name
        return permissions(document, who, resource=resource.name)


# --- differences ---------------------------------------------------------------------------------


def _differences(
    plan: Plan,
    joining: NewNodes,
    what: str,
    rights: _Rights,
    sentence: Callable[[Any, Any], str],
) -> Iterator[Finding]:
    gained, lost = difference(rights.old, rights.new)
    # What is denied no longer is allowed from then on, as far as something allows it.
    wider = [(right, rights.new[right]) for right in gained if right.allows]
    wider += [
        (right, by)
        for right in lost
        if not right.allows and not _goes_with_bucket(plan, by := rights.old[right])
    ]
    narrower = [(right, rights.old[right]) for right in lost if right.allows]
    narrower += [(right, rights.new[right]) for right in gained if not right.allows]
    sides: dict[str, list[tuple[Any, list[Resource]]]] = {}
    for right, by in wider:
        if right.to_everybody:
            change = "opened"
        elif all(_belongs_to_service(plan, one, Action.CREATE) for one in by):
            change = "of-new-service"
        elif all(joining.like_others(right, one, rights.new) for one in by):
            change = "of-new-nodes"
        else:
            change = "widens"
        sides.setdefault(change, []).append((right, by))
    for right, by in narrower:
        gone = all(_belongs_to_service(plan, one, Action.DELETE) for one in by)
        sides.setdefault("of-gone-service" if gone else "narrows", []).append((right, by))
    for change in _CHANGES:
        yield from _finding(what, change, sides.get(change, []), sentence)
    unknown = [
        found
        for found in rights.hidden
        if not _belongs_to_service(plan, found, Action.CREATE) and not joining.has_policy(found)
    ]
    if unknown:
        yield Finding(
            f"{what}-unknown",
            "access",
            Level.WARNING,
            f"{counted(len(unknown), 'rule', 'rules')} of access will be known only after the "
            "update, so whether access widens can't be told",
            details=tuple(code(found.name) for found in unknown),
            resources=tuple(found.urn for found in unknown),
            gates=("wider-access",),
            brief="access that is known only after the update",
        )


@dataclass(frozen=True)
class _Change:
    """How access changes, in words."""

    level: Level
    title: str
    brief: str
    sign: str


_CHANGES: Final[Mapping[str, _Change]] = {
    "opened": _Change(Level.DANGER, "Everybody is let in", "let everybody in", "+"),
    "widens": _Change(Level.WARNING, "Access widens", "allow more", "+"),
    "of-new-service": _Change(Level.INFO, "The new service comes with this access", "", "+"),
    "of-new-nodes": _Change(
        Level.INFO, "New nodes get roles of their own, which may do what the others' may", "", "+"
    ),
    "narrows": _Change(Level.NOTICE, "Access narrows", "allow less", "-"),
    "of-gone-service": _Change(Level.INFO, "What the service was allowed goes with it", "", "-"),
}
_SUBJECTS: Final[Mapping[str, str]] = {
    "kafka": "Kafka's access rules",
    "policy": "policies of the cloud",
    "firewall": "firewall rules",
}


def _finding(
    what: str,
    name: str,
    rights: list[tuple[Any, list[Resource]]],
    sentence: Callable[[Any, Any], str],
) -> Iterator[Finding]:
    if not rights:
        return
    change, subject = _CHANGES[name], _SUBJECTS[what]
    yield Finding(
        f"{what}-{name}",
        "access",
        change.level,
        f"{change.title} ({subject})",
        details=tuple(lines_of([right for right, _ in rights], sentence, change.sign)),
        resources=tuple(dict.fromkeys(one.urn for _, by in rights for one in by if one.touched)),
        gates=("wider-access",) if change.level >= Level.WARNING else (),
        brief=f"{subject} {change.brief}" if change.brief else "",
    )


def _belongs_to_service(plan: Plan, resource: Resource, action: Action) -> bool:
    """Whether it comes or goes with a service that does, or with the topics of one."""
    if resource.action is not action:
        return False
    if resource.type == ACCESS_RULE:
        found = [service.action for service in plan.of_type(_SERVICE)]
        return bool(found) and all(one is action for one in found)
    parent = plan.get(resource.parent)
    while parent is not None:
        if parent.type == _SERVICE:
            return parent.action is action
        parent = plan.get(parent.parent)
    return False


def _goes_with_bucket(plan: Plan, policies: list[Resource]) -> bool:
    """Whether a denial goes because the bucket does."""
    deleted = {
        bucket.parent
        for bucket in plan.of_type("aws:s3/bucket:Bucket")
        if bucket.action is Action.DELETE
    }
    return all(one.action is Action.DELETE and one.parent in deleted for one in policies)
