"""Who may do what with the topics, groups and settings of a cluster."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["AccessRule", "AccessRuleArgs"]


class AccessRuleArgs(TypedDict):
    """Arguments of AccessRule: `intent` and `topic`, or raw, `resource_type` and `operations`."""

    principal: pulumi.Input[str]
    """Who: `User:<name>`, or `User:*` for everybody."""
    host: NotRequired[pulumi.Input[str]]
    """From which IP address. Default: `*`, any."""
    intent: NotRequired[pulumi.Input[str]]
    """`produce`, `consume` or `admin`: all that it takes, on `topic`. Default: none, a raw rule."""
    topic: NotRequired[pulumi.Input[str]]
    """With an intent, the topic's name; one that ends in `*`: all that begin so."""
    group: NotRequired[pulumi.Input[str]]
    """With `consume` or `admin`, the consumer group's name; `*` at its end as for topics."""
    transactional_id: NotRequired[pulumi.Input[str]]
    """With `produce`, the id of the producer's transactions; `*` at its end as for topics. Diskless
    topics have no transactions."""
    resource_type: NotRequired[pulumi.Input[str]]
    """Raw: `topic`, `group`, `cluster`, `transactional_id`, `delegation_token` or `user`."""
    resource_name: NotRequired[pulumi.Input[str]]
    """Raw: the name of the resource; of a cluster it is `kafka-cluster`; `*`: every resource."""
    pattern_type: NotRequired[pulumi.Input[str]]
    """Raw: `literal`, of exactly this name; `prefixed`, of all that begin so. Default: `literal`.
    """
    operations: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Raw: `read`, `write`, `create`, `delete`, `alter`, `describe`, … or `all`."""
    permission: NotRequired[pulumi.Input[str]]
    """`allow`, or `deny`, which goes before any `allow`. Default: `allow`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class AccessRule(InklessResource):
    """Allows a principal to produce to, consume from or administer topics, or denies it.

        AccessRule("orders-writer", {"principal": "User:orders", "intent": "produce",
                                     "topic": "orders.*", "connection": connection})

    Single operations on topics, groups or the cluster are allowed by a raw rule. Nothing is allowed
    until a rule says so.
    """

    principal: pulumi.Output[str]
    """Who."""
    missing: pulumi.Output[list[str]]
    """Operations of the intent that somebody took away; the next update puts them back."""

    _token = "inkless:index:AccessRule"
    _args = AccessRuleArgs

    def __init__(
        self,
        resource_name: str,
        args: AccessRuleArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
