"""The secret store: values that are there, gone, or out of reach, each told apart."""

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from inkless_pulumi.core.errors import SecretStoreError
from inkless_pulumi.provider import secret_stores
from inkless_pulumi.provider.aws_clients import explanation, forget_clients
from inkless_pulumi.provider.secret_stores import (
    SecretNotFoundError,
    SecretStoreInputs,
    open_secret_store,
    store_named_in,
)
from tests.unit.provider.secret_manager import (
    REGION,
    STORE,
    delete,
    new_secret,
    value_of,
)

pytestmark = pytest.mark.usefixtures("aws_account")


def test_what_was_written_is_read_back_with_its_version() -> None:
    secret, store = new_secret("a"), open_secret_store(STORE)
    version = store.write(secret, "first")
    found = store.find(secret)
    assert store.read(secret) == "first"
    assert found is not None
    assert found.version_id == version
    assert store.write(secret, "second") != version
    assert value_of(secret) == "second"


def test_a_secret_without_a_value_and_a_deleted_one_are_gone() -> None:
    store, empty, deleted = open_secret_store(STORE), new_secret("empty"), new_secret("deleted")
    store.write(deleted, "x")
    delete(deleted)
    assert store.find(empty) is None
    assert store.find(deleted) is None
    assert store.find(deleted.replace("deleted", "never")) is None
    with pytest.raises(SecretNotFoundError, match=rf"{empty}.*restore-secret"):
        store.read(empty)


def test_writing_to_a_secret_that_is_not_there_names_it_and_the_region() -> None:
    with pytest.raises(SecretNotFoundError, match=f"{REGION} has no secret nowhere"):
        open_secret_store(STORE).write("nowhere", "a-value")


def test_binary_data_is_refused() -> None:
    secret = new_secret("binary")
    client = boto3.client("secretsmanager", REGION)
    client.put_secret_value(SecretId=secret, SecretBinary=b"\x00")
    with pytest.raises(SecretStoreError, match="holds binary data"):
        open_secret_store(STORE).find(secret)


def test_a_profile_that_does_not_exist_is_named() -> None:
    store = open_secret_store(SecretStoreInputs(region=REGION, profile="elsewhere"))
    with pytest.raises(SecretStoreError, match=r"no AWS profile 'elsewhere'.*list-profiles"):
        store.read("a")


def test_missing_credentials_are_told_with_the_way_to_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without_credentials(*_: object) -> object:
        raise NoCredentialsError

    monkeypatch.setattr(secret_stores, "aws_client", without_credentials)
    with pytest.raises(SecretStoreError, match=r"no AWS credentials.*get-caller-identity"):
        open_secret_store(STORE).read("a")


def answer(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "because"}}, "PutSecretValue")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (answer("AccessDeniedException"), "Allow s:Put to profile 'p' (because)"),
        (answer("ExpiredTokenException"), "profile 'p' expired. Log in again."),
        (answer("UnrecognizedClientException"), "AWS does not know profile 'p'"),
        (answer("DecryptionFailure"), "DecryptionFailure: because"),
        (EndpointConnectionError(endpoint_url="https://x"), "can't be reached in eu-central-1"),
    ],
)
def test_each_cause_has_its_own_advice(error: Exception, told: str) -> None:
    assert told in explanation(error, action="s:Put", region=REGION, profile="p")


def test_no_error_ever_holds_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def put_secret_value(self, **_: str) -> None:
            raise answer("AccessDeniedException")

    monkeypatch.setattr(secret_stores, "aws_client", lambda *_: Refusing())
    with pytest.raises(SecretStoreError) as failed:
        open_secret_store(STORE).write("a", "hunter2")
    assert "secretsmanager:PutSecretValue" in str(failed.value)
    assert "hunter2" not in str(failed.value)


def test_the_store_of_an_imported_secret_is_read_from_its_arn() -> None:
    arn = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:ca-AbCdEf"
    assert store_named_in(arn) == SecretStoreInputs(region="cn-north-1")
    with pytest.raises(SecretStoreError, match="full ARN"):
        store_named_in("just-a-name")


def test_clients_are_built_once() -> None:
    from inkless_pulumi.provider.aws_clients import aws_client

    assert aws_client("ssm", REGION, None) is aws_client("ssm", REGION, None)
    before = aws_client("ssm", REGION, None)
    forget_clients()
    assert aws_client("ssm", REGION, None) is not before
