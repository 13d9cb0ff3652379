"""Write the stand-in's table of AWS resource types: `inkless_pulumi/sandbox/data/aws-types.json`.

    python tooling/generate_aws_types.py FACTS_JSON

Two origins are joined, one entry a resource type:

- FACTS_JSON, a table of how the AWS provider treats each property (required, replacing, enums,
  computed, sensitive, constraints), read from the sources of hashicorp/terraform-provider-aws
  v6.58.0;
- the installed `pulumi_aws` SDK, whose argument classes name every input with its type on the wire
  (camelCase), nested ones included.

Only the types listed here are written: what the stand-in has no behaviour for, it must refuse.
"""

import collections.abc
import enum
import importlib
import inspect
import json
import re
import sys
import types
import typing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pulumi
import pulumi._types as sdk_types

TYPES = """
aws:cloudwatch/dashboard:Dashboard aws:cloudwatch/logGroup:LogGroup
aws:cloudwatch/metricAlarm:MetricAlarm aws:ebs/volume:Volume aws:ec2/eip:Eip
aws:ec2/instance:Instance aws:ec2/internetGateway:InternetGateway aws:ec2/natGateway:NatGateway
aws:ec2/networkInterface:NetworkInterface aws:ec2/route:Route aws:ec2/routeTable:RouteTable
aws:ec2/routeTableAssociation:RouteTableAssociation aws:ec2/securityGroup:SecurityGroup
aws:ec2/subnet:Subnet aws:ec2/volumeAttachment:VolumeAttachment aws:ec2/vpc:Vpc
aws:ec2/vpcEndpoint:VpcEndpoint aws:ecr/lifecyclePolicy:LifecyclePolicy
aws:ecr/repository:Repository aws:iam/instanceProfile:InstanceProfile aws:iam/policy:Policy
aws:iam/role:Role aws:iam/rolePolicy:RolePolicy aws:iam/rolePolicyAttachment:RolePolicyAttachment
aws:kms/alias:Alias aws:kms/key:Key aws:rds/instance:Instance
aws:rds/parameterGroup:ParameterGroup aws:rds/subnetGroup:SubnetGroup aws:route53/record:Record
aws:route53/zone:Zone aws:s3/bucket:Bucket
aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration
aws:s3/bucketOwnershipControls:BucketOwnershipControls aws:s3/bucketPolicy:BucketPolicy
aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock
aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration
aws:s3/bucketVersioning:BucketVersioning aws:secretsmanager/secret:Secret
aws:secretsmanager/secretVersion:SecretVersion aws:sns/topic:Topic aws:ssm/parameter:Parameter
aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule
aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule
""".split()  # noqa: SIM905 - one to a line would be a page

FACT_KEYS = (
    "required",
    "replaceOnChanges",
    "replaceOnCountChange",
    "enums",
    "computed",
    "computedIfUnset",
    "nestedComputed",
    "sensitive",
    "constraints",
)

OUTPUT = Path(__file__).parent.parent / "inkless_pulumi" / "sandbox" / "data" / "aws-types.json"


class Shapes:
    """The wire types met so far; `table` holds each nested object type once, by its name."""

    def __init__(self) -> None:
        self.table: dict[str, dict[str, Any]] = {}

    def of(self, annotation: Any) -> Any:
        """The wire type of an annotation: `table.WireType` says which forms it has."""
        alternatives = self._alternatives(annotation)
        shapes = [self._single(alternative) for alternative in alternatives]
        distinct = [shape for index, shape in enumerate(shapes) if shape not in shapes[:index]]
        return distinct[0] if len(distinct) == 1 else "any"

    def _alternatives(self, annotation: Any) -> list[Any]:
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            return [
                leaf for part in typing.get_args(annotation) for leaf in self._alternatives(part)
            ]
        if annotation is type(None) or typing.is_typeddict(annotation):
            return []
        if typing.get_origin(annotation) is collections.abc.Awaitable:
            return []
        if getattr(typing.get_origin(annotation), "__name__", "") == "Output":
            return []
        return [annotation]

    def _single(self, annotation: Any) -> Any:
        plain = {str: "string", bool: "boolean", int: "integer", float: "number"}
        if annotation in plain:
            return plain[annotation]
        if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
            return "string"
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is collections.abc.Sequence:
            return ["array", self.of(arguments[0])]
        if origin is collections.abc.Mapping:
            return ["map", self.of(arguments[1])]
        if sdk_types.is_input_type(annotation):
            return {"ref": self._object(annotation)}
        return "any"

    def _object(self, argument_class: type) -> str:
        module = argument_class.__module__.split(".")[1]
        name = f"{module}:{argument_class.__name__.removesuffix('Args')}"
        if name not in self.table:
            self.table[name] = {}
            self.table[name] = {
                "properties": self.properties(argument_class),
                "required": required_properties(argument_class),
            }
        return name

    def properties(self, argument_class: type) -> dict[str, Any]:
        """Every property of an argument class with its wire type."""
        hints = typing.get_type_hints(
            argument_class.__init__,  # type: ignore[misc]
            vars(sys.modules[argument_class.__module__]) | {"Output": pulumi.Output, "T": Any},
        )
        names = sdk_types.input_type_py_to_pulumi_names(argument_class)
        return {wire: self.of(hints[python]) for python, wire in sorted(names.items())}


def required_properties(argument_class: type) -> list[str]:
    """Properties that the class's constructor has no default for."""
    names = sdk_types.input_type_py_to_pulumi_names(argument_class)
    parameters = inspect.signature(argument_class.__init__).parameters  # type: ignore[misc]
    return sorted(
        wire for python, wire in names.items() if parameters[python].default is inspect._empty
    )


def load_class(token: str) -> tuple[type, type]:
    """The SDK's resource class and argument class of a type token."""
    _, path, name = token.split(":")
    package, resource = path.split("/")
    file_name = re.sub(r"(?<!^)(?=[A-Z])", "_", resource).lower()
    module = importlib.import_module(f"pulumi_aws.{package}.{file_name}")
    exported = f"{name}InitArgs" if f"{name}InitArgs" in module.__all__ else f"{name}Args"
    return getattr(module, name), getattr(module, exported)


def main(facts_path: str) -> None:
    """Join the two origins and write the table."""
    facts = json.loads(Path(facts_path).read_text())
    shapes = Shapes()
    resources = {}
    for token in sorted(TYPES):
        resource, arguments = load_class(token)
        inputs = shapes.properties(arguments)
        outputs = sdk_types.resource_py_to_pulumi_names(resource).values()
        resources[token] = {
            "inputs": inputs,
            "outputs": sorted(set(outputs) - set(inputs) - {"id", "urn"}),
            **{key: facts[token][key] for key in FACT_KEYS if facts[token][key]},
        }
    provider = importlib.import_module("pulumi_aws.provider").ProviderArgs
    document = {
        "version": version("pulumi_aws"),
        "origin": [
            "inputs, outputs, nested: argument classes of pulumi_aws " + version("pulumi_aws"),
            "the rest: hashicorp/terraform-provider-aws v6.58.0, through pulumi-aws's renaming",
        ],
        "provider": shapes.properties(provider),
        "resources": resources,
        "nested": dict(sorted(shapes.table.items())),
    }
    OUTPUT.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{OUTPUT}: {len(resources)} types, {len(shapes.table)} nested")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
