"""A sandbox's home: the one directory that holds everything of an emulated account.

account.db        the account's books
aws.journal       what the account's API was asked to change
sandbox.json      addresses and settings of the running sandbox
processes/        a record (pid, start time) of every process we started
instances/<id>/   a machine's own root directory
volumes/<id>/     a data volume
databases/<id>/   a database server's data
logs/             what parts, machines and log groups write
registry/         the account's images
trust/            the database CA
pulumi/           the stack's state, with its passphrase beside it
"""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkless_pulumi.core.errors import SandboxError

HOME_VARIABLE = "INKLESS_SANDBOX_HOME"
RECORDED_VARIABLE = "INKLESS_SANDBOX_RECORDED"
PYTHON_VARIABLE = "INKLESS_SANDBOX_PYTHON"
"""Names the interpreter that has this package, for the executables that the engine starts."""
DEFAULT_NAME = ".inkless-sandbox"
MARKER_NAME = "SANDBOX"


@dataclass(frozen=True)
class Home:
    """The paths of a sandbox. Nothing is created by asking for one."""

    root: Path

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> "Home":
        """The home at a path."""
        return cls(Path(path).absolute())

    @classmethod
    def default(cls) -> "Home":
        """`$INKLESS_SANDBOX_HOME`, else `.inkless-sandbox` in the current directory."""
        return cls.from_environment() or cls.at(DEFAULT_NAME)

    @classmethod
    def from_environment(cls) -> "Home | None":
        """`$INKLESS_SANDBOX_HOME`; None when it is not set."""
        path = os.environ.get(HOME_VARIABLE)
        return cls.at(path) if path else None

    @property
    def recorded_only(self) -> bool:
        """Whether to start no real part, but to write everything down only."""
        return os.environ.get(RECORDED_VARIABLE, "") not in ("", "0")

    @property
    def account_db(self) -> Path:
        """The account's books."""
        return self.root / "account.db"

    @property
    def aws_journal(self) -> Path:
        """What the account's API was asked to change, encrypted."""
        return self.root / "aws.journal"

    @property
    def settings_file(self) -> Path:
        """Addresses and settings of the running sandbox."""
        return self.root / "sandbox.json"

    @property
    def lock_file(self) -> Path:
        """Held by whoever starts or removes the sandbox."""
        return self.root / "lock"

    @property
    def marker(self) -> Path:
        """Marks the directory as a sandbox's own."""
        return self.root / MARKER_NAME

    @property
    def aws_config(self) -> Path:
        """The AWS profiles of sandboxed processes: an empty default one."""
        return self.root / "aws-config"

    @property
    def processes(self) -> Path:
        """Records of the processes we started."""
        return self.root / "processes"

    @property
    def logs(self) -> Path:
        """What parts and machines write."""
        return self.root / "logs"

    @property
    def trust(self) -> Path:
        """The database CA."""
        return self.root / "trust"

    @property
    def registry(self) -> Path:
        """The account's images."""
        return self.root / "registry"

    @property
    def pulumi(self) -> Path:
        """The state of the stacks that are deployed into the sandbox."""
        return self.root / "pulumi"

    @property
    def passphrase_file(self) -> Path:
        """What encrypts the secrets of these stacks, and of the account."""
        return self.root / "passphrase"

    @property
    def run(self) -> Path:
        """Short-lived files of running parts."""
        return self.root / "run"

    @property
    def instances(self) -> Path:
        """The machines' root directories."""
        return self.root / "instances"

    @property
    def volumes(self) -> Path:
        """The data volumes."""
        return self.root / "volumes"

    @property
    def databases(self) -> Path:
        """The database servers' data."""
        return self.root / "databases"

    def log_group(self, name: str) -> Path:
        """What a log group holds; each machine's log is a file in it."""
        return self.logs / "groups" / name.strip("/").replace("..", "_")

    def instance(self, instance_id: str) -> Path:
        """A machine's own root directory."""
        return self.instances / instance_id

    def volume(self, volume_id: str) -> Path:
        """A data volume."""
        return self.volumes / volume_id

    def database(self, resource_id: str) -> Path:
        """A database server's data."""
        return self.databases / resource_id

    def read_settings(self) -> dict[str, Any]:
        """The running sandbox's settings; empty when none has been started."""
        try:
            settings: dict[str, Any] = json.loads(self.settings_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise SandboxError(
                f"{self.settings_file} is damaged ({error}); remove the sandbox with "
                "`inkless-pulumi sandbox down` and start it again"
            ) from error
        return settings

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Replace the settings, whole or not at all."""
        write_whole(self.settings_file, json.dumps(settings, indent=2) + "\n")


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file such that a reader, or a kill, never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:
        raise SandboxError(f"{path} cannot be written: {error}") from error
