"""What a principal may do, by intent or in Kafka's own words: one or several ACLs.

An ACL has no owner and no name; it is what it says. So a rule owns the operations that it stands
for. Others on the same resource are not its business: it neither reports them as drift nor deletes
them. Two rules that stand for the same operation share the ACL, and the first that is deleted takes
it away.

Every change is made in place: what the rule stands for now is there before what it no longer stands
for goes, so that nobody is locked out in between.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from inkless_pulumi.core.access_intents import INTENTS, Grant, intent_grants, rule_problems
from inkless_pulumi.core.errors import ClusterError, InklessError, Problem
from inkless_pulumi.core.topics import DISKLESS
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
)
from inkless_pulumi.provider.kafka.model import Acl, Cluster, Refusal
from inkless_pulumi.provider.resource import Context, Created, Incomplete, WireModel

__all__ = ["AccessRule", "AccessRuleInputs", "AccessRuleOutputs"]

_WHO = ("principal", "host", "permission")
_RAW_ID = ("resource_type", "pattern_type", "resource_name")
_INTENT_ID = ("intent", "topic", "group")


class AccessRuleInputs(WireModel):
    """Who may do what with what: by `intent`, or raw by `resource_type` and `operations`."""

    principal: str
    """Who: `User:<name>`, or `User:*` for everybody."""
    host: str = "*"
    """From which IP address. Default: `*`, any."""
    intent: str | None = None
    """`produce`, `consume` or `admin`: all that it takes, on `topic`. Default: none, a raw rule."""
    topic: str | None = None
    """With an intent, the topic's name; one that ends in `*`: all that begin so."""
    group: str | None = None
    """With `consume` or `admin`, the consumer group's name; `*` at its end as for topics."""
    transactional_id: str | None = None
    """With `produce`, the id of the producer's transactions; `*` at its end as for topics."""
    resource_type: str | None = None
    """Raw: `topic`, `group`, `cluster`, `transactional_id`, `delegation_token` or `user`."""
    resource_name: str | None = None
    """Raw: name of the resource; of a cluster it is `kafka-cluster`; `*`: every resource."""
    pattern_type: str | None = None
    """Raw: `literal`, of exactly this name; `prefixed`, of all that begin so. Default: `literal`.
    """
    operations: list[str] | None = None
    """Raw: `read`, `write`, `create`, `delete`, `alter`, `describe`, … or `all`."""
    permission: str = "allow"
    """`allow`, or `deny`, which goes before any `allow`. Default: `allow`."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class AccessRuleOutputs(WireModel):
    """What is not as declared; the inputs say the rest."""

    missing: list[str] = Field(default_factory=list)
    """Operations of an intent that somebody took away; the next update puts them back."""


class AccessRule(resource.Resource[AccessRuleInputs, AccessRuleOutputs]):
    """See the module."""

    token = "inkless:index:AccessRule"
    inputs = AccessRuleInputs
    outputs = AccessRuleOutputs
    description: ClassVar[str] = (
        "Allows a principal to produce to, consume from or administer topics, or single operations "
        "on topics, groups or the cluster; or denies them. Nothing is allowed until a rule says "
        "so.\n\n"
        "Import: `<principal>;<host>;<permission>;<intent>;<topic>;<group>`, or for a raw rule "
        "`<principal>;<host>;<permission>;<resource type>;<pattern type>;<resource name>`, with "
        "the environment variable `INKLESS_CONNECTION` set to the service's connection as JSON."
    )

    def __init__(self, open_cluster: OpenCluster = CONNECTIONS.cluster) -> None:
        self._open_cluster = open_cluster

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what is not in Kafka's vocabulary."""
        yield from rule_problems(known)
        yield from connection_problems(known)

    def defaults(self, known: Mapping[str, object]) -> Mapping[str, object]:
        """A raw rule is about exactly one name."""
        raw = known.get("intent") is None and known.get("resource_type") is not None
        return {"pattern_type": "literal"} if raw else {}

    def stale(self, known: Mapping[str, object], outputs: AccessRuleOutputs) -> Iterable[str]:
        """See that operations are missing."""
        return ["missing"] if outputs.missing else []

    def preview(
        self, known: Mapping[str, object], prior: AccessRuleOutputs | None
    ) -> Mapping[str, object]:
        """Nothing is missing once the rule was applied."""
        return {"missing": []}

    def create(self, inputs: AccessRuleInputs, context: Context) -> Created[AccessRuleOutputs]:
        """Add the ACLs; those that exist already are what was wanted."""
        made = Created(_id(inputs), AccessRuleOutputs())
        cluster = self._open_cluster(inputs.connection, context)
        answers = cluster.acls.create(_acls(inputs))
        try:
            _accept(answers, "could not be allowed or denied")
        except ClusterError as reason:
            if all(answers.values()):
                raise
            raise Incomplete(str(reason), id=made.id, outputs=made.outputs) from reason
        _warn_of_transactions(cluster, inputs, context)
        return made

    def read(
        self,
        id: str,
        inputs: AccessRuleInputs | None,
        outputs: AccessRuleOutputs | None,
        context: Context,
    ) -> tuple[AccessRuleInputs, AccessRuleOutputs] | None:
        """See which of the rule's operations are there; on import, all that are."""
        rule = inputs or _to_import(id)
        acls = self._open_cluster(rule.connection, context).acls
        wanted = _acls(rule)
        found = frozenset[Acl]().union(*(acls.describe(like) for like in _one_a_resource(wanted)))
        if rule.intent is not None:
            missing = [f"{acl.operation} on {_what(acl)}" for acl in wanted if acl not in found]
            complete = AccessRuleOutputs(missing=missing)
            return (rule, complete) if len(missing) < len(wanted) else None
        present = {acl.operation for acl in found}
        if inputs is not None:
            operations = [name for name in inputs.operations or [] if name in present]
        else:
            operations = sorted(present)
        if not operations:
            return None
        return rule.model_copy(update={"operations": operations}), AccessRuleOutputs()

    def update(
        self,
        id: str,
        old_inputs: AccessRuleInputs,
        old_outputs: AccessRuleOutputs,
        inputs: AccessRuleInputs,
        context: Context,
    ) -> AccessRuleOutputs:
        """Add what the rule stands for now, then remove what it no longer does."""
        cluster = self._open_cluster(inputs.connection, context)
        wanted = _acls(inputs)
        _accept(cluster.acls.create(wanted), "could not be allowed or denied")
        dropped = [acl for acl in _acls(old_inputs) if acl not in wanted]
        if dropped:
            _accept(cluster.acls.delete(dropped), "could not be taken away")
        _warn_of_transactions(cluster, inputs, context)
        return AccessRuleOutputs()

    def delete(
        self,
        id: str,
        inputs: AccessRuleInputs,
        outputs: AccessRuleOutputs,
        context: Context,
    ) -> None:
        """Remove the rule's own ACLs, no others."""
        cluster = self._open_cluster(inputs.connection, context)
        _accept(cluster.acls.delete(_acls(inputs)), "could not be taken away")


def _grants(inputs: AccessRuleInputs) -> tuple[Grant, ...]:
    if inputs.intent is not None:
        return intent_grants(
            inputs.intent, inputs.topic or "", inputs.group, inputs.transactional_id
        )
    return (
        Grant(
            inputs.resource_type or "",
            inputs.resource_name or "",
            inputs.pattern_type or "literal",
            tuple(inputs.operations or ()),
        ),
    )


def _acls(inputs: AccessRuleInputs) -> list[Acl]:
    return [
        Acl(
            principal=inputs.principal,
            host=inputs.host,
            resource_type=grant.resource_type,
            resource_name=grant.resource_name,
            pattern_type=grant.pattern_type,
            operation=operation,
            permission=inputs.permission,
        )
        for grant in _grants(inputs)
        for operation in grant.operations
    ]


def _one_a_resource(acls: Iterable[Acl]) -> Iterable[Acl]:
    return {(acl.resource_type, acl.resource_name, acl.pattern_type): acl for acl in acls}.values()


def _what(acl: Acl) -> str:
    return f"{acl.resource_type} {acl.resource_name}{'*' if acl.pattern_type == 'prefixed' else ''}"


def _accept(answers: Mapping[Acl, Refusal | None], what: str) -> None:
    refused = {acl: answer for acl, answer in answers.items() if answer is not None}
    if refused:
        told = "; ".join(f"{acl.operation} ({answer})" for acl, answer in refused.items())
        acl = next(iter(refused))
        raise ClusterError(f"{acl.principal} on {_what(acl)}: {told} {what}.")


def _warn_of_transactions(cluster: Cluster, inputs: AccessRuleInputs, context: Context) -> None:
    """A producer with a transactional id gets errors from a diskless topic, which has none."""
    if inputs.transactional_id is None or inputs.topic is None:
        return
    names = [inputs.topic]
    if inputs.topic.endswith("*"):
        names = [n for n in cluster.topics.names() if n.startswith(inputs.topic[:-1])]
    found = cluster.topics.describe(names, [DISKLESS])
    diskless = [name for name, topic in found.items() if topic.settings.get(DISKLESS) == "true"]
    if diskless:
        context.warn(
            f"{inputs.principal} may use the transactional id {inputs.transactional_id} on the "
            f"diskless topic {', '.join(diskless)}, which has no transactions: such a producer "
            "fails there. Use a classic topic, or produce without a transactional id."
        )


def _id(inputs: AccessRuleInputs) -> str:
    parts = _RAW_ID if inputs.intent is None else _INTENT_ID
    pattern = {"pattern_type": inputs.pattern_type or "literal"}
    values = {**inputs.model_dump(exclude_none=True), **pattern}
    return ";".join(str(values.get(part, "")) for part in (*_WHO, *parts))


def _to_import(id: str) -> AccessRuleInputs:
    values = id.split(";", len(_WHO) + len(_RAW_ID) - 1)
    if len(values) != len(_WHO) + len(_RAW_ID):
        wanted = ";".join(f"<{part.replace('_', ' ')}>" for part in (*_WHO, *_INTENT_ID))
        raise InklessError(f"{id!r} is not the id of an access rule. Import by {wanted}.")
    by_intent = values[len(_WHO)] in INTENTS
    names = (*_WHO, *(_INTENT_ID if by_intent else _RAW_ID))
    given: dict[str, object] = {
        name: value for name, value in zip(names, values, strict=True) if value
    }
    if not by_intent:
        given["operations"] = ["all"]
    given["connection"] = connection_for_import(f"the access rule {id}")
    return AccessRuleInputs.model_validate(given)
