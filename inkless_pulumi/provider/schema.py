"""The package's schema, derived from the resources' models.

`pulumi package get-schema <path of pulumi-resource-inkless>` prints it.
"""

import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from inkless_pulumi.core.field_descriptions import field_descriptions
from inkless_pulumi.provider.resource import Resource, WireModel

__all__ = ["package_schema", "schema_of"]

_PRIMITIVES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def package_schema() -> str:
    """The schema of the whole package as JSON."""
    from inkless_pulumi.provider.server import RESOURCES, package_version, resource_named

    resources = [resource_named(token) for token in sorted(RESOURCES)]
    return json.dumps(schema_of(resources, package_version()), indent=2)


def schema_of(resources: Iterable[Resource[Any, Any]], version: str) -> dict[str, object]:
    """The schema of a package that consists of `resources`."""
    nested: dict[str, object] = {}
    described = {resource.token: _resource(resource, nested) for resource in resources}
    return {
        "name": "inkless",
        "displayName": "Inkless",
        "version": version,
        "description": "Resources of an Inkless (Apache Kafka) service that no cloud has.",
        "keywords": ["pulumi", "kafka", "inkless", "category/infrastructure"],
        "license": "Apache-2.0",
        "meta": {"moduleFormat": "(.*)"},
        "config": {},
        "provider": {"description": "Needs no configuration: each resource says what it talks to."},
        "types": dict(sorted(nested.items())),
        "resources": described,
    }


def _resource(resource: Resource[Any, Any], nested: dict[str, object]) -> dict[str, object]:
    inputs = _properties(resource.inputs, nested, replacing=resource.replace_on)
    outputs = _properties(resource.outputs, nested, secret=resource.secret_outputs)
    required = _required(resource.inputs)
    unrepeated = set(map(to_camel, resource.inputs.unrepeated()))
    repeated = _properties(resource.inputs, nested)
    given = {*required, *_defaulted(resource.inputs)}
    return {
        "description": resource.description,
        "inputProperties": inputs,
        "requiredInputs": required,
        "properties": {name: it for name, it in repeated.items() if name not in unrepeated}
        | outputs,
        "required": sorted({*given, *_required(resource.outputs)} - unrepeated),
    }


def _properties(
    model: type[WireModel],
    nested: dict[str, object],
    *,
    replacing: frozenset[str] = frozenset(),
    secret: frozenset[str] = frozenset(),
) -> dict[str, object]:
    properties: dict[str, object] = {}
    descriptions = field_descriptions(model)
    for name, field in model.model_fields.items():
        described: dict[str, object] = {**_type(field.annotation, nested), **_default(field)}
        if name in descriptions:
            described["description"] = descriptions[name]
        if name in replacing:
            described["willReplaceOnChanges"] = True
        if name in secret:
            described["secret"] = True
        properties[to_camel(name)] = described
    return properties


def _default(field: FieldInfo) -> dict[str, object]:
    value = field.get_default(call_default_factory=True, validated_data={})
    return {"default": value} if isinstance(value, bool | int | float | str) else {}


def _required(model: type[WireModel]) -> list[str]:
    return sorted(
        to_camel(name) for name, field in model.model_fields.items() if field.is_required()
    )


def _defaulted(model: type[WireModel]) -> list[str]:
    """Inputs that are always there afterwards, because a default fills them in."""
    fields = model.model_fields.items()
    return [to_camel(name) for name, field in fields if field.default is not None]


def _type(annotation: object, nested: dict[str, object]) -> dict[str, object]:
    """A Python type as a schema type; nested models are collected in `nested`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, type) and annotation in _PRIMITIVES:
        return {"type": _PRIMITIVES[annotation]}
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return {"$ref": f"#/types/{_nested(annotation, nested)}"}
    if origin is typing.Annotated:
        return _type(arguments[0], nested)
    if origin in (typing.Union, types.UnionType):
        return _union([part for part in arguments if part is not type(None)], nested)
    if origin in (list, tuple, Sequence, frozenset, set):
        return {"type": "array", "items": _type(arguments[0], nested)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _type(arguments[1], nested)}
    if origin is typing.Literal:
        return _type(type(arguments[0]), nested)
    raise TypeError(f"{annotation} has no form in a Pulumi schema.")


def _union(parts: list[object], nested: dict[str, object]) -> dict[str, object]:
    if len(parts) == 1:
        return _type(parts[0], nested)
    return {"oneOf": [_type(part, nested) for part in parts]}


def _nested(model: type[WireModel], nested: dict[str, object]) -> str:
    """Describe a nested model once, and answer its token."""
    token = f"inkless:index:{model.__name__.removesuffix('Inputs')}"
    if token not in nested:
        nested[token] = {}  # a model that refers to itself ends here
        nested[token] = {
            "type": "object",
            "description": " ".join((model.__doc__ or "").split()),
            "properties": _properties(model, nested),
            "required": _required(model),
        }
    return token
