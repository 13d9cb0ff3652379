"""The package's schema as Pulumi itself reads it from the plugin."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("schema.json")


@pytest.fixture
def printed(pulumi_command: Path, tmp_path: Path) -> str:
    plugin = Path(sys.executable).with_name("pulumi-resource-inkless")
    told = subprocess.run(
        [pulumi_command, "package", "get-schema", str(plugin)],
        env={**os.environ, "PULUMI_HOME": str(tmp_path), "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_the_schema_is_the_reviewed_one(printed: str) -> None:
    # A change here is a change for every user: look at it, then run with INKLESS_WRITE_GOLDEN=1.
    schema = json.loads(printed)
    schema["version"] = "0.0.0"
    if os.environ.get("INKLESS_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n")
    assert schema == json.loads(GOLDEN.read_text())
