"""A broker's place on the cluster's books."""

from typing import TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["BrokerRegistration", "BrokerRegistrationArgs"]


class BrokerRegistrationArgs(TypedDict):
    """Arguments of BrokerRegistration."""

    service: pulumi.Input[str]
    """The service's cluster id."""
    node_id: pulumi.Input[int]
    """Kafka's `node.id`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster."""


class BrokerRegistration(InklessResource):
    """A broker's place on the cluster's books, given up when this resource is deleted.

    Let the broker's machine depend on it: it is deleted after the machine then. When the service is
    deleted as a whole it does nothing.
    """

    node_id: pulumi.Output[int]
    """Kafka's `node.id`."""

    _token = "inkless:index:BrokerRegistration"
    _args = BrokerRegistrationArgs

    def __init__(
        self,
        resource_name: str,
        args: BrokerRegistrationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
