"""Looking at processes that go on meanwhile."""

from pathlib import Path

import pytest

from proofs.claims import observing


def test_a_file_that_is_closed_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "3").symlink_to("/opt/kafka/libs/kafka_2.13-4.2.1.jar")
    there = [tmp_path / "3", tmp_path / "4"]
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(there))
    assert list(observing._open_files(tmp_path)) == ["/opt/kafka/libs/kafka_2.13-4.2.1.jar"]
