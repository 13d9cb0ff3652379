"""What is changed under load: each kind of change that a service knows, once."""

import os
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inkless_pulumi.core.broker_files import broker_directory
from inkless_pulumi.sandbox import machine
from proofs.stage import Stage

__all__ = ["CHANGES", "Change"]


@dataclass(frozen=True)
class Change:
    """One change: its name, and what makes it."""

    name: str
    make: Callable[[Stage], None]


def _arguments(changed: Mapping[str, Any]) -> Callable[[Stage], None]:
    return lambda stage: stage.deploy(changed)


def _new_overlay(stage: Stage) -> None:
    """A newer version of the package, whose start script says one thing more."""
    package = stage.home.root / "newer"
    checkout = broker_directory().parent
    for part in ("inkless_pulumi", "broker"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(checkout / part, package / part, ignore=ignored)
    (package / ".cache").symlink_to(checkout / ".cache")
    script = package / "broker" / "rootfs" / "opt" / "inkless" / "bin" / "start"
    script.write_text(script.read_text() + "# newer\n")
    stage.use_package(package)
    stage.deploy()


def _rotated_password(stage: Stage) -> None:
    """The load goes on with the former password; what is read back at the end uses the new one."""
    before = stage.client()
    stage.rotate_password("once")
    stage.deploy()
    if stage.client().password == before.password:
        raise RuntimeError("the password is the same as before")


def _renewed_authority(stage: Stage) -> None:
    """The load goes on to trust the CA that was there when it began, and no other."""
    before = stage.client()
    stage.deploy({"ca_renewal": "once"})
    if stage.client().ca_certificate == before.ca_certificate:
        raise RuntimeError("the CA is the same as before")


def _killed_node(stage: Stage) -> None:
    """A static setting rolls; while the first node comes back, another one's Kafka is killed."""
    killed: list[int] = []

    def watch(line: str) -> None:
        if not killed and "waiting for node-1" in line:
            killed.append(kill_kafka(stage, "node-3"))

    stage.deploy({"settings": {"queued.max.requests": 480}}, watch)
    if not killed:
        raise RuntimeError("the roll never waited for node-1, so no node was killed")


def kill_kafka(stage: Stage, node: str) -> int:
    """Kill a node's Kafka as a power cut would, and tell its process id."""
    directories = {path.parent.name for path in stage.home.instances.glob("*/machine.json")}
    for instance in sorted(directories):
        environment = machine.root_directory(stage.home, instance) / "etc/inkless/node.env"
        if f"INKLESS_NODE_ID={node.removeprefix('node-')}\n" in environment.read_text():
            pid = _kafka_of(stage, instance)
            os.kill(pid, signal.SIGKILL)
            return pid
    raise RuntimeError(f"{node} has no machine")


def _kafka_of(stage: Stage, instance: str) -> int:
    engine = machine.container_engine(stage.home)
    name = machine.container_name(stage.home, instance)
    return int(engine.run("inspect", "--format", "{{.State.Pid}}", name))


CHANGES = (
    Change("static setting", _arguments({"settings": {"queued.max.requests": 490}})),
    Change("heap", _arguments({"heap_mib": 400})),
    Change("new overlay image", _new_overlay),
    Change("renewed certificates", _arguments({"certificate_renewal": "once"})),
    Change("renewed CA", _renewed_authority),
    Change("rotated password", _rotated_password),
    Change("killed node in mid-roll", _killed_node),
)
