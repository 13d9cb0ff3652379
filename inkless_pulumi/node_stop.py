"""The guard of a running node, which keeps it from being stopped at the wrong time."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["NodeStop", "NodeStopArgs"]


class NodeStopArgs(TypedDict):
    """Arguments of NodeStop."""

    service: pulumi.Input[str]
    """The service's cluster id, as the RollingOrder of the service has it."""
    node_id: pulumi.Input[int]
    """Kafka's `node.id`."""
    name: pulumi.Input[str]
    """The node's name, for example `node-1`."""
    roles: pulumi.Input[list[pulumi.Input[str]]]
    """`broker`, `controller`, or both."""
    instance_id: pulumi.Input[str]
    """Id of the machine. Before it is replaced, this resource is."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster."""
    timeout_seconds: NotRequired[pulumi.Input[int]]
    """How long to wait, in seconds. The resource's custom timeouts go before it. Default: 600."""


class NodeStop(InklessResource):
    """Guards a running node: it is deleted right before the node's machine is, and that waits.

    Let it depend on the machine by `instance_id`. The wait ends when the node may be stopped
    without making anything unavailable, as the RollingOrder of the service has it. When the service
    is deleted as a whole there is no wait.
    """

    node_id: pulumi.Output[int]
    """Kafka's `node.id`."""

    _token = "inkless:index:NodeStop"
    _args = NodeStopArgs

    def __init__(
        self,
        resource_name: str,
        args: NodeStopArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
