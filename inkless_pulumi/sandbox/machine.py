"""Machines of a sandbox: what stands behind an EC2 instance.

A machine is a detached process (`machine_process`) that does for one instance what cloud-init and
systemd do: it writes the files of the instance's own user data below a root directory of its own,
runs its commands, and keeps its service running. The service runs the broker in a container on
the host's network, at the loopback address of the instance.

What differs from a virtual machine is in the environment of these commands and nowhere else:

- `INKLESS_ROOT` is the machine's root directory, and a `systemctl` comes first on PATH;
- packages and kernel settings are skipped, and a data volume is a directory;
- the AWS CLI and the broker find the sandbox's API (`AWS_ENDPOINT_URL`) and its instance metadata
  (`AWS_EC2_METADATA_SERVICE_ENDPOINT`), so that credentials come from the instance's role;
- the node takes itself for one with little memory, whatever its instance type has.

In a home, a machine `i-1` has

    instances/i-1/machine.json     what it was started with
    instances/i-1/state            what it does, in one word
    instances/i-1/root/            its root directory; root/run lies in memory, until it stops
    logs/i-1.log                   its console

A machine whose process was killed is started again by `resume`, like one after a power cut.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.containers import ContainerEngine, find_container_engine, label_of
from inkless_pulumi.sandbox.home import Home, write_whole

__all__ = [
    "InstanceSpec",
    "State",
    "attach",
    "console",
    "detach",
    "resume",
    "root_directory",
    "start",
    "state",
    "stop",
    "stop_all",
    "terminate",
]

State = Literal["pending", "running", "stopped", "failed"]

MEMORY_MIB = 768
"""A node takes half of it for its heap: 384 MiB, with which three nodes are known to run well."""

STOP_SECONDS = 30
"""How long a machine may take to shut down; a broker in a healthy cluster takes 5 s (measured)."""

_MODULE = "inkless_pulumi.sandbox.machine_process"


@dataclass(frozen=True)
class InstanceSpec:
    """What a machine is started with."""

    instance_id: str
    user_data: str
    """Base64, as `userDataBase64` of an instance."""
    address: str = ""
    """The loopback address that stands for its private address; for people to read."""
    memory_mib: int = MEMORY_MIB
    """What its node is told to have."""


def start(home: Home, instance: InstanceSpec) -> None:
    """Start a machine and return; `state` and `console` tell how it goes on.

    Starting a machine that runs already changes nothing. Raises SandboxError where the process
    cannot be started.
    """
    if processes.find(home, instance.instance_id) is not None:
        return
    directory = home.instance(instance.instance_id)
    write_whole(directory / "machine.json", json.dumps(dataclasses.asdict(instance)) + "\n")
    resume(home, instance.instance_id)


def resume(home: Home, instance_id: str) -> None:
    """Start a machine's process again, where it was stopped or killed; its disk is as it was."""
    if processes.find(home, instance_id) is not None:
        return
    load(home, instance_id)
    note(home, instance_id, "pending")
    command = [sys.executable, "-m", _MODULE, instance_id]
    processes.start(home, instance_id, command, log=console(home, instance_id))


def stop(home: Home, instance_id: str, timeout: float = STOP_SECONDS) -> None:
    """Shut a machine down, pulling the plug after `timeout` seconds. Its disk stays.

    Nothing where there is no such machine, or it does not run.
    """
    processes.stop(home, instance_id, timeout)
    if not home.instance(instance_id).is_dir():
        return
    engine = container_engine(home)
    with contextlib.suppress(SandboxError):  # there is none, which is what we want
        engine.remove(container_name(home, instance_id))
    for left in processes.running(home):  # what the machine was doing when it was cut off
        if left.name == instance_id:
            with contextlib.suppress(ProcessLookupError):
                os.kill(left.pid, signal.SIGKILL)
    shutil.rmtree(memory_directory(home, instance_id), ignore_errors=True)
    note(home, instance_id, "stopped")


def terminate(home: Home, instance_id: str, timeout: float = STOP_SECONDS) -> None:
    """Stop a machine and remove its disk. Volumes and the console's log stay."""
    stop(home, instance_id, timeout)
    shutil.rmtree(home.instance(instance_id), ignore_errors=True)


def stop_all(home: Home, timeout: float = STOP_SECONDS) -> None:
    """Stop all machines of a home at once, and remove what containers of it are left."""
    machines = list(_machines(home))
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda machine: stop(home, machine, timeout), machines))
    if home.instances.is_dir():
        engine = container_engine(home)
        engine.remove_containers(label_of(home.root))
        engine.release()


def state(home: Home, instance_id: str) -> State:
    """What a machine does: `failed` is one whose process ended by itself or was killed.

    Raises SandboxError where there is no such machine.
    """
    load(home, instance_id)
    noted = _noted(home, instance_id)
    if noted in ("pending", "running") and processes.find(home, instance_id) is None:
        return "failed"
    return noted


def console(home: Home, instance_id: str) -> Path:
    """The log of all that a machine prints; it may not exist yet."""
    return home.logs / f"{instance_id}.log"


def attach(home: Home, instance_id: str, volume_id: str) -> None:
    """Make a volume appear in a machine, under the name that a Nitro instance has for it."""
    home.volume(volume_id).mkdir(parents=True, exist_ok=True)
    device = _device(home, instance_id, volume_id)
    device.parent.mkdir(parents=True, exist_ok=True)
    if not device.is_symlink():
        device.symlink_to(home.volume(volume_id))


def detach(home: Home, instance_id: str, volume_id: str) -> None:
    """Make a volume disappear from a machine, as when it is detached by force."""
    _device(home, instance_id, volume_id).unlink(missing_ok=True)


# --- shared with the machine's process ------------------------------------------------------------


def root_directory(home: Home, instance_id: str) -> Path:
    """What a machine takes for `/`."""
    return home.instance(instance_id) / "root"


def memory_directory(home: Home, instance_id: str) -> Path:
    """The machine's `/run`: in memory, as secrets must not reach a disk."""
    key = hashlib.sha256(str(home.root.resolve()).encode()).hexdigest()[:10]
    return Path("/dev/shm") / f"inkless-{key}-{instance_id}"  # noqa: S108  made 0700, and checked


def container_name(home: Home, instance_id: str) -> str:
    """The name of a machine's container, one of its own on the whole host."""
    key = hashlib.sha256(str(home.root.resolve()).encode()).hexdigest()[:10]
    return f"inkless-{key}-{instance_id}"


def container_engine(home: Home) -> ContainerEngine:
    """The engine the sandbox was started with, as recorded in its settings; else one is found."""
    recorded = home.read_settings().get("container_engine")
    return ContainerEngine.recalled(recorded) if recorded else find_container_engine()


def load(home: Home, instance_id: str) -> InstanceSpec:
    """What a machine was started with. Raises SandboxError where there is none."""
    try:
        text = (home.instance(instance_id) / "machine.json").read_text()
        return InstanceSpec(**json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise SandboxError(f"There is no machine {instance_id} in {home.root}.") from error


def note(home: Home, instance_id: str, now: State) -> None:
    """Write down what a machine does."""
    write_whole(home.instance(instance_id) / "state", now + "\n")


def _noted(home: Home, instance_id: str) -> State:
    try:
        word = (home.instance(instance_id) / "state").read_text().strip()
    except OSError:
        return "stopped"
    known: dict[str, State] = {"pending": "pending", "running": "running", "stopped": "stopped"}
    return known.get(word, "failed")


def _machines(home: Home) -> Iterable[str]:
    return sorted(path.parent.name for path in home.instances.glob("*/machine.json"))


def _device(home: Home, instance_id: str, volume_id: str) -> Path:
    name = f"nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '')}"
    return root_directory(home, instance_id) / "dev" / "disk" / "by-id" / name
