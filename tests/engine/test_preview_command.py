"""`inkless-pulumi preview --sandbox`: without an account, and without a trace."""

import os
import subprocess
import sys
from pathlib import Path

QUICK_START = Path(__file__).parents[2] / "examples" / "aws-quickstart"
CREDENTIALS = ("AWS_", "PULUMI_", "INKLESS_")


def preview(directory: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run it with an empty home and an own place for temporary files, both below `directory`."""
    home, temporary = directory / "home", directory / "temporary"
    home.mkdir()
    temporary.mkdir()
    clean = {name: text for name, text in os.environ.items() if not name.startswith(CREDENTIALS)}
    environment = {**clean, "HOME": str(home), "TMPDIR": str(temporary)}
    return subprocess.run(
        [sys.executable, "-m", "inkless_pulumi.cli", "preview", "--sandbox", *options],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_quick_start_is_previewed_and_nothing_is_left(tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime for path in QUICK_START.rglob("*")}
    done = preview(tmp_path, str(QUICK_START))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aws:rds:Instance kafka-database create" in done.stdout
    assert "inkless:index:DisklessTopic events create" in done.stdout
    assert "warning" not in done.stdout
    assert [*(tmp_path / "home").rglob("*"), *(tmp_path / "temporary").rglob("*")] == []
    assert {path: path.stat().st_mtime for path in QUICK_START.rglob("*")} == before


def test_a_wrong_declaration_is_refused_with_its_argument(tmp_path: Path) -> None:
    zones = [f"zones[{number}]=eu-central-1a" for number in range(3)]
    options = [part for zone in zones for part in ("-c", zone)]
    done = preview(tmp_path, str(QUICK_START), *options)
    assert done.returncode == 1
    assert "zones" in done.stdout
    assert "eu-central-1a" in done.stdout
    assert "Traceback" not in done.stdout
