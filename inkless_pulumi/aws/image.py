"""The broker image in the account's own registry."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.location import partition_of
from inkless_pulumi.aws.scope import Scope
from inkless_pulumi.broker_image import BrokerImage, RegistryAccessArgs
from inkless_pulumi.core.image import platform
from inkless_pulumi.core.service_model import ServiceDeclaration

_ECR_URL = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<name>.+)"
)


class Repository:
    """A registry's repository: what the image is pushed to, and the nodes may pull."""

    def __init__(self, url: pulumi.Output[str], arn: pulumi.Output[str]) -> None:
        self.url = url
        self.arn = arn


def repository(scope: Scope, given: pulumi.Input[str] | None) -> Repository:
    """The given repository, or one of the service's own."""
    if given is not None:
        url = pulumi.Output.from_input(given)
        return Repository(url, url.apply(repository_arn))
    made = aws.ecr.Repository(
        # Nodes pull by digest. Tags only keep the images from being cleaned up, and may move.
        scope.named("images"),
        image_scanning_configuration={"scan_on_push": True},
        force_delete=not scope.deletion_protection,
        tags=scope.tagged("images"),
        opts=scope.options(),
    )
    return Repository(made.repository_url, made.arn)


def repository_arn(url: str) -> str:
    """The ARN of an ECR repository, from its URL; `*` for one that is not on ECR."""
    found = _ECR_URL.fullmatch(url)
    if found is None:
        return "*"
    parts: Mapping[str, str] = found.groupdict()
    partition = partition_of(parts["region"])
    return f"arn:{partition}:ecr:{parts['region']}:{parts['account']}:repository/{parts['name']}"


def broker_image(
    scope: Scope,
    declaration: ServiceDeclaration,
    target: Repository,
    region: str,
    profile: str | None,
) -> BrokerImage:
    """Push the upstream image with our overlay, for the machines' platform."""
    registry: RegistryAccessArgs = {"kind": "ecr", "region": region}
    if profile is not None:
        registry["profile"] = profile
    return BrokerImage(
        scope.named("image"),
        {
            "upstream": declaration.upstream_image,
            "repository": target.url,
            "registry": registry,
            "platforms": [platform(declaration.architecture)],
        },
        opts=scope.options(),
    )
