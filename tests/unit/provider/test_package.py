"""The plugin's resources, their schema, and the classes that programs use: three views of one."""

import importlib
import inspect
import json
import subprocess
import sys
from types import ModuleType
from typing import Any, NotRequired, get_origin

import pytest
from pydantic.alias_generators import to_camel

import inkless_pulumi
from inkless_pulumi._resource import InklessResource
from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider.resource import Resource, WireModel
from inkless_pulumi.provider.schema import package_schema
from inkless_pulumi.provider.server import RESOURCES, resource_named
from inkless_pulumi.provider.validation import validate
from inkless_pulumi.provider.wire import UNKNOWN

MODULES = (
    "access",
    "broker_image",
    "broker_registration",
    "cluster_settings",
    "credentials",
    "feature_level",
    "machine_image",
    "node_ready",
    "node_stop",
    "quotas",
    "replica_balance",
    "rolling_order",
    "service_identity",
    "topic_sets",
    "topics",
    "users",
)
LEFT_TO_THE_PLUGIN = {"inkless:index:BrokerImage": {"overlay_digest"}}
"""Inputs that the plugin fills in, so that a preview shows when they change."""


def public_classes() -> dict[str, type[InklessResource]]:
    """The classes that programs use, by token."""
    modules = [importlib.import_module(f"{inkless_pulumi.__name__}.{name}") for name in MODULES]
    return {
        value._token: value
        for module in modules
        for value in vars(module).values()
        if is_own_class(module, value) and "_token" in dir(value)
    }


def is_own_class(module: ModuleType, value: object) -> bool:
    return (
        inspect.isclass(value)
        and issubclass(value, InklessResource)
        and value.__module__ == module.__name__
    )


def resources() -> list[Resource[Any, Any]]:
    return [resource_named(token) for token in sorted(RESOURCES)]


def test_every_resource_is_listed_under_its_own_token() -> None:
    assert {token: resource_named(token).token for token in RESOURCES} == {
        token: token for token in RESOURCES
    }


def test_every_resource_has_a_class_for_programs() -> None:
    assert set(public_classes()) == set(RESOURCES)


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_a_class_takes_the_arguments_that_its_resource_knows(token: str) -> None:
    arguments = public_classes()[token]._args.__annotations__
    fields = resource_named(token).inputs.model_fields
    for_programs = set(fields) - LEFT_TO_THE_PLUGIN.get(token, set())
    assert set(arguments) == for_programs
    optional = {name for name, hint in arguments.items() if is_optional(hint)}
    assert optional == {name for name in for_programs if not fields[name].is_required()}


def is_optional(hint: Any) -> bool:
    origin: Any = get_origin(hint)
    return origin is NotRequired


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_a_class_has_the_outputs_that_its_resource_answers(token: str) -> None:
    wire_names = set(public_classes()[token]._python_names)
    model = resource_named(token).outputs
    assert wire_names >= {to_camel(name) for name in model.model_fields}


@pytest.mark.parametrize("resource", resources(), ids=lambda resource: resource.token)
def test_inputs_and_outputs_share_no_name_and_flags_name_real_fields(
    resource: Resource[Any, Any],
) -> None:
    inputs, outputs = set(resource.inputs.model_fields), set(resource.outputs.model_fields)
    assert not inputs & outputs
    assert resource.replace_on <= inputs
    assert resource.secret_outputs <= outputs
    assert resource.stable_outputs <= outputs


@pytest.mark.parametrize("resource", resources(), ids=lambda resource: resource.token)
def test_what_is_not_known_yet_is_no_value_of_any_input(resource: Resource[Any, Any]) -> None:
    for name in resource.inputs.model_fields:
        assert name not in validate(resource.inputs, {to_camel(name): UNKNOWN}).known


@pytest.mark.parametrize("resource", resources(), ids=lambda resource: resource.token)
def test_no_model_has_a_rule_over_several_fields(resource: Resource[Any, Any]) -> None:
    # Such a rule would run at preview although some of its fields are unknown.
    models: tuple[type[WireModel], ...] = (resource.inputs, resource.outputs)
    for model in models:
        assert not model.__pydantic_decorators__.model_validators


def test_every_property_in_the_schema_is_described() -> None:
    schema = json.loads(package_schema())
    described = [*schema["resources"].items(), *schema["types"].items()]
    silent = [
        f"{token}.{name}"
        for token, entry in described
        for name, field in {**entry["properties"], **entry.get("inputProperties", {})}.items()
        if not field.get("description")
    ]
    assert silent == []
    assert all(entry["description"] for _, entry in described)


def test_an_unknown_resource_is_answered_with_those_there_are() -> None:
    with pytest.raises(InklessError, match="inkless:index:Password"):
        resource_named("inkless:index:Nothing")


@pytest.mark.parametrize("module", ["server", "certificates", "password", "machine_image"])
def test_what_every_preview_loads_is_small(module: str) -> None:
    program = (
        f"import sys, inkless_pulumi.provider.{module}\n"
        "print([name for name in ('boto3', 'botocore', 'kafka', 'cryptography', 'httpx', "
        "'pulumi_aws') if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
