"""Where credentials of registries come from: Docker's configuration and Amazon ECR."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider.aws_clients import forget_clients
from inkless_pulumi.provider.registry_credentials import (
    Credentials,
    docker_credentials,
    ecr_credentials,
)

SECRET = "hunter2-hunter2"


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_nobody_who_logged_in_is_anonymous(docker_config: Path) -> None:
    assert docker_credentials("ghcr.io") is None
    docker_config.write_text(json.dumps({"auths": {"quay.io": auth("me", SECRET)}}))
    assert docker_credentials("ghcr.io") is None


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("ghcr.io", "ghcr.io"),
        ("ghcr.io", "https://ghcr.io"),
        ("docker.io", "https://index.docker.io/v1/"),
    ],
)
def test_what_docker_login_left_is_used(docker_config: Path, host: str, key: str) -> None:
    docker_config.write_text(json.dumps({"auths": {key: auth("me", f"{SECRET}:x")}}))
    assert docker_credentials(host) == Credentials("me", f"{SECRET}:x", str(docker_config))


def test_a_credential_helper_is_asked_before_the_file(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text(
        '#!/bin/sh\nread host; [ "$host" = ghcr.io ] || exit 1\n'
        f'echo \'{{"Username": "helped", "Secret": "{SECRET}"}}\'\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    auths = {"ghcr.io": auth("file", SECRET), "quay.io": auth("file", SECRET)}
    docker_config.write_text(json.dumps({"credsStore": "test", "auths": auths}))
    helped, from_file = docker_credentials("ghcr.io"), docker_credentials("quay.io")
    assert helped is not None
    assert helped.username == "helped"
    assert from_file is not None
    assert from_file.username == "file"


def test_a_credential_helper_that_is_missing_is_named(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"credHelpers": {"ghcr.io": "no-such-helper"}}))
    with pytest.raises(RegistryError, match="docker-credential-no-such-helper, which cannot be ru"):
        docker_credentials("ghcr.io")


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": {"ghcr.io": 1}}'])
def test_a_broken_configuration_is_an_error_and_not_anonymous(
    docker_config: Path, text: str
) -> None:
    docker_config.write_text(text)
    with pytest.raises(RegistryError, match="is not a Docker configuration"):
        docker_credentials("ghcr.io")


def test_credentials_do_not_print_their_password() -> None:
    assert SECRET not in repr(Credentials("me", SECRET, "the test"))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    forget_clients()
    with mock_aws():
        yield
    forget_clients()


@pytest.mark.usefixtures("aws")
def test_ecr_gives_a_token_to_the_identity_of_the_account() -> None:
    credentials = ecr_credentials("eu-central-1")
    assert credentials.username == "AWS"
    assert credentials.password
    assert "eu-central-1" in credentials.source


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    forget_clients()
    with pytest.raises(RegistryError, match=r"Amazon ECR in eu-central-1.*profile 'nobody'"):
        ecr_credentials("eu-central-1", "nobody")
