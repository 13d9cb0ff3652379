"""The stand-in for Pulumi's AWS plugin, under the real engine and the real SDK."""

import gc
import json
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from inkless_pulumi.sandbox.account import Account, Record
from inkless_pulumi.sandbox.environment import recorded_environment
from inkless_pulumi.sandbox.home import Home
from tests.engine.real_engine import Engine, EngineError, Run

REGION = "eu-central-1"
ASSUME: Any = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "sandbox")


@pytest.fixture
def engine_environment(home: Home) -> Mapping[str, str]:
    return recorded_environment(home) | {"AWS_REGION": REGION}


@pytest.fixture(autouse=True)
def _loops_of_failed_programs_are_gone() -> Iterator[None]:
    """The automation library leaves the event loop of a failed program open: it is collected here,
    where that is known, and not in whichever test comes later."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def refused(engine: Engine, program: Callable[[], object]) -> str:
    """What the engine says of a program that must not get past its preview."""
    with pytest.raises(EngineError) as failed:
        engine.preview(lambda: (program(), None)[1])
    return str(failed.value)


def failed_up(engine: Engine, program: Callable[[], object]) -> str:
    with pytest.raises(EngineError) as failed:
        engine.up(lambda: (program(), None)[1])
    return str(failed.value)


def step_kinds(run: Run, name: str) -> list[str]:
    return [str(getattr(step.op, "value", step.op)) for step in run.steps(name)]


def network(cidr: str = "10.42.0.0/16") -> tuple[aws.ec2.Vpc, list[aws.ec2.Subnet]]:
    vpc = aws.ec2.Vpc("net", cidr_block=cidr)
    zones = aws.get_availability_zones().names[:3]
    subnets = [
        aws.ec2.Subnet(
            f"subnet-{index}",
            vpc_id=vpc.id,
            cidr_block=f"10.42.{index}.0/24",
            availability_zone=zone,
        )
        for index, zone in enumerate(zones)
    ]
    return vpc, subnets


def machine(subnets: list[aws.ec2.Subnet], **changed: Any) -> aws.ec2.Instance:
    interface = aws.ec2.NetworkInterface(
        "interface", subnet_id=subnets[0].id, private_ips=["10.42.0.10"]
    )
    given: dict[str, Any] = {
        "ami": "ami-0123456789abcdef0",
        "instance_type": "m7g.large",
        "primary_network_interface": {"network_interface_id": interface.id},
        "user_data_base64": "Zmlyc3Q=",
        "user_data_replace_on_change": True,
    }
    return aws.ec2.Instance("machine", **{**given, **changed})


def test_what_is_deployed_is_stable_and_can_be_destroyed(engine: Engine, home: Home) -> None:
    def program() -> None:
        vpc, subnets = network()
        made = machine(subnets)
        volume = aws.ebs.Volume(
            "volume", availability_zone=subnets[0].availability_zone, size=10, type="gp3"
        )
        aws.ec2.VolumeAttachment(
            "attachment", device_name="/dev/sdf", instance_id=made.id, volume_id=volume.id
        )
        bucket = aws.s3.Bucket("Data")
        aws.s3.BucketVersioning(
            "versions", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}
        )
        pulumi.export("vpc", vpc.id)
        pulumi.export("vpc_arn", vpc.arn)
        pulumi.export("machine", made.id)
        pulumi.export("address", made.private_ip)
        pulumi.export("bucket", bucket.bucket)

    up = engine.up(program)
    assert re.fullmatch(r"vpc-0[0-9a-f]{16}", up.outputs["vpc"])
    assert up.outputs["vpc_arn"] == f"arn:aws:ec2:{REGION}:123456789012:vpc/{up.outputs['vpc']}"
    assert re.fullmatch(r"i-0[0-9a-f]{16}", up.outputs["machine"])
    assert up.outputs["address"] == "10.42.0.10"
    assert re.fullmatch(r"data-[0-9a-f]{7}", up.outputs["bucket"])
    assert engine.preview(program).changed == {}
    assert engine.refresh().changed == {}
    engine.up(lambda: None)
    account = Account(home.account_db)
    with account.transaction() as ledger:
        left = ledger.all()
    account.close()
    assert left == []


def test_what_the_cloud_works_out_is_unknown_at_preview(engine: Engine) -> None:
    known: dict[str, bool] = {}

    def program() -> None:
        vpc = aws.ec2.Vpc("net", cidr_block="10.42.0.0/16", tags={"a": "b"})
        for name in ("arn", "cidr_block", "tags_all", "region", "enable_dns_hostnames"):
            known[name] = False
            getattr(vpc, name).apply(lambda _, name=name: known.update({name: True}))

    engine.preview(program)
    assert known == {
        "arn": False,
        "cidr_block": True,
        "tags_all": True,
        "region": True,
        "enable_dns_hostnames": False,
    }


def test_an_unknown_type_is_refused(engine: Engine) -> None:
    said = refused(engine, lambda: aws.sqs.Queue("queue"))
    assert "does not know the resource type aws:sqs/queue:Queue" in said


def test_an_unknown_function_is_refused(engine: Engine) -> None:
    said = refused(engine, lambda: aws.ec2.get_instance_types())
    assert "does not know the function aws:ec2/getInstanceTypes:getInstanceTypes" in said


def test_an_unknown_property_is_refused_at_preview(engine: Engine) -> None:
    class Misspelt(pulumi.CustomResource):
        def __init__(self) -> None:
            super().__init__("aws:ec2/vpc:Vpc", "net", {"cidrBlok": "10.0.0.0/16"}, VERSIONED)

    said = refused(engine, Misspelt)
    assert "cidrBlok" in said
    assert "did you mean 'cidrBlock'" in said


VERSIONED = pulumi.ResourceOptions(version="7.51.1")


def test_a_value_outside_its_enum_is_refused_at_preview(engine: Engine) -> None:
    said = refused(
        engine,
        lambda: aws.s3.BucketVersioning(
            "versions", bucket="data", versioning_configuration={"status": "On"}
        ),
    )
    assert "versioningConfiguration.status" in said
    assert "Enabled, Suspended, Disabled" in said


def test_user_data_replaces_the_machine_and_a_security_group_does_not(engine: Engine) -> None:
    def program(**changed: Any) -> Callable[[], None]:
        return lambda: (machine(network()[1], **changed), None)[1]

    first = engine.up(program())
    assert step_kinds(first, "machine") == ["create"]
    replaced = engine.preview(program(user_data_base64="c2Vjb25k"))
    assert "replace" in step_kinds(replaced, "machine")
    details = replaced.steps("machine")[0].detailed_diff
    assert list(details) == ["userDataBase64"]
    updated = engine.preview(program(tags={"a": "b"}))
    assert step_kinds(updated, "machine") == ["update"]


def test_a_change_that_is_ignored_is_none(engine: Engine) -> None:
    ignoring = pulumi.ResourceOptions(ignore_changes=["ami"])

    def program(image: str) -> Callable[[], None]:
        return lambda: (machine(network()[1], ami=image, opts=ignoring), None)[1]

    engine.up(program("ami-0123456789abcdef0"))
    assert engine.preview(program("ami-0fedcba9876543210")).changed == {}


@pytest.mark.parametrize("named", [True, False])
def test_a_named_resource_is_deleted_before_it_is_replaced(engine: Engine, named: bool) -> None:
    def program(description: str) -> Callable[[], None]:
        def declare() -> None:
            vpc = aws.ec2.Vpc("net", cidr_block="10.42.0.0/16")
            name = "the-nodes" if named else None
            aws.ec2.SecurityGroup("nodes", vpc_id=vpc.id, description=description, name=name)

        return declare

    engine.up(program("one"))
    replaced = engine.up(program("two"))
    kinds = [kind for kind in step_kinds(replaced, "nodes") if kind != "replace"]
    expected = ["create-replacement", "delete-replaced"]
    assert kinds == (expected[::-1] if named else expected)


def test_default_tags_of_the_provider_reach_every_resource(engine: Engine) -> None:
    def program(team: str) -> Callable[[], None]:
        def declare() -> None:
            provider = aws.Provider("own", region=REGION, default_tags={"tags": {"team": team}})
            options = pulumi.ResourceOptions(provider=provider)
            bucket = aws.s3.Bucket("data", tags={"a": "b"}, opts=options)
            pulumi.export("tags", bucket.tags_all)

        return declare

    assert engine.up(program("x")).outputs["tags"] == {"a": "b", "team": "x"}
    changed = engine.preview(program("y"))
    assert step_kinds(changed, "data") == ["update"]


def test_a_provider_without_a_region_is_refused(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program() -> None:
        provider = aws.Provider("own", region="Frankfurt")
        aws.s3.Bucket("data", opts=pulumi.ResourceOptions(provider=provider))

    assert "'Frankfurt' is not a region's name" in refused(engine, program)


def test_an_unknown_setting_of_the_provider_is_refused(engine: Engine) -> None:
    class Misspelt(pulumi.ProviderResource):
        def __init__(self) -> None:
            super().__init__("aws", "own", {"region": REGION, "regoin": "x"}, VERSIONED)

    def program() -> None:
        aws.s3.Bucket("data", opts=pulumi.ResourceOptions(provider=Misspelt()))

    assert "no such provider setting" in refused(engine, program)


def test_a_subnet_outside_its_vpc_fails_as_in_the_cloud(engine: Engine) -> None:
    assert "InvalidSubnet.Range" in failed_up(engine, lambda: network("10.43.0.0/16"))


def test_overlapping_subnets_fail_as_in_the_cloud(engine: Engine) -> None:
    def program() -> None:
        vpc, subnets = network()
        after = pulumi.ResourceOptions(depends_on=[subnets[0]])
        aws.ec2.Subnet("overlapping", vpc_id=vpc.id, cidr_block="10.42.0.0/20", opts=after)

    assert "InvalidSubnet.Conflict" in failed_up(engine, program)


def test_a_volume_of_another_zone_is_not_attached(engine: Engine) -> None:
    def program() -> None:
        made = machine(network()[1])
        volume = aws.ebs.Volume("volume", availability_zone=f"{REGION}b", size=1)
        aws.ec2.VolumeAttachment(
            "attachment", device_name="/dev/sdf", instance_id=made.id, volume_id=volume.id
        )

    assert "InvalidVolume.ZoneMismatch" in failed_up(engine, program)


def test_an_address_that_is_taken_or_outside_is_refused(engine: Engine) -> None:
    def program(address: str) -> Callable[[], None]:
        def declare() -> None:
            _, subnets = network()
            machine(subnets)
            aws.ec2.NetworkInterface("other", subnet_id=subnets[0].id, private_ips=[address])

        return declare

    engine.up(lambda: (machine(network()[1]), None)[1])
    assert "InvalidIPAddress.InUse" in failed_up(engine, program("10.42.0.10"))
    assert "does not fall within" in failed_up(engine, program("10.42.0.2"))


def test_a_database_in_one_zone_is_refused(engine: Engine) -> None:
    def program() -> None:
        _, subnets = network()
        aws.rds.SubnetGroup("group", subnet_ids=[subnets[0].id])

    assert "DBSubnetGroupDoesNotCoverEnoughAZs" in failed_up(engine, program)


def database(**changed: Any) -> aws.rds.Instance:
    _, subnets = network()
    group = aws.rds.SubnetGroup("group", subnet_ids=[subnet.id for subnet in subnets])
    given: dict[str, Any] = {
        "engine": "postgres",
        "engine_version": "17",
        "instance_class": "db.t4g.micro",
        "allocated_storage": 20,
        "username": "inkless",
        "password_wo": "hunter2hunter2",
        "password_wo_version": 1,
        "db_subnet_group_name": group.name,
        "skip_final_snapshot": True,
    }
    return aws.rds.Instance("database", **{**given, **changed})


def test_a_write_only_password_is_in_no_output_book_or_plain_state(
    engine: Engine, home: Home
) -> None:
    run = engine.up(lambda: (database(), None)[1])
    assert "passwordWo" not in engine.resources()["database"]["outputs"]
    for text in (engine.state(), run.text, *_texts(home.root)):
        assert "hunter2" not in text


def test_a_sensitive_value_is_secret_in_state_even_when_given_in_clear(
    engine: Engine, home: Home
) -> None:
    def program() -> None:
        container = aws.secretsmanager.Secret("container")
        aws.secretsmanager.SecretVersion(
            "value", secret_id=container.id, secret_string="hunter2hunter2"
        )

    engine.up(program)
    for text in (engine.state(), *_texts(home.root)):
        assert "hunter2" not in text
    assert engine.refresh().changed == {}


def _texts(directory: Path) -> list[str]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [path.read_bytes().decode(errors="replace") for path in files]


def test_a_protected_database_is_not_deleted(engine: Engine) -> None:
    engine.up(lambda: (database(deletion_protection=True), None)[1])
    assert "Cannot delete protected DB Instance" in failed_up(engine, lambda: None)
    engine.up(lambda: (database(deletion_protection=False), None)[1])
    engine.up(lambda: None)


def test_a_database_needs_a_word_on_its_last_snapshot(engine: Engine) -> None:
    engine.up(lambda: (database(skip_final_snapshot=False), None)[1])
    assert "final_snapshot_identifier is required" in failed_up(engine, lambda: None)


def test_a_bucket_name_that_is_taken_is_refused(engine: Engine) -> None:
    def program() -> None:
        first = aws.s3.Bucket("first", bucket="the-data")
        aws.s3.Bucket("second", bucket="the-data", opts=pulumi.ResourceOptions(depends_on=[first]))

    assert "BucketAlreadyOwnedByYou" in failed_up(engine, program)


def test_the_name_of_a_deleted_secret_is_free_only_without_a_recovery_window(
    engine: Engine,
) -> None:
    def program(resource_name: str, days: int) -> Callable[[], None]:
        def declare() -> None:
            aws.secretsmanager.Secret(
                resource_name, name="the-secret", recovery_window_in_days=days
            )

        return declare

    engine.up(program("one", 0))
    engine.up(lambda: None)
    engine.up(program("two", 7))
    engine.up(lambda: None)
    assert "already scheduled for deletion" in failed_up(engine, program("three", 0))


def test_drift_is_seen_by_a_refresh(engine: Engine, home: Home) -> None:
    def program() -> None:
        aws.s3.Bucket("data")
        aws.cloudwatch.LogGroup("logs", retention_in_days=7)

    engine.up(program)
    account = Account(home.account_db)
    with account.transaction() as ledger:
        (bucket,) = ledger.find("aws:s3/bucket:Bucket")
        ledger.remove(bucket.token, bucket.id)
        (group,) = ledger.find("aws:cloudwatch/logGroup:LogGroup")
        ledger.put(replace(group, **_with(group, retentionInDays=30)))
    account.close()
    assert engine.refresh().changed == {"delete": 1, "update": 1}
    assert engine.preview(program).changed == {"create": 1, "update": 1}


def _with(record: Record, **changed: Any) -> dict[str, Any]:
    return {"inputs": {**record.inputs, **changed}, "outputs": {**record.outputs, **changed}}


def test_what_exists_can_be_imported(engine: Engine, home: Home) -> None:
    created = engine.up(
        lambda: pulumi.export("name", aws.s3.Bucket("data", bucket="the-data").bucket)
    )
    assert created.outputs == {"name": "the-data"}

    def program() -> None:
        aws.s3.Bucket("data", bucket="the-data")
        aws.s3.Bucket("again", bucket="the-data", opts=pulumi.ResourceOptions(import_="the-data"))

    assert engine.up(program).changed == {"import": 1}


def test_existing_subnets_are_found_by_their_ids_and_their_vpc(engine: Engine) -> None:
    made = engine.up(lambda: pulumi.export("ids", pulumi.Output.all(*[s.id for s in network()[1]])))

    def program() -> None:
        vpc, _ = network()
        found = aws.ec2.get_subnet(id=made.outputs["ids"][1])
        pulumi.export("zone", found.availability_zone)
        pulumi.export("cidr", found.cidr_block)
        filters: Any = [{"name": "vpc-id", "values": [vpc.id]}]
        pulumi.export("all", aws.ec2.get_subnets_output(filters=filters).ids)
        pulumi.export("vpc", aws.ec2.get_vpc(id=found.vpc_id).cidr_block)

    outputs = engine.up(program).outputs
    assert outputs["zone"] == f"{REGION}b"
    assert outputs["cidr"] == "10.42.1.0/24"
    assert sorted(outputs["all"]) == sorted(made.outputs["ids"])
    assert outputs["vpc"] == "10.42.0.0/16"


def test_a_subnet_that_does_not_exist_is_not_found(engine: Engine) -> None:
    said = refused(engine, lambda: aws.ec2.get_subnet(id="subnet-00000000000000000"))
    assert "no matching EC2 Subnet found" in said


def test_a_policy_given_as_an_object_is_kept_as_text(engine: Engine) -> None:
    def program() -> None:
        role = aws.iam.Role("role", assume_role_policy=ASSUME)
        pulumi.export("policy", role.assume_role_policy)

    up = engine.up(program)
    assert json.loads(up.outputs["policy"]) == ASSUME
    assert engine.preview(program).changed == {}


def test_a_policy_document_is_written_as_the_cloud_reads_it(engine: Engine) -> None:
    def program() -> None:
        statement: Any = {
            "actions": ["s3:GetObject"],
            "resources": ["arn:aws:s3:::data/*"],
            "conditions": [
                {"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}
            ],
            "effect": "Deny",
            "principals": [{"type": "*", "identifiers": ["*"]}],
        }
        pulumi.export("json", aws.iam.get_policy_document(statements=[statement]).json)

    assert json.loads(engine.up(program).outputs["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::data/*",
                "Principal": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


class TestWithoutAHome:
    @pytest.fixture
    def engine_environment(self) -> Mapping[str, str]:
        environment = recorded_environment(None) | {"AWS_REGION": REGION}
        assert "INKLESS_SANDBOX_HOME" not in environment
        return environment

    def test_a_preview_writes_nothing(self, engine: Engine, tmp_path: Path) -> None:
        before = _names(tmp_path)
        assert engine.preview(lambda: (machine(network()[1]), None)[1]).changed == {"create": 7}
        engines_own = ("state", "home", "Pulumi")
        added = [name for name in _names(tmp_path) - before if not name.startswith(engines_own)]
        assert added == []

    def test_a_deployment_is_refused_with_what_to_do(self, engine: Engine) -> None:
        said = failed_up(engine, lambda: aws.s3.Bucket("data"))
        assert "inkless-pulumi sandbox up" in said


def _names(directory: Path) -> set[str]:
    return {os.path.relpath(path, directory) for path in directory.rglob("*")}
