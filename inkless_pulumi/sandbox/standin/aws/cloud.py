"""AWS as the servicer needs it: all types and functions, and the provider's settings."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from inkless_pulumi.sandbox.account import Account
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.standin.aws import (
    databases,
    firewall,
    functions,
    identity,
    images,
    interfaces,
    machines,
    names,
    network,
    observability,
    secrets_and_keys,
    storage,
)
from inkless_pulumi.sandbox.standin.aws.shapes import ACCOUNT_ID
from inkless_pulumi.sandbox.standin.behaviour import Behaviour, Site
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.cloud import Cloud
from inkless_pulumi.sandbox.standin.table import TypeTable
from inkless_pulumi.sandbox.standin.wire import UNKNOWN

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_MODULES = (
    network,
    firewall,
    interfaces,
    machines,
    storage,
    databases,
    identity,
    secrets_and_keys,
    images,
    observability,
    names,
)


class Aws(Cloud):
    """AWS."""

    package = "aws"
    title = "AWS"

    def __init__(self) -> None:
        self.table = TypeTable.load("aws-types.json")
        self.behaviours: Mapping[str, Behaviour] = {
            behaviour.token: behaviour for module in _MODULES for behaviour in module.BEHAVIOURS
        }
        self.functions = functions.FUNCTIONS

    def check_config(self, config: Mapping[str, Any]) -> Iterator[Failure]:
        """The region must be given and of the right form."""
        region = _region(config)
        if region is None:
            yield Failure(
                "region",
                "missing region: set it with `pulumi config set aws:region …` or in AWS_REGION",
            )
        elif region is not UNKNOWN and not _REGION.fullmatch(region):
            yield Failure("region", f"{region!r} is not a region's name")

    def configure(self, config: Mapping[str, Any]) -> Site:
        """The account of the sandbox's home, else one in memory."""
        home = Home.from_environment()
        allowed = config.get("allowedAccountIds")
        if allowed and ACCOUNT_ID not in allowed:
            raise ValueError(f"AWS account ID not allowed: {ACCOUNT_ID}")
        return Site(
            account=Account(None if home is None else home.account_db),
            account_id=ACCOUNT_ID,
            region=str(_region(config)),
            home=None if home is None or home.recorded_only else home,
            default_tags=config.get("defaultTags", {}).get("tags", {}),
        )

    def tags_all(self, site: Site, tags: Any) -> Any:
        """The provider's default tags under the resource's own."""
        if tags is UNKNOWN:
            return UNKNOWN
        return {**site.default_tags, **(tags or {})}


def _region(config: Mapping[str, Any]) -> Any:
    found = config.get("region")
    return found or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
