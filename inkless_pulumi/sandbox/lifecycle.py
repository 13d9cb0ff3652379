"""A sandbox's life: `up` starts it or makes it whole, `status` looks at it, `down` removes it.

Every step of `up` looks first whether its work is done, so that a sandbox which was killed at any
moment, in part or whole, is made whole by the next `up`. `down` needs no record to be right: it
finds processes by what they carry in their environment, containers by their label.

The account's API, which has buckets and secrets in memory, writes down what it is asked to change
and comes back with all of it.
"""

import contextlib
import dataclasses
import os
import platform
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import broker_images, killed_engines, loopback_range, machine, processes
from inkless_pulumi.sandbox.account import Account, Record
from inkless_pulumi.sandbox.artefacts import fetch_overlay_artefacts
from inkless_pulumi.sandbox.broker_images import ChosenImage
from inkless_pulumi.sandbox.containers import find_container_engine
from inkless_pulumi.sandbox.environment import environment, read_secret, stack_config
from inkless_pulumi.sandbox.home import Home, write_whole
from inkless_pulumi.sandbox.home_directory import (
    ensure_passphrase,
    locked,
    refuse_foreign,
    refuse_full_disk,
    remove_files,
)
from inkless_pulumi.sandbox.killed_engines import StackFile
from inkless_pulumi.sandbox.making import Progress, default_cache
from inkless_pulumi.sandbox.parts import aws_server, certificates, database, registry
from inkless_pulumi.sandbox.running import Sandbox
from inkless_pulumi.sandbox.standin.aws.cloud import Aws
from inkless_pulumi.sandbox.standin.aws.shapes import ACCOUNT_ID
from inkless_pulumi.sandbox.standin.behaviour import Site

__all__ = [
    "DEFAULT_REGION",
    "Part",
    "Sandbox",
    "Status",
    "down",
    "environment",
    "read_secret",
    "stack_config",
    "status",
    "up",
]

DEFAULT_REGION = "eu-central-1"
_STOP_SECONDS = 5
_PLUGIN_SECONDS = 10
_POLL_SECONDS = 0.1
_INSTANCE = "aws:ec2/instance:Instance"


@dataclass(frozen=True)
class Part:
    """One thing that a sandbox consists of, as `status` saw it."""

    name: str
    state: str
    """`running`, `pending`, `stopped` or `failed`."""
    where: str
    """Its address, and what it is for."""
    log: Path


@dataclass(frozen=True)
class Status:
    """What runs. `sandbox` is None where there is none at this home."""

    sandbox: Sandbox | None
    parts: tuple[Part, ...] = ()
    resources: int = 0

    @property
    def healthy(self) -> bool:
        """Whether there is a sandbox and all of it runs."""
        return self.sandbox is not None and all(
            part.state in ("running", "pending") for part in self.parts
        )


def up(
    home: Home,
    *,
    image: str | None = None,
    region: str = DEFAULT_REGION,
    progress: Progress = lambda _: None,
) -> Sandbox:
    """Start a sandbox, or make whole what is left of one.

    Args:
        home: where it is kept.
        image: the broker image to start from; default: the one of an earlier `up`, else
            `$INKLESS_IMAGE`, else upstream's where it can be pulled, else the stand-in.
        region: the region its stacks are configured for; kept from an earlier `up`.
        progress: told each step that takes time.

    Raises SandboxError or ToolchainError that says what to do: a port in use, a disk without room,
    a missing container engine or registry.
    """
    _refuse_platform()
    with locked(home, progress):
        refuse_full_disk(home)
        settings = _settings(home, region, progress)
        _write_files(home)
        with ThreadPoolExecutor(max_workers=1) as pool:
            serving = pool.submit(
                aws_server.ensure, home, settings["aws_port"], settings["region"], ACCOUNT_ID
            )
            progress("Starting the account's API and its image registry")
            registry.ensure(home, settings["registry_port"], progress)
            fetch_overlay_artefacts(progress=progress)  # what an image is made of, once
            chosen = _image(home, settings, image or os.environ.get("INKLESS_IMAGE"), progress)
            serving.result()
        settings |= {"image": dataclasses.asdict(chosen)}
        home.write_settings(settings)
        _bring_back(home, settings, progress)
        return Sandbox.described_by(home, settings)


def status(home: Home) -> Status:
    """What runs of a sandbox. Starts and changes nothing."""
    sandbox = Sandbox.find(home)
    if sandbox is None:
        return Status(None)
    parts = [
        _part(home, aws_server.NAME, f"{sandbox.aws_endpoint} AWS API"),
        _part(home, registry.NAME, f"{sandbox.registry} image registry"),
    ]
    records = _records(home)
    for server in database.made(home):
        parts.append(_part(home, server.part, f"{server.address}:{server.port} PostgreSQL"))
    for record in records:
        if record.token == _INSTANCE and record.ready:
            name = record.outputs.get("tagsAll", {}).get("Name", "machine")
            with contextlib.suppress(SandboxError):
                state = machine.state(home, record.id)
                log = machine.console(home, record.id)
                where = f"{record.outputs['privateIp']} {name}"
                parts.append(Part(record.id, state, where, log))
    return Status(sandbox, tuple(parts), len(records))


def down(home: Home, progress: Progress = lambda _: None) -> None:
    """Remove a sandbox: its processes, containers, volumes and files, and nothing else.

    Works whatever is left of it, and where there is none does nothing. A directory that is no
    sandbox is refused.
    """
    if not home.root.is_dir():
        _end_processes(home, progress)
        loopback_range.release(home)
        return
    refuse_foreign(home)
    with locked(home, progress):
        progress("Stopping machines and servers")
        if home.settings_file.is_file() or home.instances.is_dir():
            machine.stop_all(home, _STOP_SECONDS)
        _end_processes(home, lambda _: None)
        progress("Removing files")
        for memory in machine.memory_directory(home, "x").parent.glob(
            machine.memory_directory(home, "*").name
        ):
            shutil.rmtree(memory, ignore_errors=True)
        remove_files(home)
        loopback_range.release(home)


# --- the steps of `up` ----------------------------------------------------------------------------


def _settings(home: Home, region: str, progress: Progress) -> dict[str, Any]:
    """What is decided once: it stands in stacks' states, so it outlives a restart."""
    loopback_range.claim(home)
    settings = home.read_settings()
    if "aws_port" not in settings:
        ports = [processes.free_port(aws_server.ADDRESS)]
        while len(ports) < 2:
            ports.append(processes.free_port(registry.ADDRESS))
            ports = list(dict.fromkeys(ports))
        settings |= {
            "account_id": ACCOUNT_ID,
            "aws_port": ports[0],
            "aws_endpoint": f"http://{aws_server.ADDRESS}:{ports[0]}",
            "registry_port": ports[1],
            "registry": f"{registry.ADDRESS}:{ports[1]}",
            "region": region,
        }
    settings["container_engine"] = find_container_engine(progress=progress).recorded()
    home.write_settings(settings)
    return settings


def _write_files(home: Home) -> None:
    for directory in (home.pulumi, home.logs, home.run):
        directory.mkdir(parents=True, exist_ok=True)
    ensure_passphrase(home)
    if not home.aws_config.is_file():
        write_whole(home.aws_config, "[default]\n")
    certificates.ensure_database_ca(home)


def _image(
    home: Home, settings: dict[str, Any], asked: str | None, progress: Progress
) -> ChosenImage:
    """The choice of an earlier `up` stands unless another image is asked for: nodes that run
    would be replaced by it.
    """
    earlier = settings.get("image")
    if earlier and asked in (None, earlier["reference"]):
        return ChosenImage(**{**earlier, "architectures": tuple(earlier["architectures"])})
    return broker_images.choose(asked, settings["registry"], default_cache(), progress)


def _bring_back(home: Home, settings: dict[str, Any], progress: Progress) -> None:
    """Bring the parts behind the account's resources to what its books say."""
    if not home.account_db.exists():
        return
    account = Account(home.account_db)
    try:
        site = Site(account, ACCOUNT_ID, settings["region"], home)
        behaviours = Aws().behaviours
        at_rest = killed_engines.stacks_at_rest(home, progress)
        _await_last_creations(account, at_rest)
        for record in killed_engines.unrecorded(at_rest, _records_of(account)):
            progress(f"Removing {record.id}, which a killed engine created and never recorded")
            behaviours[record.token].stop(site, record)
            with account.transaction() as ledger:
                ledger.remove(record.token, record.id)
                behaviours[record.token].after_delete(ledger, site, record)
        killed_engines.settle(at_rest)
        for record in _records_of(account):
            behaviour = behaviours.get(record.token)
            if behaviour is None:
                continue
            if not record.ready and not _is_alive(record.creator):
                progress(f"Removing {record.id}, whose creation was interrupted")
                behaviour.stop(site, record)
                _strike_out(account, record)
        _remove_unknown(home, account)
        _restart_databases(home, progress)
        _restart_machines(home, account, progress)
    finally:
        account.close()


def _await_last_creations(account: Account, at_rest: list[StackFile]) -> None:
    """A plugin outlives its killed engine by a moment, in which it ends what it began."""
    deadline = time.monotonic() + _PLUGIN_SECONDS
    while time.monotonic() < deadline and any(
        not record.ready and _is_alive(record.creator)
        for record in killed_engines.of_stacks(at_rest, _records_of(account))
    ):
        time.sleep(_POLL_SECONDS)


def _remove_unknown(home: Home, account: Account) -> None:
    """Remove the parts of resources that the books no longer have: a kill came in between."""
    known = {record.id for record in _records_of(account)}
    remove: dict[Path, Callable[[Home, str], None]] = {
        home.databases: database.remove,
        home.instances: machine.terminate,
        home.volumes: lambda _, volume_id: shutil.rmtree(home.volume(volume_id)),
    }
    for directory, remove_one in remove.items():
        for path in directory.iterdir() if directory.is_dir() else ():
            if path.name not in known:
                remove_one(home, path.name)


def _restart_databases(home: Home, progress: Progress) -> None:
    for server in database.made(home):
        if processes.find(home, server.part) is None:
            progress(f"Starting the database at {server.address}:{server.port}")
            database.ensure(home, server)


def _restart_machines(home: Home, account: Account, progress: Progress) -> None:
    for record in _records_of(account):
        if record.token != _INSTANCE or not record.ready:
            continue
        if processes.find(home, record.id) is None:
            progress(f"Starting the machine {record.id}")
            # What a killed machine left running would hold its ports.
            machine.stop(home, record.id, _STOP_SECONDS)
            machine.resume(home, record.id)


def _strike_out(account: Account, record: Record) -> None:
    with account.transaction() as ledger:
        ledger.remove(record.token, record.id)


def _is_alive(creator: str) -> bool:
    pid, _, started = creator.partition(":")
    return pid.isdigit() and processes.start_time(int(pid)) == started


# --- the steps of `down` --------------------------------------------------------------------------


def _end_processes(home: Home, progress: Progress) -> None:
    ended = processes.stop_all(home, _STOP_SECONDS)
    if ended:
        progress(f"Ended {ended} processes")


# --- ours -----------------------------------------------------------------------------------------


def _refuse_platform() -> None:
    if platform.system() != "Linux":
        raise SandboxError(
            "a sandbox needs Linux: its nodes have loopback addresses of their own, and its "
            "database's binaries are Linux's. On a Mac or on Windows, run it in a Linux container "
            "or virtual machine. `make preview` works everywhere"
        )


def _part(home: Home, name: str, where: str) -> Part:
    state = "running" if processes.find(home, name) else "failed"
    return Part(name, state, where, home.logs / f"{name}.log")


def _records(home: Home) -> list[Record]:
    if not home.account_db.exists():
        return []
    account = Account(home.account_db)
    try:
        return _records_of(account)
    finally:
        account.close()


def _records_of(account: Account) -> list[Record]:
    with account.transaction() as ledger:
        return ledger.all()
