"""What is changed under load: each kind of change that a service knows, once.

A change that does not do what it is for fails, whatever the load saw of it.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkless_pulumi.core.broker_files import broker_directory
from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.core.image import DEFAULT_VERSION, SUPPORTED_VERSIONS
from proofs.administration import administered
from proofs.nodes import kill_kafka, machines, running
from proofs.stage import Stage

__all__ = ["CHANGES", "OLDEST_VERSION", "Change", "start_at_oldest"]

OLDEST_VERSION = SUPPORTED_VERSIONS[-1]
"""What the service starts with, so that there is something to upgrade."""

_LEAVING = "node-14"
"""The fourth broker of a dedicated topology."""


@dataclass(frozen=True)
class Change:
    """One change: its name, and what makes it."""

    name: str
    make: Callable[[Stage], None]
    foreseen: bool = True
    """Whether its preview tells all that happens; not if something is broken beside it."""


def start_at_oldest(stage: Stage) -> None:
    """Have the service created with a dedicated topology and the oldest supported version."""
    stage.arguments |= {"topology": "dedicated", **_of_version(stage, OLDEST_VERSION)}


def _of_version(stage: Stage, version: str) -> dict[str, str]:
    return {"version": version, "upstream_image": stage.image_of(version)}


def _require(holds: bool, else_: str) -> None:
    if not holds:
        raise RuntimeError(else_)


def _arguments(changed: Mapping[str, Any]) -> Callable[[Stage], None]:
    return lambda stage: stage.deploy(changed)


def _with_setting(stage: Stage, name: str, value: int) -> dict[str, Any]:
    return {"settings": {**stage.arguments.get("settings", {}), name: value}}


def _dynamic_setting(stage: Stage) -> None:
    """The brokers take it while they run: no machine and no Kafka is another one afterwards."""
    name, value = "log.retention.ms", 8 * 24 * 3600 * 1000
    before = running(stage.home)
    stage.deploy(_with_setting(stage, name, value))
    _require(running(stage.home) == before, "a dynamic setting touched a node")
    with administered(stage) as cluster:
        found = cluster.settings.describe().get(name)
    _require(found == str(value), f"the brokers have {name}={found}")


def _static_setting(stage: Stage) -> None:
    stage.deploy(_with_setting(stage, "queued.max.requests", 490))


def _new_overlay(stage: Stage) -> None:
    """A newer version of the package, whose start script says one thing more."""
    stage.package = _package_with(stage, "newer", lambda script: script + "# newer\n")
    stage.deploy()


_BROKEN = "this image is broken"
_PATIENCE_SECONDS = 45


def _image_that_does_not_start(stage: Stage) -> None:
    """The roll stops at the first node and says why; the others serve, and going back mends it."""
    package, before, said = stage.package, running(stage.home), list[str]()
    stage.package = _package_with(stage, "broken", _refusing_to_start)
    try:
        stage.deploy({"node_timeout_seconds": _PATIENCE_SECONDS}, said.append)
    except SandboxError:
        stopped_at = {name for name, at in machines(stage.home).items() if at != before[name][0]}
    else:
        raise RuntimeError("a roll to an image that does not start ended well")
    told = "\n".join(said)
    for text in (f"is not ready after {_PATIENCE_SECONDS} s", "; its log: "):
        _require(text in told, f"the roll did not say: {text}")
    _require(f"\n  start: {_BROKEN}" in told.replace("      ", "  "), "the error has no log")
    _require(len(stopped_at) == 1, f"the roll went on to {sorted(stopped_at)}")

    stage.package = package
    del stage.arguments["node_timeout_seconds"]
    stage.deploy()
    after = running(stage.home)
    touched = {name for name in before if after[name] != before[name]}
    _require(touched == stopped_at, f"going back touched {sorted(touched)}")


def _refusing_to_start(script: str) -> str:
    """A start script that formats as ever, and starts nothing."""
    begin = "\nrun() {\n"
    _require(begin in script, "the start script is another one")
    return script.replace(begin, f'{begin}  die "{_BROKEN}"\n')


def _package_with(stage: Stage, name: str, edit: Callable[[str], str]) -> Path:
    """A copy of the package whose overlay has another start script."""
    package = stage.directory / name
    checkout = broker_directory().parent
    for part in ("inkless_pulumi", "broker"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(checkout / part, package / part, ignore=ignored)
    (package / ".cache").symlink_to(checkout / ".cache")
    script = package / "broker" / "rootfs" / "opt" / "inkless" / "bin" / "start"
    script.write_text(edit(script.read_text()))
    return package


def _rotated_password(stage: Stage) -> None:
    """The load goes on with the former password; what is read back at the end uses the new one."""
    before = stage.client()
    stage.rotate_password("once")
    stage.deploy()
    _require(stage.client().password != before.password, "the password is the same as before")


def _renewed_authority(stage: Stage) -> None:
    """The load goes on to trust the CA that was there when it began, and no other."""
    before = stage.client()
    stage.deploy({"ca_renewal": "once"})
    after = stage.client()
    _require(after.ca_certificate != before.ca_certificate, "the CA is the same as before")


def _one_broker_more(stage: Stage) -> None:
    """It gets its share of the replicas, the load's among them."""
    stage.deploy({"brokers": 4, "rebalance": True})
    _require(_replicas_on(stage, _LEAVING) > 0, f"{_LEAVING} got no replicas")


def _one_broker_fewer(stage: Stage) -> None:
    """It hands over its replicas, and nothing is left of it."""
    stage.deploy({"brokers": 3})
    _require(_LEAVING not in machines(stage.home), f"{_LEAVING} still has a machine")
    _require(_replicas_on(stage, _LEAVING) == 0, f"replicas were left on {_LEAVING}")
    with administered(stage) as cluster:
        registered = {f"node-{broker.node_id}" for broker in cluster.nodes.brokers()}
    _require(_LEAVING not in registered, f"{_LEAVING} is still registered")


def _replicas_on(stage: Stage, node: str) -> int:
    node_id = int(node.removeprefix("node-"))
    with administered(stage) as cluster:
        return sum(node_id in one.replicas for one in cluster.nodes.partitions())


def _upgrade(stage: Stage) -> None:
    """Every node runs the new version, and what only the new version can do is finalised."""
    with administered(stage) as cluster:
        before, _ = cluster.features.metadata_version()
    stage.deploy(_of_version(stage, DEFAULT_VERSION))
    with administered(stage) as cluster:
        finalised, supported = cluster.features.metadata_version()
    stage.narrate(f"  metadata.version {before} became {finalised}")
    _require(before < finalised == supported, "metadata.version is not the new version's")


def _killed_node(stage: Stage) -> None:
    """A static setting rolls; while the first broker comes back, another one's Kafka is killed."""
    brokers = stage.brokers()
    killed: list[str] = []

    def watch(line: str) -> None:
        waits = re.search(r"waiting for (node-\d+)", line)
        if not killed and waits and waits[1] in brokers:
            killed.append(next(name for name in reversed(brokers) if name != waits[1]))
            kill_kafka(stage.home, killed[0])

    stage.deploy(_with_setting(stage, "queued.max.requests", 480), watch)
    _require(bool(killed), "the roll never waited for a broker, so no node was killed")


CHANGES = (
    Change("dynamic setting", _dynamic_setting),
    Change("static setting", _static_setting),
    Change("heap", _arguments({"heap_mib": 400})),
    Change("new overlay image", _new_overlay),
    Change("image that does not start", _image_that_does_not_start, foreseen=False),
    Change("renewed certificates", _arguments({"certificate_renewal": "once"})),
    Change("renewed CA", _renewed_authority),
    Change("rotated password", _rotated_password),
    Change("3 to 4 brokers", _one_broker_more),
    Change("4 to 3 brokers", _one_broker_fewer),
    Change("upgrade", _upgrade),
    Change("killed node in mid-roll", _killed_node, foreseen=False),
)
