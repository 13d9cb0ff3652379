"""The image that nodes run, in the account's own registry."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource

__all__ = ["BrokerImage", "BrokerImageArgs", "RegistryAccessArgs"]


class RegistryAccessArgs(TypedDict):
    """How to log in to the account's registry."""

    kind: pulumi.Input[str]
    """`ecr`: with a token that Amazon ECR gives to this account's identity; `anonymous`: not."""
    region: NotRequired[pulumi.Input[str]]
    """The region of the registry, for example `eu-central-1`. `ecr` needs it."""
    profile: NotRequired[pulumi.Input[str]]
    """A named AWS profile of the machine that runs Pulumi. Default: the usual credential chain."""


class BrokerImageArgs(TypedDict):
    """Arguments of BrokerImage."""

    upstream: pulumi.Input[str]
    """The image to start from, with a full version or a digest: `ghcr.io/aiven/inkless:4.2.1-0.47`.
    It is fetched anonymously, or with the credentials that `docker login` left on the machine that
    runs Pulumi."""
    repository: pulumi.Input[str]
    """The repository it is pushed to, as host and path, such as an ECR repository's URL. Another
    one replaces the resource."""
    registry: pulumi.Input[RegistryAccessArgs]
    """How to log in there."""
    platforms: pulumi.Input[list[str]]
    """Those of the machines that run it: `linux/arm64`, `linux/amd64`. A platform that upstream
    lacks is an error, at preview already where upstream can be asked."""


class BrokerImage(InklessResource):
    """An upstream Inkless image with this package's overlay, in a registry of your own.

    It is assembled and pushed without a Docker daemon. Only layers that are missing are copied,
    each is verified, and an interrupted run goes on where it stopped. The digest changes only when
    the upstream image, the platforms or the overlay do; what earlier updates pushed stays until the
    resource is deleted, because nodes that are not rolled yet still pull it.

    Import it by `<repository>@sha256:…`.
    """

    reference: pulumi.Output[str]
    """What nodes pull: `<repository>@sha256:…`."""
    digest: pulumi.Output[str]
    """`sha256:…` of the image, or of the index where there are several platforms."""
    upstream_digest: pulumi.Output[str]
    """What `upstream` was resolved to; kept until `upstream` changes."""
    overlay_digest: pulumi.Output[str]
    """`sha256:…` of the overlay's files."""
    diskless: pulumi.Output[bool]
    """Whether its brokers can hold diskless topics. False only for an image that says so in its
    label `io.inkless.diskless`."""
    recipe: pulumi.Output[str]
    """Fingerprint of upstream, platforms and overlay."""
    pushed: pulumi.Output[dict[str, list[str]]]
    """Everything the resource pushed, as tag to digests."""

    _token = "inkless:index:BrokerImage"
    _args = BrokerImageArgs

    def __init__(
        self,
        resource_name: str,
        args: BrokerImageArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
