"""User data: the text a machine is started with, as cloud-init reads it.

`cloud_config` writes cloud-init's YAML as JSON, which is YAML too and needs no library to be
written or read exactly. `encode_user_data` makes it fit: compressed, then base64 for the API.
"""

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Final

from inkless_pulumi.core.errors import DeclarationError, Problem
from inkless_pulumi.core.host_files import HostFile
from inkless_pulumi.core.stable_gzip import compress

USER_DATA_LIMIT: Final = 16384
"""EC2's limit in bytes, of what is sent before base64."""

START_COMMANDS: Final[tuple[tuple[str, ...], ...]] = (
    ("/opt/inkless/bin/inkless-node", "prepare"),
    ("systemctl", "daemon-reload"),
    ("systemctl", "enable", "--now", "inkless-node.service"),
    ("systemctl", "enable", "--now", "inkless-volume.service"),
)
"""What a machine runs at its first boot, once its files are written."""

_HEADER = "#cloud-config\n"


def cloud_config(
    files: Iterable[HostFile], commands: Iterable[Sequence[str]] = START_COMMANDS
) -> str:
    """A cloud-config that writes `files` and then runs `commands` in order."""
    document = {
        "write_files": [
            {
                "path": file.path,
                "owner": "root:root",
                "permissions": f"{file.mode:04o}",
                "content": file.content,
            }
            for file in files
        ],
        "runcmd": [list(command) for command in commands],
    }
    return _HEADER + json.dumps(document, separators=(",", ":"), ensure_ascii=True) + "\n"


def encode_user_data(text: str) -> str:
    """The text compressed and in base64: the same text gives the same bytes on every machine.

    Raises DeclarationError when it is over EC2's limit.
    """
    compressed = compress(text.encode())
    if len(compressed) > USER_DATA_LIMIT:
        size = f"{len(compressed)} bytes"
        rule = f"the files of a node make user data of more than {USER_DATA_LIMIT} bytes"
        raise DeclarationError(
            [Problem("settings", size, rule, "declare fewer or shorter settings")]
        )
    return base64.b64encode(compressed).decode("ascii")


def decode_user_data(encoded: str) -> str:
    """The text that `encode_user_data` was given."""
    return gzip.decompress(base64.b64decode(encoded)).decode()
