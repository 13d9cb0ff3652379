"""The account whose secrets open the cluster."""

import json

import boto3

from tests.sandbox.local_kafka import LocalKafka

REGION = "eu-central-1"


class Account:
    """The account's secrets."""

    def __init__(self, endpoint: str, kafka: LocalKafka) -> None:
        self._client = boto3.client(
            "secretsmanager",
            REGION,
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.admin_key = kafka.authority.issue("inkless-admin", "admins")
        self.admin = self.new("admin", self.admin_key)

    def new(self, name: str, value: str | None = None) -> str:
        """Make a secret, by default one without a value; answers its id."""
        given = {} if value is None else {"SecretString": value}
        return str(self._client.create_secret(Name=name, **given)["ARN"])

    def password(self, secret_id: str) -> str:
        value = self._client.get_secret_value(SecretId=secret_id)["SecretString"]
        return str(json.loads(value)["password"])

    def close(self) -> None:
        self._client.close()
