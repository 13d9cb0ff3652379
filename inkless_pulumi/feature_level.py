"""The feature level of a cluster, raised when every node runs the version that it is for."""

from typing import TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["FeatureLevel", "FeatureLevelArgs"]


class FeatureLevelArgs(TypedDict):
    """Arguments of FeatureLevel."""

    service: pulumi.Input[str]
    """The service's cluster id."""
    version: pulumi.Input[str]
    """The version that every node runs, `<Kafka version>-<Inkless increment>`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster."""


class FeatureLevel(InklessResource):
    """Finalises Kafka's `metadata.version` for the version that all nodes run.

    Let it depend on all their gates and guards. A version that can't read what was finalised is
    refused at preview.
    """

    metadata_version: pulumi.Output[int]
    """The finalised level of Kafka's feature `metadata.version`."""

    _token = "inkless:index:FeatureLevel"
    _args = FeatureLevelArgs

    def __init__(
        self,
        resource_name: str,
        args: FeatureLevelArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
