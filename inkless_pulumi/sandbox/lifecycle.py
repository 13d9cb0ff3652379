"""A sandbox's life: `up` starts it or makes it whole, `status` looks at it, `down` removes it.

Every step of `up` looks first whether its work is done, so that a sandbox which was killed at any
moment, in part or whole, is made whole by the next `up`. `down` needs no record to be right: it
finds processes by what they carry in their environment, containers by their label.

What `up` can't bring back is told: the store of buckets and secrets is in memory, so when that
process has ended, they are struck from the account's books, and `pulumi refresh` sees them gone.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import broker_images, machine, processes
from inkless_pulumi.sandbox.account import Account, Record
from inkless_pulumi.sandbox.broker_images import ChosenImage
from inkless_pulumi.sandbox.containers import find_container_engine
from inkless_pulumi.sandbox.environment import stand_in_path
from inkless_pulumi.sandbox.home import HOME_VARIABLE, RECORDED_VARIABLE, Home, write_whole
from inkless_pulumi.sandbox.making import Progress
from inkless_pulumi.sandbox.parts import aws_server, certificates, database, registry
from inkless_pulumi.sandbox.standin.aws import local_api
from inkless_pulumi.sandbox.standin.aws.cloud import Aws
from inkless_pulumi.sandbox.standin.aws.shapes import ACCOUNT_ID
from inkless_pulumi.sandbox.standin.behaviour import Site
from inkless_pulumi.sandbox.toolchain import default_cache

DEFAULT_REGION = "eu-central-1"
_FREE_BYTES = 2 * 1024**3
_STOP_SECONDS = 5
_INSTANCE = "aws:ec2/instance:Instance"
_SERVICES = ("s3", "secretsmanager", "ssm", "ecr", "sts")
_MARKER_NAME = "SANDBOX"
_CONTENT = frozenset(
    (
        ".gitignore",
        _MARKER_NAME,
        "account.db",
        "account.db-journal",
        "account.db-shm",
        "account.db-wal",
        "aws-config",
        "databases",
        "demo",
        "instances",
        "lock",
        "logs",
        "passphrase",
        "processes",
        "pulumi",
        "quickstart",
        "registry",
        "run",
        "sandbox.json",
        "trust",
        "volumes",
    )
)
"""All that a sandbox's directory may hold, and so all that is ever removed from it."""
_TEMPORARY = tuple(f".{name}." for name in _CONTENT) + ("demo.",)
_MARKER = "This directory is an inkless-pulumi sandbox; `inkless-pulumi sandbox down` removes it.\n"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    home: Home
    region: str
    account_id: str
    aws_endpoint: str
    """`http://127.0.0.1:<port>`: S3, Secrets Manager, SSM, STS, ECR tokens, instance metadata."""
    registry: str
    """`127.0.0.1:<port>`: the account's image registry."""
    image: str
    """The upstream image that services start from."""
    diskless: bool
    diskless_reason: str
    """Why the image has no diskless topics; empty where it has."""
    architecture: str
    """What this machine runs, and so its instances: `amd64` or `arm64`."""


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
    with _locked(home, progress):
        _refuse_full_disk(home)
        settings = _settings(home, region, progress)
        _write_files(home)
        with ThreadPoolExecutor(max_workers=1) as pool:
            serving = pool.submit(
                aws_server.ensure, home, settings["aws_port"], settings["region"], ACCOUNT_ID
            )
            progress("Starting the account's API and its image registry")
            registry.ensure(home, settings["registry_port"], progress)
            chosen = _image(home, settings, image or os.environ.get("INKLESS_IMAGE"), progress)
            is_new = serving.result()
        settings |= {"image": dataclasses.asdict(chosen)}
        home.write_settings(settings)
        _bring_back(home, settings, is_new, progress)
        return _sandbox(home, settings)


def status(home: Home) -> Status:
    """What runs of a sandbox. Starts and changes nothing."""
    settings = home.read_settings()
    if "image" not in settings:
        return Status(None)
    sandbox = _sandbox(home, settings)
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
        return
    _refuse_foreign(home)
    with _locked(home, progress):
        progress("Stopping machines and servers")
        if home.settings_file.is_file() or home.instances.is_dir():
            machine.stop_all(home, _STOP_SECONDS)
        _end_processes(home, lambda _: None)
        progress("Removing files")
        for memory in machine.memory_directory(home, "x").parent.glob(
            machine.memory_directory(home, "*").name
        ):
            shutil.rmtree(memory, ignore_errors=True)
        _remove_files(home)


def environment(home: Home, *, path: str | None = None) -> dict[str, str]:
    """What to add to the environment of `pulumi` and of clients, to have them use a sandbox.

    `path` is the PATH to put the stand-in plugins before; default: this process's. Raises SandboxError where it was never started.
    """
    sandbox = _started(home)
    loopback = "127.0.0.1,localhost"
    around_proxy = ",".join(part for part in (os.environ.get("NO_PROXY"), loopback) if part)
    return {
        "PATH": stand_in_path(path or os.environ.get("PATH", os.defpath)),
        "INKLESS_SANDBOX_PYTHON": sys.executable,
        HOME_VARIABLE: str(home.root),
        RECORDED_VARIABLE: "0",
        "PULUMI_BACKEND_URL": home.pulumi.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home.passphrase_file),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": sandbox.aws_endpoint,
        "AWS_ACCESS_KEY_ID": aws_server.ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": aws_server.SECRET_ACCESS_KEY,
        "AWS_REGION": sandbox.region,
        "AWS_DEFAULT_REGION": sandbox.region,
        # The user's own profiles must play no part, nor may one that is named but not there.
        "AWS_CONFIG_FILE": str(_aws_config(home)),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PROFILE": "default",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": around_proxy,
        "no_proxy": around_proxy,
    }


def stack_config(home: Home) -> dict[str, str]:
    """The configuration of a stack that is deployed into a sandbox: `pulumi config set KEY VALUE`.

    `aws:…` is for the plugin and for components, the rest, of the stack's own project, is for a
    program that lets these be chosen, as the quick-start does: the image to start from, what
    this machine's processor is, and whether the image has diskless topics. Raises SandboxError where it was never started.
    """
    sandbox = _started(home)
    endpoints = [dict.fromkeys(_SERVICES, sandbox.aws_endpoint)]
    return {
        "aws:region": sandbox.region,
        "aws:endpoints": json.dumps(endpoints),
        "upstreamImage": sandbox.image,
        "architecture": sandbox.architecture,
        "diskless": "true" if sandbox.diskless else "false",
    }


def read_secret(home: Home, secret_id: str) -> str:
    """The value of a secret of the account, by its ARN or name.

    Raises SandboxError where there is no such secret, or no sandbox.
    """
    # Slow to import, and needed by few commands.
    from botocore.exceptions import BotoCoreError, ClientError

    sandbox = _started(home)
    account = Account(None)
    api = local_api.client(Site(account, ACCOUNT_ID, sandbox.region, home), "secretsmanager")
    try:
        return str(api.get_secret_value(SecretId=secret_id)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise SandboxError(f"the secret {secret_id} cannot be read: {error}") from error
    finally:
        account.close()


# --- the steps of `up` ----------------------------------------------------------------------------


def _settings(home: Home, region: str, progress: Progress) -> dict[str, Any]:
    """What is decided once: it stands in stacks' states, so it outlives a restart."""
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
    if not home.passphrase_file.is_file():
        write_whole(home.passphrase_file, secrets.token_urlsafe(32) + "\n")
    if not _aws_config(home).is_file():
        write_whole(_aws_config(home), "[default]\n")
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


def _bring_back(home: Home, settings: dict[str, Any], is_new: bool, progress: Progress) -> None:
    """Bring the parts behind the account's resources to what its books say."""
    if not home.account_db.exists():
        return
    account = Account(home.account_db)
    try:
        site = Site(account, ACCOUNT_ID, settings["region"], home)
        behaviours = Aws().behaviours
        for record in _records_of(account):
            behaviour = behaviours.get(record.token)
            if behaviour is None:
                continue
            if not record.ready and not _is_alive(record.creator):
                progress(f"Removing {record.id}, whose creation was interrupted")
                behaviour.stop(site, record)
                _strike_out(account, record)
            elif is_new and not behaviour.still_there(site, record):
                progress(f"Lost with the process that held it in memory: {record.id}")
                _strike_out(account, record)
        _restart_databases(home, account, progress)
        _restart_machines(home, account, progress)
    finally:
        account.close()


def _restart_databases(home: Home, account: Account, progress: Progress) -> None:
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


def _remove_files(home: Home) -> None:
    """Remove what is a sandbox's; a file that someone else put there stays, and its directory."""
    found = [path for path in home.root.iterdir() if _is_ours(path.name)]
    # The marker and the lock last: with them, an interrupted removal can be taken up again.
    for path in sorted(found, key=lambda path: path in (home.lock_file, _marker(home))):
        if path.is_dir() and not path.is_symlink():
            _remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        home.root.rmdir()


def _remove_tree(path: Path) -> None:
    def refuse(_: Callable[..., Any], name: str, error: BaseException) -> None:
        if not isinstance(error, FileNotFoundError):
            raise SandboxError(f"{name} cannot be removed: {error}") from error

    def on_error(function: Callable[..., Any], name: str, info: Any) -> None:
        refuse(function, name, info[1])

    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=refuse)
    else:
        shutil.rmtree(path, onerror=on_error)


# --- ours -----------------------------------------------------------------------------------------


def _refuse_platform() -> None:
    if platform.system() != "Linux":
        raise SandboxError(
            "a sandbox needs Linux: its nodes have loopback addresses of their own, and its "
            "database's binaries are Linux's. On a Mac or on Windows, run it in a Linux container "
            "or virtual machine. `make preview` works everywhere"
        )


def _refuse_full_disk(home: Home) -> None:
    free = shutil.disk_usage(home.root).free
    if free < _FREE_BYTES:
        raise SandboxError(
            f"the disk of {home.root} has {free / 1e9:.1f} GB left, and a sandbox needs "
            f"{_FREE_BYTES / 1e9:.1f} GB for images and data: make room, or set {HOME_VARIABLE} to "
            "a directory on another disk"
        )


def _refuse_foreign(home: Home) -> None:
    if not _marker(home).is_file() and not all(_is_ours(path.name) for path in home.root.iterdir()):
        raise SandboxError(
            f"{home.root} is not a sandbox's directory (it has no file {_marker(home).name}); "
            f"nothing was removed. Is {HOME_VARIABLE} right?"
        )


@contextlib.contextmanager
def _locked(home: Home, progress: Progress) -> Iterator[None]:
    """Hold the home alone. It is made where it is not, and may be gone again behind a `down`."""
    while True:
        _make_home(home)
        with home.lock_file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("Another command is working on this sandbox: waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle.fileno()), home.lock_file.stat()):
                    yield
                    return


def _make_home(home: Home) -> None:
    try:
        home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _marker(home).is_file():
            if not all(_is_ours(path.name) for path in home.root.iterdir()):
                raise SandboxError(
                    f"{home.root} is not empty and no sandbox's: set {HOME_VARIABLE} to a "
                    "directory of its own"
                )
            write_whole(_marker(home), _MARKER)
            write_whole(home.root / ".gitignore", "*\n")
    except OSError as error:
        raise SandboxError(f"{home.root} cannot be made: {error}") from error


def _is_ours(name: str) -> bool:
    return name in _CONTENT or name.startswith(_TEMPORARY)


def _marker(home: Home) -> Path:
    return home.root / _MARKER_NAME


def _aws_config(home: Home) -> Path:
    return home.root / "aws-config"


def _started(home: Home) -> Sandbox:
    settings = home.read_settings()
    if "image" not in settings:
        raise SandboxError(
            f"there is no sandbox in {home.root}: start one with `inkless-pulumi sandbox up`"
        )
    return _sandbox(home, settings)


def _sandbox(home: Home, settings: dict[str, Any]) -> Sandbox:
    image = settings["image"]
    machines = {"x86_64": "amd64", "aarch64": "arm64"}
    return Sandbox(
        home=home,
        region=settings["region"],
        account_id=settings["account_id"],
        aws_endpoint=settings["aws_endpoint"],
        registry=settings["registry"],
        image=image["reference"],
        diskless=image["diskless"],
        diskless_reason=image["reason"],
        architecture=machines.get(platform.machine(), platform.machine()),
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
