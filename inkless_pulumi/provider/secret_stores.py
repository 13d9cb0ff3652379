"""Where secrets are kept: the cloud's secret store.

The container of a secret (its name, encryption key, policy, deletion) is an ordinary resource of
the cloud, made by the program; the plugin only writes and reads values. A new cloud's store is one
more class here and one more entry in the table of kinds.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

from inkless_pulumi.core.errors import SecretStoreError
from inkless_pulumi.provider.aws_clients import aws_client, error_code, explanation
from inkless_pulumi.provider.resource import WireModel

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

__all__ = [
    "SecretNotFoundError",
    "SecretStore",
    "SecretStoreInputs",
    "StoredSecret",
    "occupied",
    "open_secret_store",
    "store_named_in",
]


class SecretNotFoundError(SecretStoreError):
    """The secret does not exist, or has no value."""


class SecretStoreInputs(WireModel):
    """Where secrets are kept."""

    kind: Literal["aws-secrets-manager"] = "aws-secrets-manager"
    """The service. Default, and the only one today: `aws-secrets-manager`."""
    region: str
    """The cloud's region, for example `eu-central-1`."""
    profile: str | None = None
    """A named profile of the machine that runs Pulumi. Default: the usual credential chain."""


class SecretStore(Protocol):
    """Reads and writes the values of secrets that exist.

    Errors are `SecretStoreError`s that name the secret and never hold a value.
    """

    def read(self, secret_id: str) -> str:
        """The current value. Raises SecretNotFoundError when there is none."""

    def find(self, secret_id: str) -> "StoredSecret | None":
        """The current value and its version; None when the secret, or its value, is gone."""

    def write(self, secret_id: str, value: str) -> str:
        """Make `value` the current one, and answer the id of its version."""


@dataclass(frozen=True)
class StoredSecret:
    """What a store holds under an id."""

    value: str = field(repr=False)
    version_id: str


def open_secret_store(inputs: SecretStoreInputs) -> SecretStore:
    """Open the store that a resource names. Nothing is contacted yet."""
    return _STORES[inputs.kind](inputs.region, inputs.profile)


def occupied(secret_id: str, wanted: str) -> SecretStoreError:
    """The error when a secret holds something that a new resource did not make.

    What is as the resource would have made it is adopted instead: it was made by a run that was
    interrupted before it was recorded, or its record was lost.
    """
    return SecretStoreError(
        f"The secret {secret_id} holds something else than {wanted}; it is left as it is. Give "
        "this resource a secret of its own."
    )


def store_named_in(secret_id: str) -> SecretStoreInputs:
    """Find the store of a secret from its id alone, for an import.

    Raises:
        SecretStoreError: the id is not an ARN of AWS Secrets Manager.
    """
    parts = secret_id.split(":")
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "secretsmanager":
        raise SecretStoreError(
            f"{secret_id!r} does not say which secret store it is in. Import by the secret's full "
            "ARN: arn:aws:secretsmanager:<region>:<account>:secret:<name>."
        )
    return SecretStoreInputs(region=parts[3])


class _SecretsManager:
    """AWS Secrets Manager."""

    def __init__(self, region: str, profile: str | None) -> None:
        self._region = region
        self._profile = profile

    def read(self, secret_id: str) -> str:
        found = self.find(secret_id)
        if found is None:
            raise self._not_found(secret_id)
        return found.value

    def find(self, secret_id: str) -> StoredSecret | None:
        with self._explained("read", secret_id, "secretsmanager:GetSecretValue"):
            try:
                answer = self._client().get_secret_value(SecretId=secret_id)
            except Exception as error:
                if _is_gone(error):
                    return None
                raise
        if "SecretString" not in answer:
            raise SecretStoreError(
                f"The secret {secret_id} holds binary data where text is expected. Give this "
                "resource a secret of its own."
            )
        return StoredSecret(answer["SecretString"], answer["VersionId"])

    def write(self, secret_id: str, value: str) -> str:
        # One token for all of boto3's retries: a write that is sent twice makes one version.
        token = uuid.uuid4().hex
        with self._explained("written", secret_id, "secretsmanager:PutSecretValue"):
            try:
                answer = self._client().put_secret_value(
                    SecretId=secret_id, SecretString=value, ClientRequestToken=token
                )
            except Exception as error:
                if _is_gone(error):
                    raise self._not_found(secret_id) from None
                raise
        return answer["VersionId"]

    def _client(self) -> "SecretsManagerClient":
        return aws_client("secretsmanager", self._region, self._profile)

    def _not_found(self, secret_id: str) -> SecretNotFoundError:
        return SecretNotFoundError(
            f"AWS Secrets Manager in {self._region} has no secret {secret_id} with a value, or it "
            "is scheduled for deletion. Check the id and the region; a deleted secret can be "
            f"brought back with `aws secretsmanager restore-secret --secret-id {secret_id}`."
        )

    @contextmanager
    def _explained(self, verb: str, secret_id: str, action: str) -> Iterator[None]:
        try:
            yield
        except SecretStoreError:
            raise
        except Exception as error:
            why = explanation(error, action=action, region=self._region, profile=self._profile)
            raise SecretStoreError(
                f"The secret {secret_id} in AWS Secrets Manager ({self._region}) could not be "
                f"{verb}: {why}"
            ) from error


def _is_gone(error: Exception) -> bool:
    code = error_code(error)
    # Secrets Manager calls a secret that is scheduled for deletion an invalid request.
    return code == "ResourceNotFoundException" or (
        code == "InvalidRequestException" and "delet" in str(error)
    )


_STORES: Final[dict[str, Callable[[str, str | None], SecretStore]]] = {
    "aws-secrets-manager": _SecretsManager,
}
