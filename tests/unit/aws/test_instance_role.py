"""What a node may do: its own secret, its prefix of the bucket, its image, its log group."""

import json
from typing import Any

import pulumi
import pytest

from inkless_pulumi.aws.image import repository_arn
from inkless_pulumi.aws.instance_role import Belongings, node_policy
from inkless_pulumi.core.declaration import declare
from inkless_pulumi.core.plan import plan_cluster

KNOWN: dict[str, Any] = {
    "bucket": "orders",
    "secrets": ["arn:node", "arn:database"],
    "keys": ["arn:key", "arn:key"],
    "repository": "arn:repository",
    "logs": "arn:logs",
}


def policy(node_id: int) -> dict[str, Any]:
    cluster = plan_cluster(
        declare(
            name="orders",
            zones=["eu-west-1a", "eu-west-1b", "eu-west-1c"],
            plan="large",
            storage={"kind": "s3", "region": "eu-west-1"},
        )
    )
    nothing = pulumi.Output.from_input("")
    uses = Belongings(
        bucket=nothing,
        key_prefix="live",
        region="eu-west-1",
        storage_region="eu-central-1",
        database_secret_id=nothing,
        key_arns=(nothing,),
        repository_arn=nothing,
        log_group_arn=nothing,
        permissions_boundary_arn=None,
    )
    document = json.loads(node_policy(cluster.node(node_id), uses, KNOWN))
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_a_broker_reaches_its_prefix_only() -> None:
    assert policy(11)["Objects"]["Resource"] == "arn:aws:s3:::orders/live/*"


def test_a_controller_reaches_its_marker_only() -> None:
    assert policy(1)["Objects"]["Resource"] == "arn:aws:s3:::orders/live/.nodes/*"


def test_a_missing_object_is_answered_as_missing() -> None:
    listing = policy(11)["MissingObjectsAreNotFound"]
    assert listing["Action"] == ["s3:ListBucket"]
    assert listing["Condition"] == {"StringLikeIfExists": {"s3:prefix": ["live/*"]}}


def test_keys_are_used_through_the_services_that_encrypt() -> None:
    encryption = policy(11)["Encryption"]
    assert encryption["Resource"] == ["arn:key"]
    assert encryption["Condition"]["StringEquals"]["kms:ViaService"] == [
        "s3.eu-central-1.amazonaws.com",
        "secretsmanager.eu-west-1.amazonaws.com",
    ]


def test_only_what_has_no_resource_is_allowed_on_everything() -> None:
    on_everything = {
        action
        for statement in policy(11).values()
        if statement["Resource"] == "*"
        for action in statement["Action"]
    }
    assert on_everything == {
        "ecr:GetAuthorizationToken",
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    }


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/inkless",
            "arn:aws:ecr:eu-west-1:123456789012:repository/team/inkless",
        ),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/inkless",
            "arn:aws-cn:ecr:cn-north-1:123456789012:repository/inkless",
        ),
    ],
)
def test_a_repositorys_arn_is_read_off_its_url(url: str, arn: str) -> None:
    assert repository_arn(url) == arn
