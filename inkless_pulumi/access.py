"""Who may do what with the topics, groups and settings of a cluster."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["AccessRule", "AccessRuleArgs"]


class AccessRuleArgs(TypedDict):
    """Arguments of AccessRule."""

    principal: pulumi.Input[str]
    """Who: `User:<name>`, or `User:*` for everybody."""
    host: NotRequired[pulumi.Input[str]]
    """From which IP address. Default: `*`, any."""
    resource_type: pulumi.Input[str]
    """`topic`, `group`, `cluster`, `transactional_id`, `delegation_token` or `user`."""
    resource_name: pulumi.Input[str]
    """The name of the resource; of a cluster it is `kafka-cluster`; `*`: every resource."""
    pattern_type: NotRequired[pulumi.Input[str]]
    """`literal`: of exactly this name; `prefixed`: of all that begin so. Default: `literal`."""
    operations: pulumi.Input[Sequence[pulumi.Input[str]]]
    """What: `read`, `write`, `create`, `delete`, `alter`, `describe`, … or `all`."""
    permission: NotRequired[pulumi.Input[str]]
    """`allow`, or `deny`, which goes before any `allow`. Default: `allow`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class AccessRule(InklessResource):
    """Allows a principal operations on topics, groups or the cluster, or denies them.

    Nothing is allowed until a rule says so. To write a topic takes `write` and `describe`; to read
    it takes `read` and `describe` on the topic and `read` on the consumer group.
    """

    principal: pulumi.Output[str]
    """Who."""
    operations: pulumi.Output[list[str]]
    """What."""

    _token = "inkless:index:AccessRule"
    _args = AccessRuleArgs

    def __init__(
        self,
        resource_name: str,
        args: AccessRuleArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
