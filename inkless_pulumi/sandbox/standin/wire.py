"""Values as they travel between the engine and a plugin, as plain Python values.

Objects are dicts, arrays lists, numbers int where they are whole. Two things have no plain form:
`UNKNOWN` (known only after a create) and `Secret`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWNS = frozenset(
    (
        rpc.UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    )
)


class _Unknown:
    """A value that is known only after something has been created."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in its state and hides on the screen."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(…)"


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The properties of a message."""
    return {key: _decode_value(value) for key, value in struct.fields.items()}


def _decode_value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode_value(item) for item in value.list_value.values]
        case "struct_value":
            fields = value.struct_value.fields
            if _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET:
                return Secret(_decode_value(fields["value"]))
            return decode(value.struct_value)
        case _:
            return None


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """The message that carries these properties. Nulls are left out, as cloud plugins do."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            struct.fields[key].CopyFrom(_encode_value(value))
    return struct


def _encode_value(value: Any) -> struct_pb2.Value:
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=rpc.UNKNOWN)
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, Secret):
        wrapped = {_SIGNATURE: _SECRET, "value": value.value}
        return struct_pb2.Value(struct_value=encode(wrapped))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=encode(value))
    items = [_encode_value(item) for item in value]
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))


def _leaves(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, Secret):
        yield from _leaves(value.value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)


def holds_unknown(value: Any) -> bool:
    """Whether any part of the value is unknown."""
    return any(leaf is UNKNOWN for leaf in _leaves(value))


def holds_secret(value: Any) -> bool:
    """Whether any part of the value is secret."""
    return any(isinstance(leaf, Secret) for leaf in _leaves(value))


def reveal(value: Any) -> Any:
    """The value without its secret marks."""
    if isinstance(value, Secret):
        return reveal(value.value)
    return _rebuild(value, reveal)


def without_nulls(value: Any) -> Any:
    """The value without the properties that are null: to a cloud null and absent are the same."""
    if isinstance(value, Secret):
        return Secret(without_nulls(value.value))
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return _rebuild(value, without_nulls)


def _rebuild(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: change(item) for key, item in value.items()}
    if isinstance(value, list):
        return [change(item) for item in value]
    return value
