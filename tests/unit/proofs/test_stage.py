"""A proof leaves nothing behind, however it ends."""

import os
import signal
from pathlib import Path

import pytest

from inkless_pulumi.sandbox import lifecycle
from proofs import stage as module
from proofs.stage import stage


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The homes that were removed; nothing is started."""
    removed: list[Path] = []
    monkeypatch.setattr(lifecycle, "down", lambda home, _narrate: removed.append(home.root))
    monkeypatch.setattr(module, "Stage", lambda home, _narrate: home)
    return removed


def a_failing_proof(home: Path) -> None:
    with stage(home, print):
        raise ValueError("a change failed")


def a_proof_that_is_told_to_end(home: Path) -> None:
    with stage(home, print):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_proof_that_failed_leaves_nothing(removed: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a change failed"):
        a_failing_proof(tmp_path)
    assert removed == [tmp_path, tmp_path], "what an earlier one left, and what this one did"


def test_what_a_proof_made_of_its_own_goes_and_what_it_did_not_make_stays(
    removed: list[Path], tmp_path: Path
) -> None:
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    for place in (own, foreign):
        (place / "proof").mkdir(parents=True)
    (foreign / "file").write_text("of somebody else")
    for place in (own, foreign):
        with stage(place, print):
            (place / "proof" / "Pulumi.yaml").parent.mkdir(parents=True)
    assert removed
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "foreign",
        "foreign/file",
    ]


def test_a_proof_that_is_told_to_end_leaves_nothing(removed: list[Path], tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        a_proof_that_is_told_to_end(tmp_path)
    assert removed == [tmp_path, tmp_path]
    assert signal.getsignal(signal.SIGTERM) == before
