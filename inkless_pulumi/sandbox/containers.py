"""The container engine of this machine, and its settings for the sandbox.

podman is preferred: it needs no daemon, and its images, containers and settings can all be kept in
a directory of ours, so that what the system's own podman has is neither seen nor touched. Docker
serves as well, where its daemon answers. Where there is neither and we are root on Debian, podman
is installed.

The settings that podman gets here were each found necessary by an experiment on a machine without
systemd (a container or a small virtual machine):

- `runc`, not `crun`: crun refuses the hybrid of control groups v1 and v2;
- `cgroupfs`, as there is no systemd to ask for control groups;
- limits at or below ours: without the capability to raise limits, podman's own defaults (a million
  files and processes) make every start fail;
- locks in files: the default's shared memory is one for the whole machine;
- what is noted of running containers under a short path: with one of more than some 45 characters
  every start takes 20 s more, as the path of a Unix socket no longer fits. It lies in memory, so
  that podman sees when the machine was started anew and does not take other processes for its own.
"""

import contextlib
import hashlib
import json
import os
import resource
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from inkless_pulumi.core.errors import SandboxError, ToolchainError
from inkless_pulumi.sandbox.making import Progress, default_cache, find_or_install, lock

__all__ = ["ENGINE_VARIABLE", "ContainerEngine", "find_container_engine", "label_of"]

ENGINE_VARIABLE = "INKLESS_CONTAINER_ENGINE"
"""Names the engine to use, `podman` or `docker` (a name on PATH or a path); default: found."""

_MOST_FILES = 65536  # what Kafka is commonly given
_MOST_PROCESSES = 16384  # below the kernel's default pid_max, which podman lowers its own limit to
_PURPOSE = "to run the sandbox's nodes"


@dataclass(frozen=True)
class ContainerEngine:
    """A command with Docker's command line, and the environment it needs."""

    kind: Literal["podman", "docker"]
    command: str
    """Absolute path."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables to add to the environment of a process that runs the command."""
    runtime: Path | None = None
    """Directory in memory where a podman of ours notes what runs."""

    def recorded(self) -> dict[str, Any]:
        """What `recalled` needs to have this engine again, ready to be written as JSON."""
        runtime = str(self.runtime) if self.runtime else None
        environment = dict(self.environment)
        return {**vars(self), "environment": environment, "runtime": runtime}

    @classmethod
    def recalled(cls, recorded: Mapping[str, Any]) -> "ContainerEngine":
        """The engine that `recorded` described; it is not asked whether it still works."""
        runtime = recorded["runtime"]
        return cls(**{**recorded, "runtime": Path(runtime) if runtime else None})

    def run(self, *arguments: str, seconds: float = 120) -> str:
        """Run the engine and return its standard output.

        Raises SandboxError with the engine's own words where it fails or takes too long.
        """
        command = [self.command, *arguments]
        try:
            done = subprocess.run(
                command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SandboxError(
                f"`{self.kind} {arguments[0]}` did not end within {seconds:.0f} s."
            ) from error
        except OSError as error:
            raise SandboxError(f"{self.command} cannot be run: {error.strerror}.") from error
        if done.returncode != 0:
            words = done.stderr.strip() or f"exit status {done.returncode}"
            raise SandboxError(f"`{self.kind} {arguments[0]}` failed: {words}")
        return done.stdout

    def containers(self, label: str) -> list[str]:
        """Ids of the containers with a label (`key=value`), running or not."""
        listing = self.run("ps", "--all", "--no-trunc", "--filter", f"label={label}", "-q")
        return listing.split()

    def remove_containers(self, label: str) -> int:
        """Kill and remove the containers with a label; the number of them."""
        containers = self.containers(label)
        if containers:
            self.remove(*containers)
        return len(containers)

    def remove(self, *containers: str) -> None:
        """Kill and remove containers at once. Raises SandboxError where one stays."""
        # Podman's forced removal asks first, and waits as long as the container may take to stop.
        with contextlib.suppress(SandboxError):  # one that does not run any more
            self.run("kill", *containers)
        self.run("rm", "--force", "--volumes", *containers)

    def release(self) -> None:
        """Remove the notes of what runs, where nothing does: images stay for the next time."""
        if self.runtime is not None and not self.run("ps", "--all", "-q").strip():
            shutil.rmtree(self.runtime, ignore_errors=True)


def find_container_engine(
    directory: Path | None = None, progress: Progress = lambda _: None
) -> ContainerEngine:
    """The engine to use, found or installed, checked to answer.

    Args:
        directory: where podman keeps images, containers and settings; default: `containers` in the
            checkout's `.cache`, else in the user's cache. Docker keeps its own.
        progress: told when something is installed.

    Raises ToolchainError that says what to install, or what an engine that is there answered.
    """
    directory = directory or default_cache() / "containers"
    if named := os.environ.get(ENGINE_VARIABLE):
        command = shutil.which(named)
        if command is None:
            raise ToolchainError(
                f"{ENGINE_VARIABLE}={named} is not a command here. Name podman or docker, or unset "
                "it to have one found."
            )
        return _docker(command) if Path(command).name == "docker" else _podman(command, directory)
    if podman := shutil.which("podman"):
        return _podman(podman, directory)
    refusal = ""
    if docker := shutil.which("docker"):
        try:
            return _docker(docker)
        except ToolchainError as error:
            refusal = f"{error} "
    try:
        command = find_or_install("podman", ["podman", "runc"], _PURPOSE, progress)
    except ToolchainError as error:
        raise ToolchainError(f"{refusal}{error}") from error
    return _podman(command, directory)


def _docker(command: str) -> ContainerEngine:
    engine = ContainerEngine("docker", command)
    try:
        engine.run("version", "--format", "{{.Server.Version}}", seconds=20)
    except SandboxError as error:
        raise ToolchainError(
            f"docker is here but its daemon does not answer ({error}) Start it, or install podman."
        ) from error
    return engine


def _podman(command: str, directory: Path) -> ContainerEngine:
    directory = directory.resolve()
    runtime = _runtime_directory(directory)
    with lock(directory / "lock"):
        environment = _write_settings(directory, runtime)
        ours = _write_command(command, directory, runtime)
    engine = ContainerEngine("podman", str(ours), environment, runtime)
    try:
        engine.run("info", "--format", "{{.Host.OCIRuntime.Name}}", seconds=60)
    except SandboxError as error:
        raise ToolchainError(
            f"podman is here but does not work: {error}\nTry `podman info`; on Debian it needs "
            "runc: apt-get install podman runc."
        ) from error
    return engine


def _runtime_directory(directory: Path) -> Path:
    memory = Path("/dev/shm")  # noqa: S108  the name is ours alone, and podman makes it 0700
    parent = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    return parent / f"inkless-{hashlib.sha256(str(directory).encode()).hexdigest()[:10]}"


def _write_settings(directory: Path, runtime: Path) -> dict[str, str]:
    """Write podman's three settings files, and return the variables that point to them."""
    files = {
        "CONTAINERS_CONF": ("containers.conf", _containers_conf(directory)),
        "CONTAINERS_STORAGE_CONF": ("storage.conf", _storage_conf(directory, runtime)),
        "CONTAINERS_REGISTRIES_CONF": ("registries.conf", _REGISTRIES_CONF),
    }
    for name, text in files.values():
        _write(directory / name, text)
    return {variable: str(directory / name) for variable, (name, _) in files.items()}


def _write_command(podman: str, directory: Path, runtime: Path) -> Path:
    """Write a `podman` that has our directories as options.

    Outside root podman takes no directories from its settings files, wherever these are.
    """
    options = ["--root", directory / "graph", "--runroot", runtime / "storage"]
    options += ["--tmpdir", runtime / "libpod", *_storage_options(directory)]
    words = shlex.join(str(word) for word in [podman, *options])
    return _write(directory / "bin" / "podman", f'#!/bin/sh\nexec {words} "$@"\n', 0o755)


def _write(path: Path, text: str, mode: int = 0o644) -> Path:
    """Write a file, whole, where it does not have this text already."""
    if not path.is_file() or path.read_text() != text:
        path.parent.mkdir(exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(text)
        partial.chmod(mode)
        partial.replace(path)
    return path


def _containers_conf(directory: Path) -> str:
    limits = [
        f"nofile={_limit(resource.RLIMIT_NOFILE, _MOST_FILES)}",
        f"nproc={_limit(resource.RLIMIT_NPROC, _MOST_PROCESSES)}",
    ]
    engine = {
        "events_logger": "file",
        "image_copy_tmp_dir": "storage",
        "lock_type": "file",
        "static_dir": str(directory / "graph" / "libpod"),
        "volume_path": str(directory / "graph" / "volumes"),
    }
    if shutil.which("runc"):
        engine["runtime"] = "runc"
    if not Path("/run/systemd/system").is_dir():
        engine["cgroup_manager"] = "cgroupfs"
    containers = {"default_ulimits": limits, "log_driver": "k8s-file", "netns": "host"}
    return _toml({"containers": containers, "engine": engine})


def _limit(kind: int, most: int) -> str:
    hard = resource.getrlimit(kind)[1]
    value = most if hard == resource.RLIM_INFINITY else min(hard, most)
    return f"{value}:{value}"


def _storage_conf(directory: Path, runtime: Path) -> str:
    storage = {"graphroot": str(directory / "graph"), "runroot": str(runtime / "storage")}
    return _toml({"storage": {"driver": _storage_options(directory)[1], **storage}})


def _storage_options(directory: Path) -> list[str]:
    if not _is_overlay(directory):
        return ["--storage-driver", "overlay"]
    if program := shutil.which("fuse-overlayfs"):  # overlayfs cannot lie on overlayfs
        option = f"overlay.mount_program={program}"
        return ["--storage-driver", "overlay", "--storage-opt", option]
    return ["--storage-driver", "vfs"]


_REGISTRIES_CONF = """\
unqualified-search-registries = []

[[registry]]
location = "127.0.0.1"
insecure = true
"""
"""A registry on loopback speaks plain HTTP, as Docker too takes for granted there."""


def _is_overlay(directory: Path) -> bool:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    inside = [mount for mount in mounts if directory.is_relative_to(mount[1])]
    return bool(inside) and max(inside, key=lambda mount: len(mount[1]))[2] == "overlay"


def _toml(tables: Mapping[str, Mapping[str, str | Sequence[str]]]) -> str:
    """TOML of strings and lists of strings, which it writes as JSON does."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def label_of(home: Path) -> str:
    """The label that all containers of one sandbox carry."""
    return f"inkless-sandbox={hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]}"
