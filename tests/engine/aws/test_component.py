"""The component as part of somebody's program: names, parents, and what reaches every child."""

from typing import Any

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws import S3Storage
from tests.engine.aws.rehearsal import declare, operation_of, planned, service, types
from tests.engine.real_engine import Engine, Run

COMPONENT = "inkless:aws:InklessService"


def below(resources: dict[str, Any], name: str) -> dict[str, Any]:
    """The descendants of a component."""
    found: dict[str, Any] = {}
    urns = {resources[name].urn}
    while True:
        more = {
            other: step
            for other, step in resources.items()
            if step.new.parent in urns and other not in found
        }
        if not more:
            return found
        found |= more
        urns |= {step.urn for step in more.values()}


def test_the_quick_starts_service_is_made_of_these(engine: Engine) -> None:
    made = types(engine_resources(engine, engine.preview(service())))
    assert made == {
        COMPONENT: 1,
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "aws:ebs/volume:Volume": 3,
        "aws:ec2/instance:Instance": 3,
        "aws:ec2/networkInterface:NetworkInterface": 3,
        "aws:ec2/routeTable:RouteTable": 1,
        "aws:ec2/routeTableAssociation:RouteTableAssociation": 3,
        "aws:ec2/securityGroup:SecurityGroup": 3,
        "aws:ec2/subnet:Subnet": 3,
        "aws:ec2/volumeAttachment:VolumeAttachment": 3,
        "aws:ec2/vpc:Vpc": 1,
        "aws:ec2/vpcEndpoint:VpcEndpoint": 7,
        "aws:ecr/repository:Repository": 1,
        "aws:iam/instanceProfile:InstanceProfile": 3,
        "aws:iam/role:Role": 3,
        "aws:iam/rolePolicy:RolePolicy": 3,
        "aws:kms/key:Key": 1,
        "aws:rds/instance:Instance": 1,
        "aws:rds/parameterGroup:ParameterGroup": 1,
        "aws:rds/subnetGroup:SubnetGroup": 1,
        "aws:s3/bucket:Bucket": 1,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 1,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 1,
        "aws:s3/bucketPolicy:BucketPolicy": 1,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
        (
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        ): 1,
        "aws:s3/bucketVersioning:BucketVersioning": 1,
        "aws:secretsmanager/secret:Secret": 6,
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 5,
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 6,
        "inkless:aws:S3Storage": 1,
        "inkless:index:BrokerImage": 1,
        "inkless:index:Certificate": 4,
        "inkless:index:CertificateAuthority": 1,
        "inkless:index:FeatureLevel": 1,
        "inkless:index:MachineImage": 1,
        "inkless:index:NodeReady": 3,
        "inkless:index:NodeStop": 3,
        "inkless:index:Password": 1,
        "inkless:index:RollingOrder": 1,
        "inkless:index:ServiceIdentity": 1,
        "pulumi:pulumi:Stack": 1,
    }


def engine_resources(engine: Engine, run: Run) -> list[dict[str, Any]]:
    """Type by type what a preview plans."""
    return [
        {"type": step.type}
        for step in planned(run).values()
        if operation_of(step) == "create" and not step.type.startswith("pulumi:providers:")
    ]


def test_two_services_in_one_stack_do_not_collide(engine: Engine) -> None:
    def program() -> None:
        declare("orders", settings={"num.partitions": 6})
        declare("payments")

    resources = planned(engine.preview(program))
    names = [
        step.new.inputs["name"] for step in resources.values() if "name" in (step.new.inputs or {})
    ]
    managed = [name for name in names if name.startswith(("orders-", "payments-"))]
    assert len(managed) == len(set(managed)) > 0
    assert len(below(resources, "orders")) == len(below(resources, "payments")) == 87


def test_everything_a_service_is_given_reaches_every_child(engine: Engine) -> None:
    def program() -> None:
        def team(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
            properties: dict[str, Any] = dict(args.props)
            tags: Any = properties.get("tags")
            if isinstance(tags, dict):
                properties["tags"] = {**tags, "transformed": "yes"}
            return pulumi.ResourceTransformResult(properties, args.opts)

        class Platform(pulumi.ComponentResource):
            def __init__(self) -> None:
                super().__init__("acme:index:Platform", "platform")

        provider = aws.Provider("elsewhere", region="eu-west-1")
        options = pulumi.ResourceOptions(
            parent=Platform(), protect=True, provider=provider, transforms=[team]
        )
        declare("kafka", options, tags={"team": "streams"})

    resources = planned(engine.preview(program))
    children = below(resources, "kafka")
    assert len(children) == 87
    for name, step in children.items():
        assert name.startswith("kafka-"), name
        assert step.new.protect, name
        if step.type.startswith("aws:"):
            assert "::elsewhere::" in step.new.provider, name
        tags = (step.new.inputs or {}).get("tags")
        if tags is not None and step.type.startswith("aws:"):
            assert tags["team"] == "streams", name
            assert tags["inkless:service"] == "kafka", name
            assert tags["transformed"] == "yes", name


def test_storage_of_ones_own_serves_a_service(engine: Engine) -> None:
    def program() -> None:
        storage = S3Storage("lake", {"deletion_protection": False})
        declare(storage={"bucket": storage.bucket, "kms_key_arn": storage.kms_key_arn})

    done = engine.up(program)
    assert types(engine.resources().values())["aws:s3/bucket:Bucket"] == 1
    assert done.changed == {"create": 90}
    assert engine.preview(program).changed == {}
