"""Which engine is chosen, and what a failed or interrupted way to one leaves behind."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import ToolchainError
from inkless_pulumi.sandbox import toolchain
from inkless_pulumi.sandbox.toolchain import ENGINE_VERSION, find_engine, find_or_make_engine


def write_pulumi(directory: Path, version: str) -> Path:
    """A command that answers `pulumi version` and can do nothing else."""
    directory.mkdir(parents=True, exist_ok=True)
    pulumi = directory / "pulumi"
    pulumi.write_text(f"#!/bin/sh\n[ \"$1\" = version ] && echo 'v{version}'\n")
    pulumi.chmod(0o755)
    return pulumi


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is, with the system's own, all there is on PATH."""
    directory = tmp_path / "on-path"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return directory


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def ignore(_line: str) -> None:
    """Progress that nobody reads."""


def refuse(*_: object) -> None:
    raise ToolchainError("no network")


def test_a_new_enough_pulumi_on_path_is_taken(on_path: Path, cache: Path) -> None:
    pulumi = write_pulumi(on_path, ENGINE_VERSION)
    found = find_engine(cache)
    assert found is not None
    assert (found.pulumi, found.version, found.origin) == (pulumi, ENGINE_VERSION, "path")


@pytest.mark.parametrize("version", ["3.100.0", "2.25.2", "4.0.0", "nonsense"])
def test_a_pulumi_of_another_version_is_passed_over(
    on_path: Path, cache: Path, version: str
) -> None:
    write_pulumi(on_path, version)
    assert find_engine(cache) is None


def test_the_one_on_path_gets_our_language_host_where_it_has_none(
    on_path: Path, cache: Path
) -> None:
    write_pulumi(on_path, ENGINE_VERSION)
    found = find_engine(cache)
    assert found is not None
    assert os.access(found.directories[-1] / "pulumi-language-python", os.X_OK)


def test_a_shared_cache_has_one_language_host_for_whoever_calls_it(
    on_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pulumi(on_path, ENGINE_VERSION)
    for number in (1, 2):
        python = on_path / f"python-of-environment-{number}"
        python.write_text('#!/bin/sh\necho "$0"\n')
        python.chmod(0o755)
    callers = []
    for number in (1, 2):
        monkeypatch.setattr(sys, "executable", str(on_path / f"python-of-environment-{number}"))
        found = find_engine(cache)
        assert found is not None
        callers.append((found.directories[-1] / "pulumi-language-python", found.environment()))
    called = [
        subprocess.check_output(host, env=environment, text=True).strip()
        for host, environment in callers
    ]
    assert called == [str(on_path / f"python-of-environment-{number}") for number in (1, 2)]


def test_the_official_language_host_is_preferred(on_path: Path, cache: Path) -> None:
    write_pulumi(on_path, ENGINE_VERSION)
    (on_path / "pulumi-language-python").write_text("#!/bin/sh\n")
    (on_path / "pulumi-language-python").chmod(0o755)
    found = find_engine(cache)
    assert found is not None
    assert not cache.exists()
    assert on_path in found.directories


def test_its_environment_has_the_engine_before_everything_else(on_path: Path, cache: Path) -> None:
    made = write_pulumi(cache / "engine" / ENGINE_VERSION / "bin", ENGINE_VERSION)
    found = find_engine(cache)
    assert found is not None
    path = found.environment()["PATH"].split(os.pathsep)
    assert path.index(str(made.parent)) < path.index(str(on_path))


@pytest.mark.usefixtures("on_path")
def test_an_engine_is_built_where_the_installer_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(final: Path, *_: object) -> None:
        write_pulumi(final / "bin", ENGINE_VERSION)

    monkeypatch.setattr(toolchain, "_install", refuse)
    monkeypatch.setattr(toolchain, "_build", build)
    told: list[str] = []
    assert find_or_make_engine(cache, told.append).origin == "built"
    assert "no network" in "\n".join(told)


@pytest.mark.usefixtures("on_path")
def test_what_was_made_once_is_found_the_next_time(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pulumi(cache / "engine" / ENGINE_VERSION / "bin", ENGINE_VERSION)
    monkeypatch.setattr(toolchain, "_install", refuse)
    monkeypatch.setattr(toolchain, "_build", refuse)
    assert find_or_make_engine(cache, ignore).version == ENGINE_VERSION


@pytest.mark.usefixtures("on_path")
def test_a_failed_build_says_what_to_do_and_leaves_no_engine(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    go.write_text(
        '#!/bin/sh\n[ "$1" = env ] && echo go1.99 && exit\necho "proxy: refused" && exit 1\n'
    )
    go.chmod(0o755)
    monkeypatch.setattr(toolchain, "_install", refuse)
    monkeypatch.setattr(toolchain, "_find_or_make_go", lambda *_: str(go))
    with pytest.raises(ToolchainError, match=r"proxy: refused\n.*Install it by hand"):
        find_or_make_engine(cache, ignore)
    assert [*(cache / "engine").iterdir()] == [cache / "engine" / "lock"]


@pytest.mark.parametrize(
    ("answer", "version"),
    [("go1.26.8", (1, 26, 8)), ("go1.27", (1, 27)), ("go1.26rc1", (1, 26)), ("devel", ())],
)
def test_gos_version_is_read_as_numbers(
    tmp_path: Path, answer: str, version: tuple[int, ...]
) -> None:
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\necho {answer}\n")
    go.chmod(0o755)
    read: Callable[[str], tuple[int, ...]] = toolchain._go_version
    assert read(str(go)) == version


def test_a_go_that_is_not_there_has_no_version() -> None:
    assert toolchain._go_version("/nowhere/go") == ()
