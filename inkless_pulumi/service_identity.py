"""The ids that a service keeps for life."""

from typing import TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource

__all__ = ["ServiceIdentity", "ServiceIdentityArgs"]


class ServiceIdentityArgs(TypedDict):
    """Arguments of ServiceIdentity."""

    name: pulumi.Input[str]
    """Name of the service, for people."""
    cluster_type: pulumi.Input[str]
    """`inkless` or `classic`. Fixed at creation."""
    topology: pulumi.Input[str]
    """`combined` or `dedicated`. Fixed at creation."""
    zones: pulumi.Input[list[pulumi.Input[str]]]
    """The zones of its nodes, in the order in which they take node ids. Fixed at creation."""
    controller_ids: pulumi.Input[list[pulumi.Input[int]]]
    """Node ids of the controllers that form the first quorum."""


class ServiceIdentity(InklessResource):
    """The identity of a service: its Kafka cluster id and its controllers' directory ids.

    It exists in Pulumi's state only, and must outlive every node. A change of what is fixed at
    creation is refused at preview; new controllers get ids of their own, the others keep theirs.
    """

    cluster_id: pulumi.Output[str]
    """Kafka's cluster id, made once."""
    directory_ids: pulumi.Output[dict[str, str]]
    """Directory id of each controller by its node id."""

    _token = "inkless:index:ServiceIdentity"
    _args = ServiceIdentityArgs

    def __init__(
        self,
        resource_name: str,
        args: ServiceIdentityArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
