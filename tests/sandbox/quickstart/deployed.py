"""A quick-start that runs in a sandbox, and ways to look at it."""

import json
import os
import re
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import boto3

from inkless_pulumi.provider.kafka.model import Cluster
from inkless_pulumi.sandbox import demo, lifecycle
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.parts.aws_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from inkless_pulumi.sandbox.project import write_project
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack
from inkless_pulumi.sandbox.record_check import Client, client_of
from inkless_pulumi.sandbox.toolchain import find_or_make_engine
from proofs.administration import administered

CHECKOUT = Path(__file__).parents[3]


class Deployed:
    """A quick-start that runs, and what was printed while it was deployed."""

    def __init__(self, home: Home, result: demo.Result, printed: str) -> None:
        self.home = home
        self.result = result
        self.printed = printed

    def state(self) -> str:
        """The stack's state file, as Pulumi wrote it."""
        files = (self.home.pulumi / ".pulumi" / "stacks").rglob("*.json")
        return "\n".join(path.read_text() for path in files)

    @property
    def stack(self) -> PulumiStack:
        """The quick-start's own."""
        directory = self.home.root / "quickstart"
        return PulumiStack(directory, "sandbox", self._environment(directory))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return self.stack.outputs()

    def client(self) -> Client:
        """The quick-start's user, with the credentials that are valid now."""
        return client_of(self.home, self.outputs())

    def stack_of(self, name: str, program: Path) -> PulumiStack:
        """Another stack in the same account, of a project in a directory of its own."""
        directory = self.home.root.parent / name
        write_project(directory, program)
        return PulumiStack(directory, name, self._environment(directory))

    def _environment(self, directory: Path) -> dict[str, str]:
        toolchain = find_or_make_engine(default_cache(), print).environment()
        ours = lifecycle.environment(self.home, path=toolchain["PATH"])
        engine = {"PULUMI_HOME": str(directory / "engine")}
        return {**os.environ, **toolchain, **ours, **engine}

    def cluster(self) -> AbstractContextManager[Cluster]:
        """The cluster as its administrator reaches it, past Pulumi."""
        return administered(self)

    def secrets_client(self) -> Any:
        """A client of the account's secrets."""
        return closing(
            boto3.client(
                "secretsmanager",
                endpoint_url=lifecycle.up(self.home).aws_endpoint,
                region_name="eu-central-1",
                aws_access_key_id=ACCESS_KEY_ID,
                aws_secret_access_key=SECRET_ACCESS_KEY,
            )
        )

    def secrets(self) -> dict[str, str]:
        """Every secret that the sandbox knows, cut to a piece that stands on one line."""
        with self.secrets_client() as client:
            return self._known(client)

    def _known(self, client: Any) -> dict[str, str]:
        known = {"passphrase": self.home.passphrase_file.read_text().strip()}
        for page in client.get_paginator("list_secrets").paginate():
            for secret in page["SecretList"]:
                value = client.get_secret_value(SecretId=secret["ARN"])["SecretString"]
                known[secret["Name"]] = _telling_piece(value)
        return known


def _telling_piece(value: str) -> str:
    """The private part of a PEM, the password of a user, or the bare password."""
    if key := re.search(r"PRIVATE KEY-----\n(.+)\n(.+)\n", value):
        return key.group(2)
    if value.startswith("{"):
        return str(json.loads(value)["password"])
    return value
