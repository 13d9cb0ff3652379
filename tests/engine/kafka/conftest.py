"""A real Kafka node, and the account whose secrets open it, for programs under the real engine."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import cast

import pytest
from moto.server import ThreadedMotoServer

from inkless_pulumi import ConnectionArgs
from inkless_pulumi.provider.kafka.connection import ConnectionInputs, Connections
from inkless_pulumi.provider.kafka.model import Cluster
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.secret_stores import SecretStore, SecretStoreInputs
from tests.engine.kafka.account import REGION, Account
from tests.sandbox.local_kafka import LocalKafka, Unavailable, local_kafka

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    try:
        node = local_kafka(tmp_path_factory.mktemp("kafka"), f"127.77.0.{5 + worker}")
    except Unavailable as reason:
        pytest.skip(f"no local Kafka: {reason}")
    node.start()
    try:
        node.await_listener()
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def account(endpoint: str, kafka: LocalKafka) -> Iterator[Account]:
    account = Account(endpoint, kafka)
    yield account
    account.close()


@pytest.fixture
def connection(kafka: LocalKafka, account: Account) -> ConnectionArgs:
    return {
        "bootstrap_servers": kafka.mtls,
        "ca_certificate": kafka.authority.certificate,
        "identity_secret_id": account.admin,
        "secret_store": {"region": REGION},
        "image": "local/kafka:4.2.1",
    }


@pytest.fixture(scope="session")
def cluster(kafka: LocalKafka, account: Account) -> Iterator[Cluster]:
    """The cluster as a colleague reaches it, past Pulumi."""

    class Store:
        def read(self, secret_id: str) -> str:
            return account.admin_key

    inputs = ConnectionInputs(
        bootstrap_servers=kafka.mtls,
        ca_certificate=kafka.authority.certificate,
        identity_secret_id=account.admin,
        secret_store=SecretStoreInputs(region=REGION),
    )
    connections = Connections(lambda _: cast("SecretStore", Store()))
    yield connections.cluster(inputs, Context("colleague", "urn:colleague"))
    connections.close()


@pytest.fixture
def engine_environment(endpoint: str, kafka: LocalKafka, account: Account) -> Mapping[str, str]:
    on_the_wire = {
        "bootstrapServers": kafka.mtls,
        "caCertificate": kafka.authority.certificate,
        "identitySecretId": account.admin,
        "secretStore": {"region": REGION},
    }
    given = {"INKLESS_CONNECTION": json.dumps(on_the_wire), "AWS_ENDPOINT_URL": endpoint}
    return {**given, **CREDENTIALS}
