"""The gate after a node, which lets nodes be changed one at a time."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["NodeLogArgs", "NodeReady", "NodeReadyArgs"]


class NodeLogArgs(TypedDict):
    """Where a node's log is."""

    kind: NotRequired[pulumi.Input[str]]
    """The service. Default, and the only one today: `aws-cloudwatch-logs`."""
    region: pulumi.Input[str]
    """The cloud's region, for example `eu-central-1`."""
    profile: NotRequired[pulumi.Input[str]]
    """A named profile of the machine that runs Pulumi. Default: the usual credential chain."""
    group: pulumi.Input[str]
    """The log group."""
    stream: pulumi.Input[str]
    """The log stream in it."""


class NodeReadyArgs(TypedDict):
    """Arguments of NodeReady."""

    service: NotRequired[pulumi.Input[str]]
    """The service's cluster id, as its RollingOrder has it: of several nodes that a roll found down
    the last is waited for. Default: none, each is waited for."""
    node_id: pulumi.Input[int]
    """Kafka's `node.id`."""
    name: pulumi.Input[str]
    """The node's name, for example `node-1`."""
    roles: pulumi.Input[list[pulumi.Input[str]]]
    """`broker`, `controller`, or both."""
    address: pulumi.Input[str]
    """The node's address, `host` or `host:port`. Default port: 9094, the mutual-TLS listener."""
    instance_id: pulumi.Input[str]
    """Id of the machine. Another machine is waited for."""
    configuration: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """The node's Kafka settings, so that previews show what changes. A change is waited for."""
    image: pulumi.Input[str]
    """The image that the node runs. Another image is waited for."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster."""
    log: NotRequired[pulumi.Input[NodeLogArgs]]
    """Where the node's log is; its end is part of the error when the node does not start. Default:
    not told."""
    wait_at_creation: NotRequired[pulumi.Input[bool]]
    """Whether creating the resource waits. The first controllers of a new cluster can't become
    ready alone: a quorum needs the majority of them. Updates always wait. Default: true."""
    timeout_seconds: NotRequired[pulumi.Input[int]]
    """How long to wait, in seconds. The resource's custom timeouts go before it. Default: 600."""


class NodeReady(InklessResource):
    """Waits until a node serves and the cluster is whole again.

    The node answers and is registered, every controller has caught up, every partition it holds is
    in sync and none lacks replicas. What depends on this resource is touched only then: let each
    node depend on the gate of the node before it. Deleting it does nothing.
    """

    node_id: pulumi.Output[int]
    """Kafka's `node.id`."""

    _token = "inkless:index:NodeReady"
    _args = NodeReadyArgs

    def __init__(
        self,
        resource_name: str,
        args: NodeReadyArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
