"""What the stand-in for AWS's plugin refuses, without an engine."""

from typing import Any

import pytest

from inkless_pulumi.sandbox.standin.aws.cloud import Aws
from inkless_pulumi.sandbox.standin.checking import check_inputs
from inkless_pulumi.sandbox.standin.wire import UNKNOWN, Secret

AWS = Aws()


def refusals(token: str, **inputs: Any) -> dict[str, str]:
    resource = AWS.table.get(token)
    assert resource is not None
    failures = list(check_inputs(AWS.table, resource, inputs))
    if not failures:
        failures = list(AWS.behaviours[token].check(inputs))
    return {failure.path: failure.reason for failure in failures}


VPC = "aws:ec2/vpc:Vpc"
VOLUME = "aws:ebs/volume:Volume"
BUCKET = "aws:s3/bucket:Bucket"
DATABASE = "aws:rds/instance:Instance"
INSTANCE = "aws:ec2/instance:Instance"


def test_every_known_type_has_a_behaviour_and_every_behaviour_a_known_type() -> None:
    assert AWS.table.tokens == frozenset(AWS.behaviours)


def test_an_unknown_property_is_refused_with_the_one_that_was_meant() -> None:
    found = refusals(VPC, cidrBlok="10.0.0.0/16")
    assert "did you mean 'cidrBlock'" in found["cidrBlok"]


def test_an_unknown_nested_property_is_refused_by_its_path() -> None:
    found = refusals(
        INSTANCE, ami="ami-1", instanceType="m7g.large", rootBlockDevice={"encryptd": True}
    )
    assert "did you mean 'encrypted'" in found["rootBlockDevice.encryptd"]


def test_a_missing_required_property_is_named() -> None:
    found = refusals(VOLUME, size=10)
    assert found == {"availabilityZone": "missing required property"}


def test_a_missing_nested_required_property_is_named() -> None:
    rules: list[Any] = [{"id": "a"}]
    found = refusals(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        bucket="data",
        rules=rules,
    )
    assert found == {"rules[0].status": "missing required property"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("10", "expected an integer, got a string"),
        (1.5, "expected an integer, got a number"),
        (True, "expected an integer, got a boolean"),
        ([10], "expected an integer, got an array"),
        ({"gib": 10}, "expected an integer, got an object"),
    ],
)
def test_a_value_of_another_type_is_refused_without_being_shown(value: Any, told: str) -> None:
    assert refusals(VOLUME, availabilityZone="eu-central-1a", size=value) == {"size": told}


def test_a_value_outside_an_enum_is_refused_with_those_that_are_in() -> None:
    found = refusals(
        "aws:s3/bucketVersioning:BucketVersioning",
        bucket="data",
        versioningConfiguration={"status": "On"},
    )
    assert "Enabled, Suspended, Disabled" in found["versioningConfiguration.status"]


def test_what_is_unknown_at_preview_is_taken_for_right() -> None:
    assert refusals(VOLUME, availabilityZone=UNKNOWN, size=UNKNOWN, type=UNKNOWN) == {}


def test_a_secret_is_checked_like_a_plain_value() -> None:
    assert refusals(VOLUME, availabilityZone=Secret(7), size=1) == {
        "availabilityZone": "expected a string, got a number"
    }


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"userData": "a", "userDataBase64": "YQ=="}, "userData"),
        ({"networkInterfaces": [{"networkInterfaceId": "eni-1", "deviceIndex": 0}]}, ""),
    ],
)
def test_properties_that_conflict_are_refused(inputs: dict[str, Any], path: str) -> None:
    base = {"ami": "ami-1", "instanceType": "m7g.large", "subnetId": "subnet-1"}
    found = refusals(INSTANCE, **base, **inputs)
    assert any("conflicts with" in reason for reason in found.values())
    assert path in ("", *found)


def test_exactly_one_of_a_group_must_be_given() -> None:
    found = refusals("aws:ec2/routeTableAssociation:RouteTableAssociation", routeTableId="rtb-1")
    assert "exactly one of 'gatewayId', 'subnetId'" in found["gatewayId"]


def test_a_password_needs_its_version() -> None:
    found = refusals(DATABASE, instanceClass="db.t4g.micro", passwordWo="long-enough")
    assert "passwordWoVersion" in found["passwordWo"]


@pytest.mark.parametrize(
    "name",
    [
        *("ab", "Data", "data_1", "-data", "data-", "a..b", "10.0.0.1", "xn--data"),
        *("data-s3alias", "d" * 64),
    ],
)
def test_a_bucket_name_that_s3_would_refuse_is_refused(name: str) -> None:
    assert "bucket" in refusals(BUCKET, bucket=name)


@pytest.mark.parametrize("name", ["abc", "my.data-1", "d" * 63, "1data"])
def test_a_bucket_name_that_s3_takes_is_taken(name: str) -> None:
    assert refusals(BUCKET, bucket=name) == {}


@pytest.mark.parametrize(
    ("cidr", "told"),
    [
        ("10.0.0.0/8", "between /16 and /28"),
        ("10.0.0.0/29", "between /16 and /28"),
        ("10.0.0.1/16", "host bits set"),
        ("ten", "not a valid IPv4 CIDR block"),
    ],
)
def test_a_network_range_that_no_vpc_can_have_is_refused(cidr: str, told: str) -> None:
    assert told in refusals(VPC, cidrBlock=cidr)["cidrBlock"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("username", "admin"),
        ("username", "1st"),
        ("password", "short"),
        ("password", "with/slash-in-it"),
        ("identifier", "Upper"),
        ("identifier", "two--hyphens"),
        ("identifier", "ends-"),
        ("backupRetentionPeriod", 36),
        ("monitoringInterval", 7),
    ],
)
def test_what_rds_would_refuse_is_refused(name: str, value: Any) -> None:
    assert name in refusals(DATABASE, instanceClass="db.t4g.micro", **{name: value})


def test_a_password_that_is_refused_is_not_repeated() -> None:
    found = refusals(DATABASE, instanceClass="db.t4g.micro", password="hunter2/hunter2")
    assert "hunter2" not in found["password"]


def test_user_data_over_the_limit_is_refused() -> None:
    import base64

    text = base64.b64encode(b"x" * 16385).decode()
    found = refusals(INSTANCE, ami="ami-1", instanceType="m7g.large", userDataBase64=text)
    assert "limit is 16384" in found["userDataBase64"]


def test_throughput_of_a_volume_type_that_has_none_is_refused() -> None:
    found = refusals(VOLUME, availabilityZone="eu-central-1a", size=10, type="gp2", throughput=250)
    assert "only gp3" in found["throughput"]


def test_a_policy_that_is_no_json_is_refused() -> None:
    found = refusals("aws:iam/role:Role", assumeRolePolicy="{")
    assert "invalid JSON" in found["assumeRolePolicy"]
