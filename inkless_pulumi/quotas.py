"""How much users and clients may take of a cluster."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["Quota", "QuotaArgs"]


class QuotaArgs(TypedDict):
    """Arguments of Quota: whom it limits, and to how much."""

    user: NotRequired[pulumi.Input[str]]
    """The user's name; `*`: each user without a quota of their own."""
    client_id: NotRequired[pulumi.Input[str]]
    """The client id; `*`: each client id without a quota of its own."""
    producer_byte_rate: NotRequired[pulumi.Input[str | int]]
    """What may be written a second, on each broker: bytes, or a size like `10MiB`."""
    consumer_byte_rate: NotRequired[pulumi.Input[str | int]]
    """What may be read a second, on each broker: bytes, or a size like `10MiB`."""
    request_percentage: NotRequired[pulumi.Input[float]]
    """Share of a broker's request threads, in percent of one thread."""
    controller_mutation_rate: NotRequired[pulumi.Input[float]]
    """Partitions that may be created or deleted a second (KIP-599)."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class Quota(InklessResource):
    """How much a user, a client id, or a user's client id may take of the cluster.

    Brokers slow down who takes more. What is not limited here has no limit of this entity's own.
    """

    user: pulumi.Output[str | None]
    """The user's name."""
    client_id: pulumi.Output[str | None]
    """The client id."""

    _token = "inkless:index:Quota"
    _args = QuotaArgs

    def __init__(
        self, resource_name: str, args: QuotaArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(resource_name, args, opts)
