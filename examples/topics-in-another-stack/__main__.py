"""What an application needs of an Inkless service that another stack runs: topics, a user, access.

    aws secretsmanager create-secret --name orders-service --query ARN
    pulumi config set platform acme/inkless-quickstart/production
    pulumi config set userSecretId arn:aws:secretsmanager:…
    pulumi up

No cloud's SDK is imported: all that is needed is the platform's output `connection`.
"""

import pulumi

from inkless_pulumi import AccessRule, Quota, TopicSet, User

config = pulumi.Config()
platform = pulumi.StackReference(config.require("platform"))
connection = platform.require_output("connection")

# One resource for all topics, however many. What would lose records is refused at preview.
topics = TopicSet(
    "topics",
    {
        "file": "topics.yaml",
        "deletion_protection": config.require_bool("deletionProtection"),
        "connection": connection,
    },
)

user = User(
    "orders-service",
    {
        "name": "orders-service",
        "secret_id": config.require("userSecretId"),
        "secret_store": connection["secret_store"],
        "connection": connection,
    },
)
principal = user.name.apply(lambda name: f"User:{name}")

# The user writes and reads the topics above, as a member of the consumer groups of its name.
AccessRule(
    "produces",
    {
        "principal": principal,
        "intent": "produce",
        "topic": "orders.*",
        "connection": connection,
    },
)
AccessRule(
    "consumes",
    {
        "principal": principal,
        "intent": "consume",
        "topic": "orders.*",
        "group": "orders-service*",
        "connection": connection,
    },
)
Quota(
    "fair-share",
    {
        "user": user.name,
        "producer_byte_rate": "20MiB",
        "consumer_byte_rate": "50MiB",
        "connection": connection,
    },
)

pulumi.export("topic_ids", topics.topic_ids)
pulumi.export("bootstrap_servers", platform.require_output("bootstrap_servers"))
pulumi.export("user_secret_id", user.secret_id)
