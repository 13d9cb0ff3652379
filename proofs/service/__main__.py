"""The service of the proofs: its arguments are one configuration value, so that a change is one."""

from typing import cast

import pulumi
import pulumi_aws as aws

from inkless_pulumi import AccessRule, ClassicTopic, DisklessTopic, User
from inkless_pulumi.aws import InklessService, InklessServiceArgs

config = pulumi.Config()
region = pulumi.Config("aws").require("region")
diskless = config.require_bool("diskless")

arguments = {
    "zones": [f"{region}{letter}" for letter in "abc"],
    "architecture": config.require("architecture"),
    "upstream_image": config.require("upstreamImage"),
    "deletion_protection": False,
    **(config.get_object("arguments") or {}),
}
service = InklessService("kafka", cast("InklessServiceArgs", arguments))

topics: list[pulumi.Resource] = [
    ClassicTopic(
        "classic",
        {
            "name": "load-classic",
            "partitions": 6,
            "deletion_protection": False,
            "connection": service.connection,
        },
    )
]
if diskless:
    topics.append(
        DisklessTopic(
            "diskless",
            {
                "name": "load-diskless",
                "partitions": 6,
                "deletion_protection": False,
                "connection": service.connection,
            },
        )
    )

user_secret = aws.secretsmanager.Secret("load-user", recovery_window_in_days=0)
user = User(
    "load",
    {
        "name": "load",
        "secret_id": user_secret.arn,
        "secret_store": {"region": region},
        "rotation": config.get("rotation") or "",
        "connection": service.connection,
    },
)
for resource_type, operations in [("topic", ["read", "write", "describe"]), ("group", ["read"])]:
    AccessRule(
        f"load-{resource_type}",
        {
            "principal": "User:load",
            "resource_type": resource_type,
            "resource_name": "load",
            "pattern_type": "prefixed",
            "operations": operations,
            "connection": service.connection,
        },
        pulumi.ResourceOptions(depends_on=[user, *topics]),
    )

pulumi.export("bootstrap_servers", service.bootstrap_servers)
pulumi.export("ca_certificate", service.ca_certificate)
pulumi.export("user_secret_id", user_secret.arn)
pulumi.export("connection", service.connection)
