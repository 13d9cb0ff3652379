"""The machine image that nodes boot, looked up once and then kept."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource

__all__ = ["MachineImage", "MachineImageArgs"]


class MachineImageArgs(TypedDict):
    """Arguments of MachineImage."""

    parameter: pulumi.Input[str]
    """Name of the public SSM parameter that holds the id of the current image."""
    region: pulumi.Input[str]
    """AWS region, whose images are meant."""
    profile: NotRequired[pulumi.Input[str]]
    """A named AWS profile of the machine that runs Pulumi. Default: the usual credential chain."""
    renewal: NotRequired[pulumi.Input[str]]
    """Any text. A changed one looks the image up again; until then it stays. Default: empty."""


class MachineImage(InklessResource):
    """The machine image (AMI) that an SSM parameter names at the time of creation.

    It stays the same until `parameter`, `region` or `renewal` changes, so that a newly published
    image does not replace running machines.
    """

    image_id: pulumi.Output[str]
    """Id of the image, such as `ami-0123456789abcdef0`."""

    _token = "inkless:index:MachineImage"
    _args = MachineImageArgs

    def __init__(
        self,
        resource_name: str,
        args: MachineImageArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
