"""As much of cloud-init as the user data of a node asks for: write files, then run commands.

What is not understood is refused rather than passed over, as in `systemd`.
"""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.core.user_data import decode_user_data
from inkless_pulumi.sandbox.systemd import below

__all__ = ["CloudConfig", "parse_user_data", "run_commands", "write_files"]

_HEADER = "#cloud-config"
_FILE_KEYS = {"path", "owner", "permissions", "content"}


@dataclass(frozen=True)
class CloudConfig:
    """What a machine does at its first boot."""

    files: tuple[tuple[str, str, int], ...]
    """Path, content and mode of each file."""
    commands: tuple[tuple[str, ...], ...]


def parse_user_data(encoded: str) -> CloudConfig:
    """Read base64 of a compressed cloud-config.

    Raises SandboxError where it is anything else, or asks for what the sandbox does not do.
    """
    if not encoded:
        return CloudConfig((), ())
    try:
        text = decode_user_data(encoded)
    except (ValueError, OSError, EOFError) as error:
        raise SandboxError(f"user data is not base64 of gzip of text: {error}") from error
    header, _, body = text.partition("\n")
    if header.strip() != _HEADER:
        raise SandboxError(f"user data does not start with {_HEADER}, the one kind known here")
    try:
        document = json.loads(body)
        _refuse_unknown(document.keys() - {"write_files", "runcmd"})
        files = tuple(_file(entry) for entry in document.get("write_files", ()))
        commands = tuple(_command(entry) for entry in document.get("runcmd", ()))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SandboxError(
            f"user data is not the cloud-config this sandbox reads: {error}"
        ) from error
    return CloudConfig(files, commands)


def _refuse_unknown(keys: set[str]) -> None:
    if keys:
        raise SandboxError(f"user data asks for {', '.join(sorted(keys))}, not known here")


def _file(entry: Mapping[str, str]) -> tuple[str, str, int]:
    _refuse_unknown(entry.keys() - _FILE_KEYS)
    return entry["path"], entry["content"], int(entry.get("permissions", "0644"), 8)


def _command(entry: str | Sequence[str]) -> tuple[str, ...]:
    return ("sh", "-c", entry) if isinstance(entry, str) else tuple(entry)


def write_files(root: Path, config: CloudConfig) -> None:
    """Write the files below the machine's root directory."""
    for path, content, mode in config.files:
        file = root / path.lstrip("/")
        if not file.resolve().is_relative_to(root.resolve()):
            raise SandboxError(f"user data writes {path}, which leaves the machine's directory")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)


def run_commands(
    root: Path,
    config: CloudConfig,
    environment: Mapping[str, str],
    power_off: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Run the commands in order, until `power_off`.

    As cloud-init does, one that fails does not keep back the next.
    """
    for command in config.commands:
        try:
            process = subprocess.Popen(
                [below(root, command[0]), *command[1:]],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            say(f"cloud-init: {command[0]} cannot be run: {error.strerror}")
            continue
        threading.Thread(target=_end_at, args=[power_off, process], daemon=True).start()
        status = process.wait()
        if power_off.is_set():
            return
        if status != 0:
            say(f"cloud-init: {shlex.join(command)} ended with status {status}")


def _end_at(power_off: threading.Event, process: subprocess.Popen[bytes]) -> None:
    power_off.wait()
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
