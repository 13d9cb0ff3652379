"""Network, bucket, key, database and registry can each be the user's."""

import json

import pulumi_aws as aws

from tests.engine.aws.rehearsal import declare, service, types
from tests.engine.aws.test_refusals import in_existing, subnets
from tests.engine.real_engine import Engine


def test_existing_subnets_get_no_network_of_the_services_own(engine: Engine) -> None:
    engine.up(lambda: in_existing(subnets()))
    made = types(engine.resources().values())
    assert made["aws:ec2/vpc:Vpc"] == 1
    assert made["aws:ec2/subnet:Subnet"] == 3
    assert made["aws:ec2/vpcEndpoint:VpcEndpoint"] == 0
    resources = engine.resources()
    interface = resources["kafka-node-1-interface"]
    assert interface["inputs"]["subnetId"] == resources["office-subnet-0"]["id"]
    assert "privateIps" not in interface["inputs"], "addresses there are not ours to choose"


def test_everything_else_can_be_given_as_well(engine: Engine) -> None:
    def program() -> None:
        key = aws.kms.Key("company", deletion_window_in_days=7)
        declare(
            kms_key_arn=key.arn,
            storage={"bucket": "company-lake", "kms_key_arn": key.arn},
            key_prefix="kafka/orders",
            repository_url="123456789012.dkr.ecr.eu-west-1.amazonaws.com/company/inkless",
            machine_image_id="ami-0123456789abcdef0",
            database={
                "host": "db.example.com",
                "port": 6432,
                "password_secret_id": "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf",
            },
        )

    engine.up(program)
    made = types(engine.resources().values())
    for kind in (
        "aws:s3/bucket:Bucket",
        "aws:rds/instance:Instance",
        "aws:ecr/repository:Repository",
        "inkless:index:MachineImage",
        "inkless:index:Password",
    ):
        assert made[kind] == 0, kind
    assert made["aws:kms/key:Key"] == 1
    resources = engine.resources()
    policy = json.loads(resources["kafka-node-1-policy"]["inputs"]["policy"])
    statements = {statement["Sid"]: statement for statement in policy["Statement"]}
    assert statements["Objects"]["Resource"] == "arn:aws:s3:::company-lake/kafka/orders/*"
    assert statements["Secrets"]["Resource"][1].endswith("secret:db-AbCdEf")
    assert statements["Image"]["Resource"].endswith("123456789012:repository/company/inkless")
    assert resources["kafka-reach-database"]["inputs"]["fromPort"] == 6432
    ready = resources["kafka-node-1-ready"]["inputs"]["configuration"]
    assert "db.example.com:6432" in ready["inkless.control.plane.connection.string"]


def test_a_classic_service_has_no_database(engine: Engine) -> None:
    engine.up(service(cluster_type="classic", classic_eligible=True))
    assert types(engine.resources().values())["aws:rds/instance:Instance"] == 0
    ready = engine.resources()["kafka-node-1-ready"]["inputs"]["configuration"]
    assert not [name for name in ready if name.startswith("inkless.")]
