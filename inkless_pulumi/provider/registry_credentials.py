"""Where the credentials of a container registry come from.

Three sources, none of which keeps anything: Amazon ECR's authorization token (asked for with the
account's own identity), the Docker configuration of whoever runs Pulumi, and nobody (anonymous).
"""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider.aws_clients import aws_client, explanation

_HELPER_TIMEOUT_SECONDS = 15
# Docker Hub's API is served, and its credentials are filed, under names that no reference shows.
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True)
class Credentials:
    """A user name and a password for one registry; `source` says in errors where they came from."""

    username: str
    password: str = field(repr=False)
    source: str


def ecr_credentials(region: str, profile: str | None = None) -> Credentials:
    """Credentials for the ECR registries this identity may use in `region`, valid for 12 hours.

    The endpoint that ECR names beside the token is not used: the repository's own host is.
    Raises RegistryError where the account cannot be asked, or refuses.
    """
    try:
        answer = aws_client("ecr", region, profile).get_authorization_token()
        token = answer["authorizationData"][0]["authorizationToken"]
        username, _, password = base64.b64decode(token).decode().partition(":")
    except (LookupError, ValueError) as error:
        raise RegistryError(
            f"Amazon ECR in {region} answered without a usable authorization token. "
            "Check that the AWS endpoint in use is ECR's."
        ) from error
    except Exception as error:
        why = explanation(error, action="ecr:GetAuthorizationToken", region=region, profile=profile)
        raise RegistryError(f"Could not get a token for Amazon ECR in {region}: {why}") from error
    identity = f"profile {profile!r}" if profile else "the AWS credentials in use"
    return Credentials(username, password, f"Amazon ECR in {region} for {identity}")


def docker_credentials(host: str) -> Credentials | None:
    """The credentials `docker login` (or podman) left for `host`; None where there are none.

    Reads `$DOCKER_CONFIG/config.json`, by default `~/.docker/config.json`: its `credHelpers` and
    `credsStore` are asked as Docker asks them, then `auths` is read. An unreadable file is an
    error rather than an anonymous attempt, whose refusal would mislead.
    """
    path = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RegistryError(f"{path} cannot be read: {error}. Mend or remove it.") from error
    try:
        configuration = json.loads(text)
        if not isinstance(configuration, dict):
            raise TypeError("not a JSON object")
        return _from_helper(configuration, host, path) or _from_auths(configuration, host, path)
    except (TypeError, ValueError, AttributeError) as error:
        raise RegistryError(
            f"{path} is not a Docker configuration that can be understood. Mend it, or run "
            f"`docker logout {host}` and `docker login {host}`."
        ) from error


def _keys(host: str) -> tuple[str, ...]:
    if host == _DOCKER_HUB:
        return (_DOCKER_HUB_KEY, host)
    return (host, f"https://{host}", f"https://{host}/v1/", f"https://{host}/v2/")


def _from_auths(configuration: Mapping[str, object], host: str, path: Path) -> Credentials | None:
    auths = configuration.get("auths") or {}
    if not isinstance(auths, dict):
        raise TypeError("auths")
    for key in _keys(host):
        entry = auths.get(key)
        if not entry or not entry.get("auth"):
            continue
        try:
            decoded = base64.b64decode(entry["auth"], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(key) from error
        username, _, password = decoded.partition(":")
        return Credentials(username, password, str(path))
    return None


def _from_helper(configuration: Mapping[str, object], host: str, path: Path) -> Credentials | None:
    helpers = configuration.get("credHelpers") or {}
    store = configuration.get("credsStore")
    for key in _keys(host):
        helper = helpers.get(key, store) if isinstance(helpers, dict) else store
        if not helper:
            continue
        program = f"docker-credential-{helper}"
        try:
            done = subprocess.run(
                [program, "get"],
                input=key,
                capture_output=True,
                text=True,
                timeout=_HELPER_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RegistryError(
                f"{path} names the credential helper {program}, which cannot be run: "
                f"{type(error).__name__}. Install it, or remove it from that file."
            ) from error
        if done.returncode == 0:
            found = json.loads(done.stdout)
            return Credentials(found["Username"], found["Secret"], f"{program} ({path})")
    return None
