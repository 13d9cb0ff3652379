"""A snapshot has what a preview needs, and no secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.project import stack_settings
from inkless_pulumi.sandbox.snapshot import Snapshot, without_secrets

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


def export(**inputs: Any) -> dict[str, Any]:
    """What `pulumi stack export` gives."""
    return {
        "version": 3,
        "deployment": {
            "manifest": {"version": "v3.259.0"},
            "secrets_providers": {"type": "passphrase", "state": {"salt": "v1:salt"}},
            "resources": [
                {"urn": "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::b", "inputs": inputs},
                {
                    "urn": "urn:pulumi:dev::shop::pulumi:providers:aws::p",
                    "type": "pulumi:providers:aws",
                    "inputs": {"region": "eu-west-1", "secretKey": "abcdef"},
                },
            ],
            "pending_operations": [{"type": "creating"}],
        },
    }


def encrypted(text: str) -> dict[str, str]:
    return {SIGNATURE: SECRET, "ciphertext": text}


def test_secrets_become_placeholders_that_are_secret_too() -> None:
    found = without_secrets(export(plain="a", nested=[{"deep": encrypted("v1:xyz")}]))
    inputs = found["deployment"]["resources"][0]["inputs"]
    assert inputs["plain"] == "a"
    assert inputs["nested"] == [{"deep": {SIGNATURE: SECRET, "plaintext": '"[secret]"'}}]


def test_nothing_of_the_encryption_and_no_credential_is_left() -> None:
    text = json.dumps(without_secrets(export(password=encrypted("v1:xyz"))))
    for gone in ("v1:xyz", "v1:salt", "ciphertext", "abcdef", "pending"):
        assert gone not in text


def test_a_snapshot_names_its_project_and_stack(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(export(password=encrypted("v1:xyz"))))
    found = Snapshot(file)
    assert (found.project, found.stack) == ("shop", "dev")
    assert "v1:xyz" not in json.dumps(found.content), "even where the file had one"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ('{"steps": []}', "it has no deployment"),
        ('{"version": 3, "deployment": {}}', "has no resources"),
    ],
)
def test_what_is_no_snapshot_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "snapshot.json"
    file.write_text(content)
    with pytest.raises(SandboxError, match=said):
        Snapshot(file)
    with pytest.raises(SandboxError, match="can't be read"):
        Snapshot(tmp_path / "nowhere.json")


def test_the_stacks_configuration_is_read_without_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "encryptionsalt: v1:x\n"
        "config:\n"
        "  aws:region: eu-west-1\n"
        "  shop:count: 3\n"
        "  shop:on: true\n"
        "  shop:zones: [a, b]\n"
        "  shop:password: {secure: v1:abc}\n"
    )
    found = stack_settings(tmp_path, "dev")
    assert found.plain == {
        "aws:region": "eu-west-1",
        "shop:count": "3",
        "shop:on": "true",
        "shop:zones": '["a", "b"]',
    }
    assert found.secret == ("shop:password",)
    assert stack_settings(tmp_path, "other").plain == {}
