"""Passwords and certificates under the real engine, with a secret store that answers like AWS's."""

from collections.abc import Callable, Iterator, Mapping

import boto3
import pulumi
import pytest
from moto.server import ThreadedMotoServer

from inkless_pulumi.credentials import (
    Certificate,
    CertificateAuthority,
    Password,
    SecretStoreArgs,
)
from inkless_pulumi.provider import pki
from tests.engine.real_engine import Engine, EngineError

REGION = "eu-central-1"
STORE: SecretStoreArgs = {"region": REGION}
IDENTITY = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class Account:
    """An account's secrets, as the cloud's own resources and other people see them."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._client = boto3.client(
            "secretsmanager",
            REGION,
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def new(self, name: str) -> str:
        return str(self._client.create_secret(Name=name)["ARN"])

    def value(self, secret_id: str) -> str:
        return str(self._client.get_secret_value(SecretId=secret_id)["SecretString"])

    def put(self, secret_id: str, value: str) -> None:
        self._client.put_secret_value(SecretId=secret_id, SecretString=value)

    def delete(self, secret_id: str) -> None:
        self._client.delete_secret(SecretId=secret_id, ForceDeleteWithoutRecovery=True)

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(endpoint: str) -> Iterator[Account]:
    account = Account(endpoint)
    yield account
    account.close()


@pytest.fixture
def engine_environment(endpoint: str) -> Mapping[str, str]:
    return {"AWS_ENDPOINT_URL": endpoint, **IDENTITY}


def password(secret_id: str, length: int = 32) -> Callable[[], None]:
    def program() -> None:
        made = Password(
            "database", {"secret_id": secret_id, "secret_store": STORE, "length": length}
        )
        pulumi.export("value", made.value)

    return program


def certificates(
    ca_secret: str, node_secret: str, *, address: str = "10.42.1.10", renewal: str = "never"
) -> Callable[[], None]:
    def program() -> None:
        authority = CertificateAuthority(
            "ca", {"secret_id": ca_secret, "secret_store": STORE, "renewal": renewal}
        )
        node = Certificate(
            "node-1",
            {
                "ca_secret_id": ca_secret,
                "ca_fingerprint": authority.fingerprint,
                "secret_id": node_secret,
                "secret_store": STORE,
                "common_name": "node-1",
                "organizational_unit": "nodes",
                "addresses": [address],
            },
        )
        pulumi.export("fingerprint", node.fingerprint)
        pulumi.export("trusted", authority.certificate)

    return program


def test_a_password_is_in_the_store_and_nowhere_in_clear(engine: Engine, account: Account) -> None:
    secret = account.new("clear")
    up = engine.up(password(secret))
    value = account.value(secret)
    assert up.outputs["value"] == value
    assert value not in engine.state()
    assert value not in up.text
    preview = engine.preview(password(secret))
    assert preview.changed == {}
    assert value not in preview.text


def test_a_password_that_others_changed_is_seen_and_a_lost_one_made_anew(
    engine: Engine, account: Account
) -> None:
    secret = account.new("drift")
    engine.up(password(secret))
    account.put(secret, "changed-by-others")
    engine.refresh()  # counted as unchanged: the engine counts changes of inputs
    assert engine.up(password(secret)).outputs["value"] == "changed-by-others"

    account.delete(secret)
    assert engine.refresh().changed == {"delete": 1}
    new_secret = account.new("drift")
    again = engine.up(password(new_secret))
    assert again.changed == {"create": 1}
    assert account.value(new_secret) == again.outputs["value"]


def test_another_length_makes_another_password(engine: Engine, account: Account) -> None:
    secret = account.new("length")
    engine.up(password(secret))
    assert engine.preview(password(secret, 40)).changed == {"update": 1}
    assert len(engine.up(password(secret, 40)).outputs["value"]) == 40


def test_a_password_is_imported_by_the_secrets_arn(engine: Engine, account: Account) -> None:
    secret = account.new("imported")
    account.put(secret, "0123456789abcdef")

    def program() -> None:
        args = {"secret_id": secret, "secret_store": STORE, "length": 16}
        Password("database", args, pulumi.ResourceOptions(import_=secret))  # type: ignore[arg-type]

    assert engine.up(program).changed == {"create": 1, "import": 1}
    assert "0123456789abcdef" not in engine.state()
    assert engine.preview(program).changed == {}


def test_a_missing_secret_is_one_clear_error(engine: Engine, account: Account) -> None:
    missing = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:missing-abcdef"
    assert engine.preview(password(missing)).changed == {"create": 2}
    with pytest.raises(EngineError) as failed:
        engine.up(password(missing))
    text = str(failed.value)
    assert f"AWS Secrets Manager in {REGION} has no secret {missing}" in text
    for noise in ("Traceback", "SecretNotFoundError", "botocore", "ClientError", "Unexpected"):
        assert noise not in text


def test_a_length_that_is_weak_is_refused_at_preview(engine: Engine) -> None:
    with pytest.raises(EngineError) as refused:
        engine.preview(password("any", 8))
    assert "length = 8: is too short to be safe; use 16 to 128" in str(refused.value)


def test_certificates_follow_their_declaration_and_keys_stay_in_the_store(
    engine: Engine, account: Account
) -> None:
    ca, node = account.new("chain/ca"), account.new("chain/node-1")
    program = certificates(ca, node)
    # The authority's fingerprint is unknown at this preview; all else is checked.
    assert engine.preview(program).changed == {"create": 3}
    created = engine.up(program)
    assert engine.preview(program).changed == {}
    assert engine.refresh().changed == {}
    for secret in (ca, node):
        key = account.value(secret).split("-----")[2].strip()
        assert key not in engine.state().replace("\\n", "\n")
        assert "PRIVATE KEY" not in engine.state()

    moved = certificates(ca, node, address="10.42.1.11")
    (step,) = engine.preview(moved).steps("node-1")
    assert list(step.detailed_diff) == ["addresses[0]"]
    assert engine.up(moved).outputs["fingerprint"] != created.outputs["fingerprint"]

    # Somebody puts the old certificate back: a refresh shows it, an update repairs it.
    held = account.value(node)
    account.put(node, account.value(ca))
    assert engine.refresh().changed == {"update": 1}
    assert engine.up(moved).changed == {"update": 1}
    assert account.value(node) != held
    assert engine.preview(moved).changed == {}


def test_a_renewed_authority_renews_its_certificates_and_keeps_the_old_one_trusted(
    engine: Engine, account: Account
) -> None:
    ca, node = account.new("new/ca"), account.new("new/node-1")
    before = engine.up(certificates(ca, node)).outputs
    renewed = certificates(ca, node, renewal="asked")
    assert engine.preview(renewed).changed == {"update": 2}
    after = engine.up(renewed).outputs
    assert after["trusted"].endswith(before["trusted"])
    assert after["trusted"] != before["trusted"]
    assert after["fingerprint"] != before["fingerprint"]
    assert engine.preview(renewed).changed == {}
    assert engine.refresh().changed == {}
    assert engine.up(renewed).changed == {}


def test_a_certificate_near_its_end_shows_at_preview(engine: Engine, account: Account) -> None:
    ca, node = account.new("aged/ca"), account.new("aged/node-1")
    program = certificates(ca, node)
    engine.up(program)
    authority = pki.parse(account.value(ca))
    with_an_hour_left = pki.issue(
        authority,
        common_name="node-1",
        organizational_unit="nodes",
        organization="inkless",
        addresses=["10.42.1.10"],
        days=0,
    )
    account.put(node, with_an_hour_left.pem())
    engine.refresh()
    (step,) = engine.preview(program).steps("node-1")
    assert "notAfter" in step.detailed_diff
    engine.up(program)
    assert engine.preview(program).changed == {}


def test_a_secret_in_use_is_refused_and_left_alone(engine: Engine, account: Account) -> None:
    ca, node = account.new("taken/ca"), account.new("taken/node-1")
    account.put(node, "somebody's")
    with pytest.raises(EngineError) as refused:
        engine.up(certificates(ca, node))
    assert f"The secret {node} holds something else" in str(refused.value)
    assert account.value(node) == "somebody's"
