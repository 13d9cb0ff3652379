"""The order in which the nodes of a service are changed."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["RollingOrder", "RollingOrderArgs"]


class RollingOrderArgs(TypedDict):
    """Arguments of RollingOrder."""

    service: pulumi.Input[str]
    """The service's cluster id."""
    controllers: pulumi.Input[list[pulumi.Input[int]]]
    """The node ids of the controllers, in the order of their creation."""
    brokers: pulumi.Input[list[pulumi.Input[int]]]
    """The node ids of the brokers, likewise. A node may be both."""
    runs: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """By node id, a text that changes with whatever the node's machine is made of. A change is a
    roll, whose order is decided anew."""
    version: pulumi.Input[str]
    """The version that the nodes run, `<Kafka version>-<increment>`."""
    on_shortage: NotRequired[pulumi.Input[str]]
    """What to do about topics that have no more replicas than `min.insync.replicas` asks for, or
    one, which are unavailable while a node is down: `refuse` to stop it; `wait` until they were
    given more; `accept` it. It holds for the very update that declares it. Default: `refuse`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster."""


class RollingOrder(InklessResource):
    """Decides, when what the nodes run changes, in which order they are changed.

    Nodes that do not serve come first, controllers before brokers (after them in a downgrade), the
    active controller last among the controllers.
    """

    order: pulumi.Output[list[int]]
    """Node ids: the first is changed first."""
    at_creation: pulumi.Output[bool]
    """Whether it is the order of creation, because nothing was ever changed."""

    _token = "inkless:index:RollingOrder"
    _args = RollingOrderArgs

    def __init__(
        self,
        resource_name: str,
        args: RollingOrderArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
