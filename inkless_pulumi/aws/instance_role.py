"""What a node may do in the account: one role a node, so that none can read another's key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.location import partition_of
from inkless_pulumi.aws.scope import Scope
from inkless_pulumi.core.plan import NodePlan

Statement = dict[str, Any]

_ASSUMED_BY_EC2 = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
_SESSION_MANAGER: Statement = {
    "Sid": "SessionManager",
    "Effect": "Allow",
    "Action": [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ],
    "Resource": "*",
}
"""What AWS lists for Session Manager alone. The managed policy AmazonSSMManagedInstanceCore also
reads every parameter of the account."""


@dataclass(frozen=True)
class Belongings:
    """What the nodes of a service use, besides a secret each."""

    bucket: pulumi.Output[str]
    key_prefix: str
    region: str
    storage_region: str
    database_secret_id: pulumi.Output[str] | None
    key_arns: tuple[pulumi.Output[str], ...]
    repository_arn: pulumi.Output[str]
    log_group_arn: pulumi.Output[str]
    permissions_boundary_arn: pulumi.Input[str] | None


@dataclass(frozen=True)
class InstanceRole:
    """A node's role, in the form that an instance takes it."""

    profile_name: pulumi.Output[str]
    needed_at_boot: tuple[pulumi.Resource, ...]


def instance_role(
    scope: Scope, node: NodePlan, own_secret_id: pulumi.Output[str], uses: Belongings
) -> InstanceRole:
    """Make the role of one node."""
    role = aws.iam.Role(
        scope.named(f"{node.name}-role"),
        assume_role_policy=_ASSUMED_BY_EC2,
        permissions_boundary=uses.permissions_boundary_arn,
        tags=scope.tagged(f"{node.name}-role"),
        opts=scope.options(),
    )
    secrets = [own_secret_id]
    if uses.database_secret_id is not None:
        secrets.append(uses.database_secret_id)
    document = pulumi.Output.all(
        bucket=uses.bucket,
        secrets=pulumi.Output.all(*secrets),
        keys=pulumi.Output.all(*uses.key_arns),
        repository=uses.repository_arn,
        logs=uses.log_group_arn,
    ).apply(lambda known: node_policy(node, uses, known))
    policy = aws.iam.RolePolicy(
        scope.named(f"{node.name}-policy"), role=role.name, policy=document, opts=scope.options()
    )
    profile = aws.iam.InstanceProfile(
        scope.named(f"{node.name}-profile"),
        role=role.name,
        tags=scope.tagged(f"{node.name}-profile"),
        opts=scope.options(),
    )
    return InstanceRole(profile.name, (policy,))


def node_policy(node: NodePlan, uses: Belongings, known: Mapping[str, Any]) -> str:
    """The policy document of a node, once the names in it are known."""
    statements = [
        *_storage(node, uses, known["bucket"]),
        _allow("Secrets", ["secretsmanager:GetSecretValue"], list(known["secrets"])),
        _encryption(uses, sorted(set(known["keys"]))),
        _allow("RegistryToken", ["ecr:GetAuthorizationToken"], "*"),
        _allow(
            "Image",
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            known["repository"],
        ),
        _allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{known['logs']}:*"),
        _SESSION_MANAGER,
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _storage(node: NodePlan, uses: Belongings, bucket: str) -> list[Statement]:
    """Objects below the prefix; a controller stores none, and only marks that it was formatted."""
    bucket_arn = f"arn:{partition_of(uses.region)}:s3:::{bucket}"
    below = f"{uses.key_prefix}/*" if node.is_broker else f"{uses.key_prefix}/.nodes/*"
    objects = _allow(
        "Objects", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{bucket_arn}/{below}"
    )
    # Without the right to list, a missing object is answered with 403, and Inkless only takes 404
    # for "not found". Such a request names no prefix, hence IfExists.
    listing = _allow("MissingObjectsAreNotFound", ["s3:ListBucket"], bucket_arn)
    listing["Condition"] = {"StringLikeIfExists": {"s3:prefix": [below]}}
    return [objects, listing]


def _encryption(uses: Belongings, key_arns: list[str]) -> Statement:
    """The keys, but only by way of the services that hold what they encrypt."""
    domain = "amazonaws.com.cn" if partition_of(uses.region) == "aws-cn" else "amazonaws.com"
    statement = _allow("Encryption", ["kms:Decrypt", "kms:GenerateDataKey"], key_arns)
    services = [f"s3.{uses.storage_region}.{domain}", f"secretsmanager.{uses.region}.{domain}"]
    statement["Condition"] = {"StringEquals": {"kms:ViaService": services}}
    return statement
