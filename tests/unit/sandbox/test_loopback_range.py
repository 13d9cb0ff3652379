"""Sandboxes on one machine, each with loopback addresses of its own."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import loopback_range
from inkless_pulumi.sandbox.home import Home


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(loopback_range, "_MEMORY", memory)
    return memory


def claimed(home: Home) -> int:
    loopback_range.claim(home)
    number: int = home.read_settings()[loopback_range.SETTING]
    return number


def homes(tmp_path: Path, count: int) -> list[Home]:
    return [Home.at(tmp_path / f"home-{number}") for number in range(count)]


def test_sandboxes_that_start_at_once_get_ranges_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        ranges = list(pool.map(claimed, homes(tmp_path, 8)))
    assert sorted(ranges) == list(range(8))


def test_a_sandbox_keeps_its_range(tmp_path: Path) -> None:
    first, second = homes(tmp_path, 2)
    before = claimed(first), claimed(second)
    assert (claimed(first), claimed(second)) == before


def test_no_octet_is_in_two_ranges_and_all_of_them_are_loopback() -> None:
    octets = [
        loopback_range.first_octet(number) + step
        for number in loopback_range._RANGES
        for step in (*loopback_range.TWIN_OCTETS, loopback_range.DATABASE_OCTET)
    ]
    assert len(set(octets)) == len(octets)
    assert min(octets) > 0
    assert max(octets) < 255


def test_a_range_that_was_given_back_is_taken_by_the_next(tmp_path: Path) -> None:
    first, second, third = homes(tmp_path, 3)
    number, _ = claimed(first), claimed(second)
    shutil.rmtree(first.root)
    loopback_range.release(first)
    assert claimed(third) == number


def test_the_range_of_a_home_that_was_deleted_by_hand_is_taken_by_the_next(tmp_path: Path) -> None:
    first, second = homes(tmp_path, 2)
    number = claimed(first)
    shutil.rmtree(first.root)
    assert claimed(second) == number


def test_nothing_is_left_behind_the_last_sandbox(tmp_path: Path, memory: Path) -> None:
    (home,) = homes(tmp_path, 1)
    loopback_range.claim(home)
    assert list(memory.iterdir()) != []
    loopback_range.release(home)
    loopback_range.release(home)
    assert list(memory.iterdir()) == []


def test_a_range_that_another_took_after_a_restart_is_told_with_the_way_out(
    tmp_path: Path, memory: Path
) -> None:
    first, second = homes(tmp_path, 2)
    loopback_range.claim(first)
    for directory in memory.iterdir():
        shutil.rmtree(directory)
    loopback_range.claim(second)
    with pytest.raises(SandboxError, match=rf"used by the one in {second.root}.* sandbox down"):
        loopback_range.claim(first)


def test_too_many_sandboxes_are_told_with_where_they_are(tmp_path: Path) -> None:
    *others, last = homes(tmp_path, 16)
    for home in others:
        loopback_range.claim(home)
    with pytest.raises(SandboxError, match=str(others[0].root)):
        loopback_range.claim(last)
