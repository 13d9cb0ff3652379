"""A running sandbox as its settings describe it."""

import platform
from dataclasses import dataclass
from typing import Any

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import loopback_range
from inkless_pulumi.sandbox.home import Home

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    home: Home
    region: str
    account_id: str
    aws_endpoint: str
    """`http://127.0.0.1:<port>`: S3, Secrets Manager, SSM, STS, ECR tokens, instance metadata."""
    registry: str
    """`127.0.0.1:<port>`: the account's image registry."""
    image: str
    """The upstream image that services start from."""
    diskless: bool
    diskless_reason: str
    """Why the image has no diskless topics; empty where it has."""
    loopback_range: int
    """Which loopback addresses are its own; see `loopback_range`."""
    architecture: str
    """What this machine runs, and so its instances: `amd64` or `arm64`."""

    @classmethod
    def described_by(cls, home: Home, settings: dict[str, Any]) -> "Sandbox":
        """The sandbox of a home, by the settings of a completed `up`."""
        image = settings["image"]
        return cls(
            home=home,
            region=settings["region"],
            account_id=settings["account_id"],
            aws_endpoint=settings["aws_endpoint"],
            registry=settings["registry"],
            image=image["reference"],
            diskless=image["diskless"],
            diskless_reason=image["reason"],
            loopback_range=settings[loopback_range.SETTING],
            architecture=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        )

    @classmethod
    def find(cls, home: Home) -> "Sandbox | None":
        """The sandbox of a home; None where none was ever started whole."""
        settings = home.read_settings()
        return cls.described_by(home, settings) if "image" in settings else None

    @classmethod
    def of(cls, home: Home) -> "Sandbox":
        """The sandbox of a home. Raises SandboxError where none was ever started whole."""
        found = cls.find(home)
        if found is None:
            raise SandboxError(
                f"there is no sandbox in {home.root}: start one with `inkless-pulumi sandbox up`"
            )
        return found
