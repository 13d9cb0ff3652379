"""A resource that does what a test tells it to, to see what the engine makes of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.resource import Context, Created, Incomplete, WireModel


class PlaceInputs(WireModel):
    """Where."""

    repeated = False

    host_name: str
    """Host."""
    port: int = 80
    """Port."""


class ProbeInputs(WireModel):
    """What to do."""

    label: str = "plain"
    """Echoed in `shout`; a change replaces."""
    settings: dict[str, str] = {}  # noqa: RUF012
    """Any settings."""
    place: PlaceInputs | None = None
    """A nested thing."""
    script: str = ""
    """A file; its text is what the next operation does."""


class ProbeOutputs(WireModel):
    """What was done."""

    shout: str
    """The label in capitals."""
    token: str
    """A secret."""


class Probe(resource.Resource[ProbeInputs, ProbeOutputs]):
    """See the module."""

    token = "inkless:index:Probe"
    inputs = ProbeInputs
    outputs = ProbeOutputs
    description: ClassVar[str] = "For tests."
    replace_on = frozenset({"label"})
    secret_outputs = frozenset({"token"})

    def preview(self, known: Mapping[str, object], prior: ProbeOutputs | None) -> dict[str, object]:
        label = known.get("label")
        return {"shout": label.upper()} if isinstance(label, str) else {}

    def create(self, inputs: ProbeInputs, context: Context) -> Created[ProbeOutputs]:
        outputs = _outputs(inputs)
        match _script(inputs):
            case "fail":
                raise InklessError("The probe was told to fail.")
            case "break":
                raise ZeroDivisionError("somebody divided")
            case "half":
                raise Incomplete("The second half is missing.", id="probe-1", outputs=outputs)
            case "talk":
                context.progress("half way there")
                context.warn("mind the step")
            case "wait":
                context.progress("waiting")
                context.pause(600)
        return Created("probe-1", outputs)

    def read(
        self, id: str, inputs: ProbeInputs | None, outputs: ProbeOutputs | None, context: Context
    ) -> tuple[ProbeInputs, ProbeOutputs] | None:
        if inputs is None or outputs is None:
            inputs = ProbeInputs(label=id)
            return inputs, _outputs(inputs)
        return inputs, outputs

    def update(
        self,
        id: str,
        old_inputs: ProbeInputs,
        old_outputs: ProbeOutputs,
        inputs: ProbeInputs,
        context: Context,
    ) -> ProbeOutputs:
        if _script(inputs) == "tell":
            raise InklessError(f"The probe was at {old_inputs.place}.")
        return _outputs(inputs)

    def delete(self, id: str, inputs: ProbeInputs, outputs: ProbeOutputs, context: Context) -> None:
        if _script(inputs) == "stay":
            raise InklessError(f"The probe was told to stay at {inputs.place}.")


def _outputs(inputs: ProbeInputs) -> ProbeOutputs:
    return ProbeOutputs(shout=inputs.label.upper(), token="hidden-token")


def _script(inputs: ProbeInputs) -> str:
    return Path(inputs.script).read_text().strip() if inputs.script else ""


class PlaceArgs(TypedDict):
    host_name: pulumi.Input[str]
    port: NotRequired[pulumi.Input[int]]


class ProbeArgs(TypedDict):
    label: NotRequired[pulumi.Input[str]]
    settings: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    place: NotRequired[pulumi.Input[PlaceArgs]]
    script: NotRequired[pulumi.Input[str]]


class ProbeResource(InklessResource):
    shout: pulumi.Output[str]
    token: pulumi.Output[str]
    label: pulumi.Output[str]

    _token = "inkless:index:Probe"
    _args = ProbeArgs

    def __init__(
        self, resource_name: str, args: ProbeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(resource_name, args, opts)


PLUGIN = """\
#!{python}
import sys
sys.path.insert(0, {checkout!r})
from inkless_pulumi.provider import server
server.RESOURCES["inkless:index:Probe"] = "tests.engine.probe:Probe"
server.main()
"""
