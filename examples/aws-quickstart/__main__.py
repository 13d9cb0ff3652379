"""An Inkless service on AWS: three nodes in three zones, two topics, and a user who may use them.

    pulumi config set aws:region eu-west-1
    pulumi up

The first `up` takes about a quarter of an hour, most of it for the database.
"""

import pulumi
import pulumi_aws as aws

from inkless_pulumi import AccessRule, ClassicTopic, DisklessTopic, User
from inkless_pulumi.aws import InklessService, InklessServiceArgs

config = pulumi.Config()
region = pulumi.Config("aws").require("region")
protection = config.require_bool("deletionProtection")
zones = config.get_object("zones") or [f"{region}{letter}" for letter in "abc"]

# The service: a private network, a bucket, a Postgres database for the metadata of diskless topics,
# the broker image in the account's own registry, and a machine with a data volume in each zone.
# Every argument but the zones has a default. Two that are worth knowing from the start:
#   settings             broker settings on top of the managed ones, e.g. {"num.partitions": 6}
#   deletion_protection  while it is on (the default), nothing that holds data can be deleted; nor
#                        can a topic, which has an argument of that name as well. To take the
#                        service down, turn it off, run `pulumi up`, then destroy.
arguments: InklessServiceArgs = {
    "zones": zones,
    "architecture": config.require("architecture"),
    "deletion_protection": protection,
    "tags": {"project": pulumi.get_project(), "stack": pulumi.get_stack()},
}
if upstream_image := config.get("upstreamImage"):
    arguments["upstream_image"] = upstream_image
service = InklessService("kafka", arguments)

# A classic topic: three replicas on the brokers' disks. It has compaction and transactions.
orders = ClassicTopic(
    "orders",
    {
        "name": "orders",
        "partitions": 6,
        "settings": {"retention.ms": "7d"},
        "deletion_protection": protection,
        "connection": service.connection,
    },
)

# A diskless topic: its data goes straight to the bucket, so no traffic between zones is paid for.
# Latency is higher (about a quarter of a second to acknowledge), and it can't become classic again.
if config.require_bool("diskless"):
    events = DisklessTopic(
        "events",
        {
            "name": "events",
            "partitions": 6,
            "deletion_protection": protection,
            "connection": service.connection,
        },
    )

# A user. The password is made during the deployment and kept in this secret, nowhere else, with the
# user's name and the SASL mechanism that goes with it:
#   aws secretsmanager get-secret-value --secret-id "$(pulumi stack output user_secret_id)"
user_secret = aws.secretsmanager.Secret("application-user", recovery_window_in_days=0)
user = User(
    "application",
    {
        "name": "application",
        "secret_id": user_secret.arn,
        "secret_store": {"region": region},
        "connection": service.connection,
    },
)

# Nothing is allowed until a rule says so: this user may write and read the topics above, the latter
# as a member of any consumer group whose name starts with "application".
for topic in ("orders", "events"):
    AccessRule(
        f"application-produces-{topic}",
        {
            "principal": "User:application",
            "intent": "produce",
            "topic": topic,
            "connection": service.connection,
        },
    )
    AccessRule(
        f"application-consumes-{topic}",
        {
            "principal": "User:application",
            "intent": "consume",
            "topic": topic,
            "group": "application*",
            "connection": service.connection,
        },
    )

# What a client needs. With the client properties of its own zone, a client's traffic to diskless
# topics stays in that zone.
pulumi.export("bootstrap_servers", service.bootstrap_servers)
pulumi.export("ca_certificate", service.ca_certificate)
pulumi.export("cluster_id", service.cluster_id)
pulumi.export("client_properties", service.client_properties)
pulumi.export("bucket", service.bucket)
pulumi.export("log_group", service.log_group)
pulumi.export("user_secret_id", user_secret.arn)
# Enough for another stack to create its own topics and users on this service.
pulumi.export("connection", service.connection)
