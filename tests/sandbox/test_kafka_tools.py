"""Kafka's own command-line tools reach a service as docs/operations.md says."""

import os
import re
import subprocess
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from inkless_pulumi.provider import pki
from tests.sandbox.certificates import Authority
from tests.sandbox.local_kafka import Unavailable, local_kafka

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


class ServiceAuthority(Authority):
    """A service's own authority, which may have been renewed."""

    def __init__(self, *, renewed: bool) -> None:
        first = pki.new_authority(common_name="inkless-ca", organization="inkless", days=9)
        self._identity = pki.succeed(first, days=9) if renewed else first
        self.certificate = pki.pem_of(self._identity.certificate, *self._identity.roots)

    def issue(
        self, common_name: str, unit: str, addresses: Sequence[str] = (), *, days: int = 1
    ) -> str:
        """What a service has in the secret of a node or, without an address, of a client."""
        identity = pki.issue(
            self._identity,
            common_name=common_name,
            organizational_unit=unit,
            organization="inkless",
            addresses=addresses,
            days=days,
            with_authorities=not addresses,
        )
        return identity.pem()


def told() -> tuple[str, str]:
    """The commands, and the properties, that the page tells."""
    _, _, part = PAGE.read_text().partition("**Kafka's own tools as the administrator.**")
    block = re.search(r"\n\n((?:    .*\n|\n)+)", part)
    assert block is not None
    commands, properties = textwrap.dedent(block[1]).strip().split("\n\n")
    return commands, properties


@pytest.mark.parametrize("renewed", [False, True], ids=["first CA", "renewed CA"])
def test_the_administrator_uses_kafkas_tools_with_what_the_secret_has(
    tmp_path: Path, renewed: bool
) -> None:
    authority = ServiceAuthority(renewed=renewed)
    try:
        kafka = local_kafka(tmp_path, authority=authority)
    except Unavailable as reason:
        pytest.skip(f"no local Kafka: {reason}")
    commands, properties = told()
    account = tmp_path / "account"
    account.mkdir()
    (account / "secret").write_text(authority.issue("inkless-admin", "admins"))
    (account / "aws").write_text(f'#!/bin/sh\ncat "{account}/secret"\n')
    (account / "pulumi").write_text("#!/bin/sh\necho arn\n")
    (account / "aws").chmod(0o700)
    (account / "pulumi").chmod(0o700)
    path = {**os.environ, "PATH": f"{account}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-euc", commands], cwd=tmp_path, env=path, check=True)
    (tmp_path / "admin.properties").write_text(properties)

    def topics(*arguments: str) -> str:
        command = [*kafka.java(), "org.apache.kafka.tools.TopicCommand", *arguments]
        command += ["--bootstrap-server", kafka.mtls, "--command-config", "admin.properties"]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    kafka.start()
    try:
        kafka.await_listener()
        topics("--create", "--topic", "by-hand")
        assert "by-hand" in topics("--list").split()
    finally:
        kafka.stop()
