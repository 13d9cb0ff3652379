"""Settings of all brokers that take effect without a restart."""

from collections.abc import Mapping
from typing import TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["ClusterSettings", "ClusterSettingsArgs"]


class ClusterSettingsArgs(TypedDict):
    """Arguments of ClusterSettings."""

    service: pulumi.Input[str]
    """The service's cluster id."""
    settings: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """Broker settings by Kafka's names, those only that a running broker takes for all alike.
    What is not named is left as it is."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster."""


class ClusterSettings(InklessResource):
    """Settings of all brokers that are kept in the cluster's metadata.

    A change reaches running brokers, and no node is restarted. A service declares it by itself.
    """

    settings: pulumi.Output[dict[str, str]]
    """Broker settings by Kafka's names."""

    _token = "inkless:index:ClusterSettings"
    _args = ClusterSettingsArgs

    def __init__(
        self,
        resource_name: str,
        args: ClusterSettingsArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
