"""The machine image that nodes boot, looked up once and then kept."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.errors import InklessError, Problem
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.aws_clients import aws_client, error_code, explanation
from inkless_pulumi.provider.resource import Context, Created, WireModel

__all__ = ["MachineImage"]


class MachineImageInputs(WireModel):
    """Which image is wanted."""

    parameter: str
    """Name of the public SSM parameter that holds the id of the current image."""
    region: str
    """AWS region, whose images are meant."""
    profile: str | None = None
    """A named AWS profile of the machine that runs Pulumi. Default: the usual credential chain."""
    renewal: str = ""
    """Any text. A changed one looks the image up again; until then it stays. Default: empty."""


class MachineImageOutputs(WireModel):
    """Which image it is."""

    image_id: str
    """Id of the image, such as `ami-0123456789abcdef0`."""


class MachineImage(resource.Resource[MachineImageInputs, MachineImageOutputs]):
    """A lookup with a memory: nodes are not replaced because a vendor published an image."""

    token = "inkless:index:MachineImage"
    inputs = MachineImageInputs
    outputs = MachineImageOutputs
    description: ClassVar[str] = (
        "The machine image (AMI) that an SSM parameter names at the time of creation. It stays "
        "the same until `parameter`, `region` or `renewal` changes, so that a newly published "
        "image does not replace running machines."
    )

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what can't be the name of a parameter."""
        parameter = known.get("parameter")
        if isinstance(parameter, str) and not parameter.startswith("/"):
            remedy = "give its full name, as in /aws/service/ami-amazon-linux-latest/…"
            yield Problem("parameter", parameter, "is no full name of an SSM parameter", remedy)

    def preview(
        self, known: Mapping[str, object], prior: MachineImageOutputs | None
    ) -> Mapping[str, object]:
        """A new lookup may find another image."""
        return {}

    def create(self, inputs: MachineImageInputs, context: Context) -> Created[MachineImageOutputs]:
        """Look the image up."""
        image_id = _current_image(inputs)
        return Created(image_id, MachineImageOutputs(image_id=image_id))

    def read(
        self,
        id: str,
        inputs: MachineImageInputs | None,
        outputs: MachineImageOutputs | None,
        context: Context,
    ) -> tuple[MachineImageInputs, MachineImageOutputs] | None:
        """Answer what state says: that is the whole point."""
        if inputs is None or outputs is None:
            raise InklessError(
                "A MachineImage can't be imported: it remembers a lookup. Declare it, and pin an "
                "image you already use by giving the service that image's id instead."
            )
        return inputs, outputs

    def update(
        self,
        id: str,
        old_inputs: MachineImageInputs,
        old_outputs: MachineImageOutputs,
        inputs: MachineImageInputs,
        context: Context,
    ) -> MachineImageOutputs:
        """Look the image up again, unless only the credentials changed."""
        asked = ("parameter", "region", "renewal")
        if all(getattr(old_inputs, name) == getattr(inputs, name) for name in asked):
            return old_outputs
        return MachineImageOutputs(image_id=_current_image(inputs))

    def delete(
        self,
        id: str,
        inputs: MachineImageInputs,
        outputs: MachineImageOutputs,
        context: Context,
    ) -> None:
        """Nothing to remove but the state; the image is its vendor's."""


def _current_image(inputs: MachineImageInputs) -> str:
    """The id that the parameter holds now."""
    where = f"The SSM parameter {inputs.parameter} in {inputs.region}"
    try:
        client = aws_client("ssm", inputs.region, inputs.profile)
        value = client.get_parameter(Name=inputs.parameter)["Parameter"]["Value"]
    except Exception as error:
        if error_code(error) == "ParameterNotFound":
            raise InklessError(
                f"{where} does not exist. `aws ssm get-parameters-by-path --path "
                f"{inputs.parameter.rpartition('/')[0]} --region {inputs.region}` lists those "
                "beside it."
            ) from None
        why = explanation(
            error, action="ssm:GetParameter", region=inputs.region, profile=inputs.profile
        )
        raise InklessError(f"{where} could not be read: {why}") from error
    if not value.startswith("ami-"):
        raise InklessError(f"{where} holds {value!r}, which is no machine image (ami-…).")
    return value
