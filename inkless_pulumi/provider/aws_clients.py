"""Clients of AWS services for the plugin's resources, and their errors in plain words."""

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

from inkless_pulumi.core.errors import InklessError

__all__ = ["aws_client", "error_code", "explanation", "forget_clients"]

_building = threading.Lock()

_CREDENTIALS_ADVICE = (
    "Pulumi's plugin uses the usual AWS chain: environment variables, the shared profile, single "
    "sign-on, an instance role. Run `aws sts get-caller-identity` to see who you are"
)


@overload
def aws_client(
    service: Literal["secretsmanager"], region: str, profile: str | None
) -> "SecretsManagerClient": ...
@overload
def aws_client(service: Literal["ecr"], region: str, profile: str | None) -> "ECRClient": ...
@overload
def aws_client(service: Literal["ssm"], region: str, profile: str | None) -> "SSMClient": ...
@overload
def aws_client(service: Literal["logs"], region: str, profile: str | None) -> Any: ...
def aws_client(service: str, region: str, profile: str | None) -> Any:
    """Build a client, or answer the one built before: they are safe to share between threads.

    Raises whatever boto3 does; see `explanation`.
    """
    # Each session parses tens of megabytes of service descriptions; never two at once.
    with _building:
        return _client(service, region, profile)


def forget_clients() -> None:
    """Build new clients from now on; for tests, which change what answers."""
    _client.cache_clear()


@cache
def _client(service: str, region: str, profile: str | None) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as missing:
        raise InklessError("AWS needs boto3: pip install 'inkless-pulumi[aws]'.") from missing

    session = boto3.Session(profile_name=profile, region_name=region)
    retries: Any = {"mode": "standard", "total_max_attempts": 5}
    config = Config(retries=retries, connect_timeout=5, read_timeout=30)
    return session.client(service, config=config)


def error_code(error: BaseException) -> str:
    """The code in AWS's answer, such as `AccessDeniedException`; empty when AWS never answered."""
    answer: dict[str, Any] = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))


def explanation(error: BaseException, *, action: str, region: str, profile: str | None) -> str:
    """Why a call failed and what to do, as a clause that goes after "could not …: ".

    Args:
        error: what boto3 raised.
        action: the permission that the call needs, such as `ssm:GetParameter`.
        region: of the call.
        profile: of the call.
    """
    whose = f"profile {profile!r}" if profile else "the AWS credentials in use"
    code = error_code(error)
    if code in {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}:
        return f"access denied. Allow {action} to {whose} ({_message(error)})."
    if code in {"ExpiredTokenException", "ExpiredToken", "RequestExpired"}:
        return f"{whose} expired. Log in again. {_CREDENTIALS_ADVICE}."
    if code in {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"}:
        return f"AWS does not know {whose} ({code}). {_CREDENTIALS_ADVICE}."
    if code:
        return f"{code}: {_message(error)}"
    return _before_an_answer(error, region, profile)


def _before_an_answer(error: BaseException, region: str, profile: str | None) -> str:
    match type(error).__name__:
        case "NoCredentialsError" | "PartialCredentialsError" | "CredentialRetrievalError":
            return f"there are no AWS credentials. {_CREDENTIALS_ADVICE}."
        case "TokenRetrievalError" | "UnauthorizedSSOTokenError" | "SSOTokenLoadError":
            login = f"aws sso login --profile {profile}" if profile else "aws sso login"
            return f"the single sign-on session ended. Run `{login}`."
        case "ProfileNotFound":
            listing = "`aws configure list-profiles` lists those there are"
            return f"this machine has no AWS profile {profile!r}; {listing}."
        case (
            "EndpointConnectionError"
            | "ConnectTimeoutError"
            | "ReadTimeoutError"
            | "ProxyConnectionError"
        ):
            return f"AWS can't be reached in {region} ({error}). Check the region and the network."
        case _:
            return f"{error}"


def _message(error: BaseException) -> str:
    answer: dict[str, Any] = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Message", error))
