"""What a principal may do with a resource of the cluster: one or several ACLs.

An ACL has no owner and no name; it is what it says. So a rule owns the operations it lists for its
principal, host, resource and permission. Others with the same five are not its business: it neither
reports them as drift nor deletes them. Two rules that list the same operation share the ACL, and
the first that is deleted takes it away.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from inkless_pulumi.core.access import access_rule_problems
from inkless_pulumi.core.errors import ClusterError, InklessError, Problem
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
)
from inkless_pulumi.provider.kafka.model import Acl, Refusal
from inkless_pulumi.provider.resource import Context, Created, Incomplete, WireModel

__all__ = ["AccessRule", "AccessRuleInputs", "AccessRuleOutputs"]

_ID_PARTS = ("principal", "host", "permission", "resource_type", "pattern_type", "resource_name")


class AccessRuleInputs(WireModel):
    """Who may do what with what."""

    principal: str
    """Who: `User:<name>`, or `User:*` for everybody."""
    host: str = "*"
    """From which IP address. Default: `*`, any."""
    resource_type: str
    """`topic`, `group`, `cluster`, `transactional_id`, `delegation_token` or `user`."""
    resource_name: str
    """The name of the resource; of a cluster it is `kafka-cluster`; `*`: every resource."""
    pattern_type: str = "literal"
    """`literal`: of exactly this name; `prefixed`: of all that begin so. Default: `literal`."""
    operations: list[str]
    """What: `read`, `write`, `create`, `delete`, `alter`, `describe`, … or `all`."""
    permission: str = "allow"
    """`allow`, or `deny`, which goes before any `allow`. Default: `allow`."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class AccessRuleOutputs(WireModel):
    """Nothing: the inputs say it all."""


class AccessRule(resource.Resource[AccessRuleInputs, AccessRuleOutputs]):
    """See the module."""

    token = "inkless:index:AccessRule"
    inputs = AccessRuleInputs
    outputs = AccessRuleOutputs
    description: ClassVar[str] = (
        "Allows a principal operations on topics, groups or the cluster, or denies them. Nothing "
        "is allowed until a rule says so.\n\n"
        "Import: `<principal>;<host>;<permission>;<resource type>;<pattern type>;<resource name>`, "
        "with the environment variable `INKLESS_CONNECTION` set to the service's connection as "
        "JSON."
    )
    # The new rule is there before the old one goes, so that nobody is locked out in between.
    replace_on = frozenset(_ID_PARTS)

    def __init__(self, open_cluster: OpenCluster = CONNECTIONS.cluster) -> None:
        self._open_cluster = open_cluster

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what is not in Kafka's vocabulary."""
        yield from access_rule_problems(known)
        yield from connection_problems(known)

    def create(self, inputs: AccessRuleInputs, context: Context) -> Created[AccessRuleOutputs]:
        """Add the ACLs; those that exist already are what was wanted."""
        made = Created(_id(inputs), AccessRuleOutputs())
        cluster = self._open_cluster(inputs.connection, context)
        answers = cluster.acls.create(_acls(inputs, inputs.operations))
        try:
            _accept(answers, "could not be allowed or denied")
        except ClusterError as reason:
            if all(answers.values()):
                raise
            raise Incomplete(str(reason), id=made.id, outputs=made.outputs) from reason
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
        [like] = _acls(rule, ["all"])
        present = self._open_cluster(rule.connection, context).acls.describe(like)
        found = {acl.operation for acl in present}
        if inputs is not None:
            operations = [operation for operation in inputs.operations if operation in found]
        else:
            operations = sorted(found)
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
        """Add what is listed now, then remove what no longer is."""
        cluster = self._open_cluster(inputs.connection, context)
        _accept(
            cluster.acls.create(_acls(inputs, inputs.operations)), "could not be allowed or denied"
        )
        dropped = [name for name in old_inputs.operations if name not in inputs.operations]
        _accept(cluster.acls.delete(_acls(inputs, dropped)), "could not be taken away")
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
        _accept(cluster.acls.delete(_acls(inputs, inputs.operations)), "could not be taken away")


def _acls(inputs: AccessRuleInputs, operations: Sequence[str]) -> list[Acl]:
    return [
        Acl(
            principal=inputs.principal,
            host=inputs.host,
            resource_type=inputs.resource_type,
            resource_name=inputs.resource_name,
            pattern_type=inputs.pattern_type,
            operation=operation,
            permission=inputs.permission,
        )
        for operation in operations
    ]


def _accept(answers: Mapping[Acl, Refusal | None], what: str) -> None:
    refused = {acl: answer for acl, answer in answers.items() if answer is not None}
    if refused:
        told = "; ".join(f"{acl.operation} ({answer})" for acl, answer in refused.items())
        acl = next(iter(refused))
        raise ClusterError(
            f"{acl.principal} on {acl.resource_type} {acl.resource_name}: {told} {what}."
        )


def _id(inputs: AccessRuleInputs) -> str:
    return ";".join(str(getattr(inputs, part)) for part in _ID_PARTS)


def _to_import(id: str) -> AccessRuleInputs:
    parts = id.split(";", len(_ID_PARTS) - 1)
    if len(parts) != len(_ID_PARTS):
        wanted = ";".join(f"<{part.replace('_', ' ')}>" for part in _ID_PARTS)
        raise InklessError(f"{id!r} is not the id of an access rule. Import by {wanted}.")
    return AccessRuleInputs.model_validate(
        {
            **dict(zip(_ID_PARTS, parts, strict=True)),
            "operations": ["all"],
            "connection": connection_for_import(f"the access rule {id}"),
        }
    )
