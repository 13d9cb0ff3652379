"""What a service on AWS may be declared as; every refusal names the argument and the way out."""

from typing import Any, cast

import pulumi
import pytest

from inkless_pulumi.aws import InklessServiceArgs, S3Storage
from inkless_pulumi.aws.declaration import ServicePlan, plan_service
from inkless_pulumi.aws.errors import InvalidDeclaration
from inkless_pulumi.core.errors import DeclarationError

ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


def plan(stack_region: str | None = None, **arguments: Any) -> ServicePlan:
    args = cast("InklessServiceArgs", {"zones": ZONES, **arguments})
    return plan_service("orders", args, stack_region=stack_region)


def test_zones_are_all_a_service_needs() -> None:
    service = plan()
    assert service.region == "eu-west-1"
    assert service.cidr == "10.42.0.0/16"
    assert service.client_cidrs == ("10.42.0.0/16",)
    assert [node.zone for node in service.cluster.nodes] == ZONES


def test_a_machine_type_brings_its_architecture() -> None:
    assert plan(instance_type="m7g.large").cluster.declaration.architecture == "arm64"
    assert plan(instance_type="m7i.large").cluster.declaration.architecture == "amd64"


def test_dedicated_controllers_have_machines_of_their_own_type() -> None:
    service = plan(plan="large", instance_type="i8g.large", controller_instance_type="c7g.large")
    types = {node.roles: service.instance_type(node) for node in service.cluster.nodes}
    assert types == {("controller",): "c7g.large", ("broker",): "i8g.large"}


def test_an_existing_bucket_may_lie_in_another_region() -> None:
    service = plan(storage={"bucket": "orders-data", "region": "eu-central-1"})
    assert (service.region, service.storage_region) == ("eu-west-1", "eu-central-1")


def test_a_bucket_that_is_not_known_yet_is_taken_on_trust() -> None:
    assert plan(storage={"bucket": pulumi.Output.from_input("x")}).storage_region == "eu-west-1"


SUBNETS = dict.fromkeys(ZONES, "subnet-1")
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"zones": ["eu-west-1a", "eu-west-1a", "eu-west-1b"]}, "zones", "more than once"),
    ({"zones": ["eu-west-1a", "eu-west-1b"]}, "zones", "3 are needed"),
    ({"zones": []}, "zones", "is required"),
    ({"zones": ["eu-west-1a", "eu-west-1b", "eu-west-2c"]}, "zones[2]", "is in eu-west-2"),
    ({"zones": ["eu-west-1a", "eu-west-1b", "eu-west-1"]}, "zones[2]", "availability zone"),
    ({"version": "latest"}, "version", "moves"),
    ({"upstream_image": "ghcr.io/aiven/inkless"}, "upstream_image", "pin"),
    ({"cluster_type": "classic"}, "cluster_type", "can't be upgraded"),
    ({"settings": {"log.dirs": "/tmp"}}, 'settings["log.dirs"]', ""),  # noqa: S108
    ({"settings": {"num.partitons": 6}}, 'settings["num.partitons"]', "num.partitions"),
    ({"settings": {"num.partitions": "many"}}, 'settings["num.partitions"]', ""),
    ({"cidr": "10.42.0.0/8"}, "cidr", "10.0.0.0/8"),
    ({"cidr": "8.8.0.0/16"}, "cidr", "private"),
    ({"key_prefix": "/inkless"}, "key_prefix", "slash"),
    ({"bucket_name": "My_Bucket"}, "bucket_name", "lower-case"),
    ({"storage": {"bucket": "a"}}, 'storage["bucket"]', "3 to 63"),
    ({"storage": {"bucket": "abc", "endpoint": "minio:9000"}}, 'storage["endpoint"]', "URL"),
    ({"instance_type": "m7g.large", "architecture": "amd64"}, "instance_type", "arm64 machine"),
    ({"instance_type": "large"}, "instance_type", "EC2 instance type"),
    (
        {"plan": "large", "controller_instance_type": "c7g.large"},
        "controller_instance_type",
        'architecture="arm64"',
    ),
    ({"subnet_ids": {"eu-west-1a": "subnet-1"}, "client_cidrs": []}, "subnet_ids", "eu-west-1b"),
    ({"subnet_ids": SUBNETS}, "client_cidrs", "who may connect"),
    ({"subnet_ids": SUBNETS, "client_cidrs": [], "cidr": "10.0.0.0/16"}, "cidr", "subnet_ids"),
    ({"client_cidrs": ["10.1.0.0/16", "10.1.2.0/24"]}, "client_cidrs[1]", "overlaps"),
    ({"client_cidrs": ["10.1.0.1/16"]}, "client_cidrs[0]", "CIDR"),
    ({"monitoring_cidrs": ["prometheus"]}, "monitoring_cidrs[0]", "CIDR"),
    ({"database_backup_days": 0}, "database_backup_days", "1 to 35"),
    ({"database_instance_class": "db.t4g.micro"}, "database_instance_class", "connections"),
    ({"database": {"host": "x"}, "database_multi_az": False}, "database_multi_az", "database"),
    ({"on_shortage": "ignore"}, "on_shortage", "refuse or wait or accept"),
    ({"zone": ["a"]}, "zone", 'is not an argument; did you mean "zones"?'),
    ({"zones": "eu-west-1a"}, "zones", "must be a list"),
    ({"zones": [1, 2, 3]}, "zones[0]", "availability zone"),
    ({"storage": {"bucket_name": "x"}}, 'storage["bucket_name"]', "is not an argument"),
    ({"storage": {"bucket_name": "x"}}, 'storage["bucket"]', "is required"),
    ({"database": {"host": "x"}}, 'database["password_secret_id"]', "is required"),
]


@pytest.mark.parametrize(
    ("arguments", "path", "hint"), REFUSED, ids=[f"{path}: {hint}" for _, path, hint in REFUSED]
)
def test_bad_input_is_refused_at_its_argument(
    arguments: dict[str, Any], path: str, hint: str
) -> None:
    with pytest.raises(InvalidDeclaration) as refusal:
        plan(**arguments)
    assert path in [problem.path for problem in refusal.value.problems]
    assert hint in str(refusal.value)
    assert 'service "orders"' in str(refusal.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"plann": "tiny", "settings": {"num.partitons": 6}},
        {"plann": "tiny", "zones": ["a"]},
        {"plann": "tiny", "client_cidrs": ["10.1.0.1/16"]},
    ],
)
def test_a_mistyped_name_hides_nothing_else_that_is_wrong(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidDeclaration) as refusal:
        plan(**arguments)
    mistyped, other = refusal.value.problems
    assert str(mistyped) == 'plann: is not an argument; did you mean "plan"?'
    assert other.path != "plan"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bucketname": "x"}, 'bucketname: is not an argument; did you mean "bucket_name"?'),
        ({"restore_window_days": 0}, "restore_window_days = 0: must be 1 or more"),
        ({"bucket_name": "A"}, "bucket_name"),
    ],
)
def test_a_bucket_is_refused_at_its_argument(arguments: Any, message: str) -> None:
    with pytest.raises(InvalidDeclaration) as refusal:
        S3Storage("objects", arguments)
    assert str(refusal.value).startswith(f'storage "objects": {message}')


def test_zones_outside_of_the_stacks_region_are_refused() -> None:
    with pytest.raises(InvalidDeclaration, match="the service's region is us-east-1"):
        plan(stack_region="us-east-1")


def test_a_refusal_is_one_that_pulumi_prints_without_a_traceback() -> None:
    with pytest.raises(InvalidDeclaration) as refusal:
        plan(plan="tiny")
    assert isinstance(refusal.value, pulumi.RunError)
    assert isinstance(refusal.value, DeclarationError)


def test_missing_zones_are_named() -> None:
    with pytest.raises(InvalidDeclaration, match="zones: is required"):
        plan_service("orders", cast("InklessServiceArgs", {}), stack_region=None)
