"""An even share of the replicas for every broker."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["ReplicaBalance", "ReplicaBalanceArgs"]


class ReplicaBalanceArgs(TypedDict):
    """Arguments of ReplicaBalance."""

    service: pulumi.Input[str]
    """The service's cluster id."""
    brokers: pulumi.Input[list[pulumi.Input[int]]]
    """The node ids of the brokers. When they change, replicas are moved."""
    partitions_at_once: NotRequired[pulumi.Input[int]]
    """The most partitions that are moved at the same time. Default: 10."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster."""


class ReplicaBalance(InklessResource):
    """Moves replicas until every broker has an even share of them.

    It does so when it is made, and when the brokers change; topics that come later are spread by
    Kafka itself. A service declares it where it is asked to.
    """

    brokers: pulumi.Output[list[int]]
    """The node ids of the brokers."""

    _token = "inkless:index:ReplicaBalance"
    _args = ReplicaBalanceArgs

    def __init__(
        self,
        resource_name: str,
        args: ReplicaBalanceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
