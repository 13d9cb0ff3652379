"""Who may do what afterwards that they may not do now, and the other way round.

All rules of the plan are taken together, those that stay among them: a rule that only moves to
another resource, or that another one covers, is no difference.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from inkless_pulumi.report.acls import ACCESS_RULE, acl_permissions
from inkless_pulumi.report.findings import Finding, Level, code, counted, value_text
from inkless_pulumi.report.openings import OPENING_TYPES, openings
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource, State
from inkless_pulumi.report.rights import Opening, Permission, Right, difference, permissions

__all__ = ["access_findings"]

_DOCUMENTS: Final = ("policy", "assumeRolePolicy", "policyDocument", "resourcePolicy")
"""Properties that hold a policy document, of whatever type the resource is."""
_BLOCKS: Final = (
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
)
_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_WAYS_IN: Final[Mapping[str, str]] = {
    "aws:ec2/internetGateway:InternetGateway": "The network gets a way to the internet",
    "aws:ec2/natGateway:NatGateway": "The network gets a way out to the internet",
    "aws:ec2/eip:Eip": "A public address is made",
}
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


def access_findings(plan: Plan) -> Iterator[Finding]:
    """What widens, what narrows, and what can't be told yet."""
    kafka, policies, firewall = _Rights(), _Rights(), _Rights()
    names = _Names(plan)
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
        ("kafka", kafka, _may_on_kafka),
        ("policy", policies, _may),
        ("firewall", firewall, _may_connect),
    ):
        yield from _differences(plan, what, rights, sentence)
    yield from _public_access(plan)
    yield from _users(plan)


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
        return self._groups.get(given, str(given)) if isinstance(given, str) else str(given)

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
    plan: Plan, what: str, rights: _Rights, sentence: Callable[[Any, Any], str]
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
        made = all(_belongs_to_service(plan, one, Action.CREATE) for one in by)
        change = "opened" if right.to_everybody else "of-new-service" if made else "widens"
        sides.setdefault(change, []).append((right, by))
    for right, by in narrower:
        gone = all(_belongs_to_service(plan, one, Action.DELETE) for one in by)
        sides.setdefault("of-gone-service" if gone else "narrows", []).append((right, by))
    for change in _CHANGES:
        yield from _finding(what, change, sides.get(change, []), sentence)
    unknown = [
        found for found in rights.hidden if not _belongs_to_service(plan, found, Action.CREATE)
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
        details=tuple(_lines([right for right, _ in rights], sentence, change.sign)),
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


def _lines(rights: Iterable[Any], sentence: Callable[[Any, Any], str], sign: str) -> Iterator[str]:
    """A line for all who gain the same, with all that they gain on the same."""
    actions: dict[tuple[Any, ...], list[Any]] = {}
    for right in sorted(rights):
        actions.setdefault(_subject(right), []).append(right)
    alike: dict[tuple[Any, ...], list[list[Any]]] = {}
    for group in actions.values():
        alike.setdefault(_object(group), []).append(group)
    for groups in alike.values():
        denial = {"+": "no longer denied: ", "-": "denied from now on: "}[sign]
        words = "" if groups[0][0].allows else denial
        yield f"{sign} {words}{sentence(groups[0], [group[0] for group in groups])}"


def _subject(right: Any) -> tuple[Any, ...]:
    if isinstance(right, Permission):
        return (right.principal, right.resource, right.effect, right.condition)
    return (right.source, right.target, right.incoming)


def _object(group: list[Any]) -> tuple[Any, ...]:
    first = group[0]
    if isinstance(first, Permission):
        names = tuple(right.action for right in group)
        return (names, first.resource, first.effect, first.condition)
    return (tuple(right.ports for right in group), first.target, first.incoming)


def _joined(words: Iterable[str]) -> str:
    shown = list(dict.fromkeys(words))
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")


def _may(group: list[Permission], alike: list[Permission]) -> str:
    who = _joined("anybody" if one.principal == "*" else code(one.principal) for one in alike)
    what = _joined(code(right.action) for right in group)
    when = f", if {code(group[0].condition)}" if group[0].condition else ""
    verb = "may"
    return f"{who} {verb} {what} on {code(group[0].resource)}{when}"


def _may_on_kafka(group: list[Permission], alike: list[Permission]) -> str:
    who = _joined("any user" if one.principal == "User:*" else code(one.principal) for one in alike)
    what = _joined("do everything" if one.action == "*" else code(one.action) for one in group)
    kind, _, name = group[0].resource.partition(":")
    if name == "*":
        where = f"every {kind}"
    elif name.endswith("*"):
        where = f"every {kind} whose name begins with {code(name[:-1])}"
    else:
        where = f"{kind} {code(name)}"
    verb = "may"
    host = f", from {code(group[0].condition)}" if group[0].condition else ""
    return f"{who} {verb} {what} on {where}{host}"


def _may_connect(group: list[Opening], alike: list[Opening]) -> str:
    who = _joined(
        f"anybody on the internet ({code(one.source)})" if one.to_everybody else code(one.source)
        for one in alike
    )
    ports = _joined(code(one.ports) for one in group)
    if group[0].incoming:
        return f"{who} may connect to {code(group[0].target)} on {ports}"
    return f"{code(group[0].target)} may connect to {who} on {ports}"


# --- what is no set of rights --------------------------------------------------------------------


def _public_access(plan: Plan) -> Iterator[Finding]:
    for block in plan.of_type(_BLOCK):
        gone = [
            name
            for name in _BLOCKS
            if block.before(name) is True
            and (block.action is Action.DELETE or block.after(name) is not True)
        ]
        bucket_stays = any(not bucket.goes for bucket in plan.of_type("aws:s3/bucket:Bucket"))
        if gone and bucket_stays:
            yield Finding(
                "public-access-block-removed",
                "access",
                Level.DANGER,
                f"What keeps a bucket from being public is taken away ({code(block.name)}): "
                f"{_joined(code(name) for name in gone)}",
                resources=(block.urn,),
                gates=("wider-access",),
                brief="a bucket may become public",
            )
    for database in plan.of_type("aws:rds/instance:Instance"):
        public = database.after("publiclyAccessible")
        if public not in (None, False) and public != database.before("publiclyAccessible"):
            yield Finding(
                "database-public",
                "access",
                Level.DANGER,
                f"The database {code(database.name)} gets a public address: "
                f"{code('publiclyAccessible')} is {value_text(public)}",
                gates=("wider-access",),
                brief="the database gets a public address",
            )
    for token, sentence in _WAYS_IN.items():
        made = [found for found in plan.of_type(token) if found.action is Action.CREATE]
        if made:
            yield Finding(
                "way-to-the-internet",
                "access",
                Level.WARNING,
                f"{sentence}: {_joined(code(found.name) for found in made)}",
                resources=tuple(found.urn for found in made),
                gates=("wider-access",),
            )


def _users(plan: Plan) -> Iterator[Finding]:
    made = [found for found in plan.of_type("inkless:index:User") if found.action is Action.CREATE]
    if made:
        names = _joined(_user(found.after("name")) for found in made)
        yield Finding(
            "user-created",
            "access",
            Level.INFO,
            f"{counted(len(made), 'user is', 'users are')} created, who may do nothing but what "
            f"access rules say: {names}",
            resources=tuple(found.urn for found in made),
        )


def _user(name: Any) -> str:
    return str(name) if isinstance(name, Hidden) else code(name)
