"""A machine of files and stand-in commands, on which the shell scripts of a node are run.

Each stand-in command notes its arguments, one call a line, in `calls`.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from inkless_pulumi.core.broker_files import broker_directory

NODE_SCRIPT = broker_directory() / "node" / "inkless-node"
START = broker_directory() / "rootfs" / "opt" / "inkless" / "bin" / "start"

CERTIFICATE = """-----BEGIN PRIVATE KEY-----
a2V5
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
Y2VydA==
-----END CERTIFICATE-----
"""


@dataclass(frozen=True)
class Outcome:
    status: int
    said: str


class Rehearsal:
    """The root directory of a machine, and a PATH with stand-ins for what its scripts call."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.programs = directory / "bin"
        self.calls_file = directory / "calls"
        self.temporary = directory / "tmp"
        self.shell: list[str] = []
        """What runs the scripts, and the only other commands there are; empty: this machine's."""
        for path in (self.root, self.programs, self.temporary):
            path.mkdir()
        self.node_environment: dict[str, str] = {
            "INKLESS_CLOUD": "aws",
            "INKLESS_REGION": "eu-central-1",
            "INKLESS_NODE_ID": "1",
            "INKLESS_ROLES": "broker,controller",
            "INKLESS_ADDRESS": "10.42.0.10",
            "INKLESS_CLUSTER_ID": "MkU3OEVBNTcwNTJENDM2Qg",
            "INKLESS_INITIAL_CONTROLLERS": "1@10.42.0.10:9093:kMGQk2WcTOyRmpWqmJ5rBg",
            "INKLESS_IMAGE": "registry.test/inkless@sha256:0",
            "INKLESS_NODE_SECRET": "node-1",
            "INKLESS_DATABASE_SECRET": "database",
            "INKLESS_VOLUME": "vol-1",
            "INKLESS_LOG_GROUP": "logs",
            "INKLESS_MARKER": "s3://bucket/inkless/.nodes/c/1",
            "INKLESS_HEAP_MIB": "",
        }

    @property
    def _path(self) -> str:
        return str(Path(self.shell[0]).parent) if self.shell else os.environ["PATH"]

    def file(self, path: str, content: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def command(self, name: str, body: str = "") -> None:
        """A stand-in; `body` is shell, run after the call was noted."""
        program = self.programs / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >>"{self.calls_file}"\n{body}\n')
        program.chmod(0o755)

    def is_a_busybox(self, program: str) -> None:
        """Have the shell and the commands of Alpine's images instead of this machine's."""
        commands = self.programs.with_name("busybox")
        commands.mkdir()
        subprocess.run([program, "--install", "-s", commands], check=True)
        self.shell = [str(commands / "sh")]

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []

    def run(self, script: Path, *arguments: str, **environment: str) -> Outcome:
        text = "".join(f"{name}='{value}'\n" for name, value in self.node_environment.items())
        self.file("etc/inkless/node.env", text)
        done = subprocess.run(
            [*self.shell, str(script), *arguments],
            env={
                "PATH": f"{self.programs}:{self._path}",
                "INKLESS_ROOT": str(self.root),
                "TMPDIR": str(self.temporary),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Outcome(done.returncode, done.stdout + done.stderr)
