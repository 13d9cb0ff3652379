"""The base of the package's resource classes: Python's names outside, the wire's names inside."""

import inspect
import typing
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NotRequired, TypedDict, TypeVar

import pulumi

__all__ = ["InklessResource", "SecretStoreArgs"]

_R = TypeVar("_R", bound="InklessResource")


class SecretStoreArgs(TypedDict):
    """Where secrets are kept."""

    kind: NotRequired[pulumi.Input[str]]
    """The service. Default (and only one today): `aws-secrets-manager`."""
    region: pulumi.Input[str]
    """The cloud's region, for example `eu-central-1`."""
    profile: NotRequired[pulumi.Input[str]]
    """A named profile of the machine that runs Pulumi. Default: the usual credential chain."""


class InklessResource(pulumi.CustomResource):
    """A resource that the plugin `pulumi-resource-inkless` implements.

    A subclass sets `_token` and `_args` (the TypedDict of its arguments) and annotates its outputs
    as `name: pulumi.Output[T]`.
    """

    _token: ClassVar[str]
    _args: ClassVar[type[Any]]
    _output_names: ClassVar[tuple[str, ...]]
    _python_names: ClassVar[dict[str, str]]
    _wire_names: ClassVar[dict[str, str]]

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "_args" not in dir(cls):
            return  # a common base of several resources
        cls._output_names = tuple(_outputs(cls))
        names = dict.fromkeys([*cls._args.__annotations__, *cls._output_names])
        cls._wire_names = {name: _camel(name) for name in names}
        cls._python_names = {wire: name for name, wire in cls._wire_names.items()}

    def __init__(
        self,
        resource_name: str,
        args: Mapping[str, Any] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # Only what is annotated or given. Pulumi's SDK waits for each property in a loop over all
        # that are left: 1,000 resources of 13 properties took 17 s of CPU more than ones of 1.
        properties: dict[str, Any] = dict.fromkeys(self._output_names)
        properties.update(_wire_arguments(args or {}, self._args))
        super().__init__(self._token, resource_name, properties, opts)

    @classmethod
    def get(
        cls: type[_R],
        resource_name: str,
        id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> _R:
        """Look up an existing resource by its id, without managing it."""
        looked_up = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        instance = cls.__new__(cls)
        InklessResource.__init__(instance, resource_name, None, looked_up)
        return instance

    def translate_output_property(self, prop: str) -> str:
        """Turn a name on the wire into the attribute's."""
        return self._python_names.get(prop, prop)

    def translate_input_property(self, prop: str) -> str:
        """Turn an argument's name into the wire's."""
        return self._wire_names.get(prop, prop)


def _outputs(cls: type) -> list[str]:
    """Names of the annotated outputs of a resource class."""
    classes = cls.__mro__[: cls.__mro__.index(InklessResource)]
    annotated = [name for base in classes for name in inspect.get_annotations(base)]
    return [name for name in annotated if not name.startswith("_")]


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _wire_arguments(args: Mapping[str, Any], shape: type[Any]) -> dict[str, Any]:
    """Arguments with the keys of nested argument dictionaries in the wire's spelling.

    The top level keeps Python's names: Pulumi translates those, and names attributes by them.
    """
    hints = shape.__annotations__  # not get_type_hints: `pulumi.Input` has one it can't resolve
    return {name: _wire_value(value, hints.get(name)) for name, value in args.items()}


def _wire_value(value: Any, hint: Any) -> Any:
    """A value with the keys of every argument dictionary in it (but not of maps) translated."""
    nested, container = _nested_shape(hint)
    if nested is None or value is None:
        return value
    if inspect.isawaitable(value):
        value = pulumi.Output.from_input(value)
    if isinstance(value, pulumi.Output):
        return value.apply(lambda known: _wire_value(known, hint))
    if container is list:
        return [_wire_value(item, nested) for item in value]
    if not isinstance(value, Mapping):
        return value
    if container is dict:
        return {key: _wire_value(item, nested) for key, item in value.items()}
    arguments = _wire_arguments(_python_keys(value, nested), nested)
    # What is mistyped keeps its spelling: the plugin refuses it by its path, beside all else.
    return {
        _camel(name) if name in nested.__annotations__ else name: item
        for name, item in arguments.items()
    }


def _python_keys(value: Mapping[str, Any], shape: type[Any]) -> dict[str, Any]:
    """Accept a dictionary that came out of a resource, with the wire's keys, as well."""
    names = {_camel(name): name for name in shape.__annotations__}
    return {names.get(key, key): item for key, item in value.items()}


def _nested_shape(hint: Any) -> tuple[type[Any] | None, type[list[Any] | dict[Any, Any]] | None]:
    """Find the argument dictionary that a type hint speaks of, and in what there are several."""
    if typing.is_typeddict(hint):
        return hint, None
    container = _CONTAINERS.get(typing.get_origin(hint))
    for part in typing.get_args(hint):
        nested, inner = _nested_shape(part)
        if nested is not None:
            return nested, container or inner
    return None, None


_CONTAINERS: dict[Any, type[list[Any] | dict[Any, Any]]] = {
    list: list,
    Sequence: list,
    dict: dict,
    Mapping: dict,
}
