"""The typed base of every resource in the plugin.

A resource is two pydantic models (what a user gives, what the resource answers) and plain
synchronous methods. Everything of Pulumi's protocol (unknowns at preview, secrets, detailed diffs,
failures, threads) is the server's business; see `inkless_pulumi.provider.server`.

Importing this module is cheap, and so must be importing a resource's module: SDKs (boto3, kafka,
cryptography, httpx) are imported inside the methods that use them.
"""

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from inkless_pulumi.core.catalogue import setting_text
from inkless_pulumi.core.errors import InklessError, Problem

__all__ = [
    "Context",
    "Created",
    "Incomplete",
    "OperationCancelled",
    "Progress",
    "Resource",
    "SettingText",
    "WireModel",
]

Progress = Callable[[str], None]
"""Shows one line of progress on the resource's row; the next line replaces it."""


def _as_text(value: object) -> object:
    return setting_text(value) if isinstance(value, bool | int | float) else value


SettingText = Annotated[str, BeforeValidator(_as_text)]
"""A text, for which numbers and truth values may be given: they become what Kafka spells."""


class WireModel(BaseModel):
    """Properties as they travel between a program and the plugin: snake_case here, camelCase there.

    The string literal after a field is its description in the package schema, which alone reads it:
    pydantic would read it out of the source at each start of the plugin. Values are validated
    field by field, so that what is known at preview is checked although other fields are not known
    yet; a rule that needs two fields belongs in `Resource.check`, not in a model validator.
    """

    incidental: ClassVar[frozenset[str]] = frozenset()
    """Python names of the fields of a nested model that are told for messages and checks alone: a
    change of theirs is no difference."""

    repeated: ClassVar[bool] = True
    """Whether a resource answers an input of this type among its outputs, as Pulumi does by custom.
    The engine writes its whole state before and after each resource: what is long, and the same
    in many resources, is recorded among the inputs alone."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        loc_by_alias=False,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
    )

    @classmethod
    def unrepeated(cls) -> frozenset[str]:
        """Python names of the fields that are recorded among the inputs alone."""
        fields = cls.model_fields.items()
        return frozenset(name for name, field in fields if not _is_repeated(field.annotation))


def _is_repeated(annotation: object) -> bool:
    parts = typing.get_args(annotation) or (annotation,)
    return all(getattr(part, "repeated", True) for part in parts)


I = TypeVar("I", bound=WireModel)  # noqa: E741 - inputs
O = TypeVar("O", bound=WireModel)  # noqa: E741 - outputs


@dataclass(frozen=True)
class Created(Generic[O]):
    """What `Resource.create` answers."""

    id: str
    """The resource's id, by which it can be read, imported and deleted."""
    outputs: O


class OperationCancelled(InklessError):
    """The user interrupted the operation; it can be run again."""


class Incomplete(InklessError, Generic[O]):
    """The resource exists, but a later step of its creation or update failed.

    The engine records the id and the outputs, reports the reason, and runs the update on the next
    `pulumi up`. Raise it from `create` as soon as anything is left behind that must not be lost.
    """

    def __init__(
        self, reason: str, *, id: str, outputs: O, inputs: "WireModel | None" = None
    ) -> None:
        super().__init__(reason)
        self.id = id
        self.outputs = outputs
        self.inputs = inputs
        """What of the inputs holds already. The next preview shows the rest as a difference. None:
        all of them."""


def _silent(_line: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Context:
    """What an operation knows about its surroundings."""

    name: str
    """The resource's name in the program."""
    urn: str
    progress: Progress = _silent
    warn: Progress = _silent
    """Shows a line that stays: something the user should know although the operation succeeds."""
    timeout: float | None = None
    """Seconds granted by the user (`custom_timeouts`); None: the resource's own default."""
    cancelled: Event = field(default_factory=Event)

    def pause(self, seconds: float) -> None:
        """Wait between two attempts.

        Raises:
            OperationCancelled: the user interrupted the update meanwhile.
        """
        if self.cancelled.wait(seconds):
            raise OperationCancelled(f"{self.name}: interrupted; run the update again to go on.")


class Resource(ABC, Generic[I, O]):
    """A resource of the package.

    Its state on the wire is its inputs and its outputs side by side, so the two models share no
    field name; see `WireModel.repeated` for the exception. Methods run in threads, several at once;
    an instance therefore has no state.
    """

    token: ClassVar[str]
    """`inkless:index:<Class>`, the type in a resource's URN."""
    inputs: type[I]
    outputs: type[O]
    description: ClassVar[str]
    """For the package schema: what the resource is, in Markdown."""
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Python names of the inputs whose change replaces the resource."""
    delete_before_replace: ClassVar[bool] = False
    secret_outputs: ClassVar[frozenset[str]] = frozenset()
    """Python names of the outputs that are encrypted in state and masked on screen."""
    stable_outputs: ClassVar[frozenset[str]] = frozenset()
    """Python names of the outputs that no update changes: they stay known at preview."""

    def check(
        self,
        known: Mapping[str, object],
        olds: Mapping[str, object] | None,
    ) -> Iterable[Problem]:
        """Find what is wrong beyond the fields' own validation. Must not touch the network.

        Args:
            known: validated inputs by Python name; one not known yet (at preview) is absent.
            olds: the inputs of the last update, likewise; None when the resource is new.

        Returns:
            Problems whose paths are spelt as in Python: `secret_store.kind`.
        """
        return ()

    def change_problems(
        self,
        known: Mapping[str, object],
        recorded: Mapping[str, object],
    ) -> Iterable[Problem]:
        """Find changes that must not happen. Must not touch the network.

        Args:
            known: as of `check`.
            recorded: what holds by state, likewise. Where an update was `Incomplete`, this is not
                what was last declared.
        """
        return ()

    def warnings(
        self,
        known: Mapping[str, object],
        olds: Mapping[str, object] | None,
    ) -> Iterable[str]:
        """Tell what is allowed, and worth a second thought. Arguments and limits as of `check`."""
        return ()

    def defaults(
        self,
        known: Mapping[str, object],
    ) -> Mapping[str, object]:
        """Inputs to fill in that the user left out (None) and that depend on other things.

        A fixed default belongs in the model. The values become inputs in state, so that a change of
        theirs is seen as a difference.
        """
        return {}

    def stale(
        self,
        known: Mapping[str, object],
        outputs: O,
    ) -> Iterable[str]:
        """Name the outputs that call for an update although no input changed."""
        return ()

    def preview(
        self,
        known: Mapping[str, object],
        prior: O | None,
    ) -> Mapping[str, object]:
        """Tell the outputs that are certain before the operation ran, by Python name.

        Args:
            known: validated inputs by Python name; one that is not known yet is absent.
            prior: the outputs so far; None when the resource is about to be created.
        """
        if prior is None:
            return {}
        return {name: getattr(prior, name) for name in self.stable_outputs}

    def canonical_id(self, id: str, outputs: O) -> str:
        """Turn the id that an import was given into the one to record."""
        return id

    @abstractmethod
    def create(self, inputs: I, context: Context) -> Created[O]:
        """Make the resource. Interrupted at any point, it can be called again."""

    @abstractmethod
    def read(
        self,
        id: str,
        inputs: I | None,
        outputs: O | None,
        context: Context,
    ) -> tuple[I, O] | None:
        """Look at the real thing.

        Args:
            id: the resource's id.
            inputs: as in state; None when the resource is being imported.
            outputs: as in state; None when the resource is being imported.
            context: of the operation.

        Returns:
            Inputs and outputs as they really are; None when the resource is gone.
        """

    @abstractmethod
    def update(
        self,
        id: str,
        old_inputs: I,
        old_outputs: O,
        inputs: I,
        context: Context,
    ) -> O:
        """Change the resource in place. Also called when an earlier attempt was `Incomplete`."""

    @abstractmethod
    def delete(
        self,
        id: str,
        inputs: I,
        outputs: O,
        context: Context,
    ) -> None:
        """Remove the resource. One that is gone already is no error."""
