"""AWS in memory, for the resources that keep their values there."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto import mock_aws

from inkless_pulumi.provider.aws_clients import forget_clients
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.secret_stores import SecretStoreInputs

REGION = "eu-central-1"
STORE = SecretStoreInputs(region=REGION)
CONTEXT = Context(name="thing", urn="urn:pulumi:stack::project::inkless:index:Thing::thing")


@contextmanager
def aws_in_memory() -> Iterator[None]:
    """An empty account with valid credentials."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        patch.delenv("AWS_PROFILE", raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        forget_clients()
        yield
    forget_clients()


def new_secret(name: str) -> str:
    """A secret without a value, as the cloud's own resource makes it; its ARN."""
    return str(boto3.client("secretsmanager", REGION).create_secret(Name=name)["ARN"])


def value_of(secret_id: str) -> str:
    """What the secret holds."""
    client = boto3.client("secretsmanager", REGION)
    return str(client.get_secret_value(SecretId=secret_id)["SecretString"])


def put(secret_id: str, value: str) -> None:
    """Change a secret behind the plugin's back."""
    client = boto3.client("secretsmanager", REGION)
    client.put_secret_value(SecretId=secret_id, SecretString=value)


def delete(secret_id: str) -> None:
    """Schedule a secret for deletion behind the plugin's back."""
    boto3.client("secretsmanager", REGION).delete_secret(SecretId=secret_id)
