"""One stack of the real Pulumi command line, as the demonstration drives it."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.snapshot import PLACEHOLDER

__all__ = ["PulumiStack"]


class PulumiStack:
    """A stack of a project directory; `environment` is that of every `pulumi` it runs."""

    def __init__(self, directory: Path, name: str, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.name = name
        self.environment = {**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def create(self, config: Mapping[str, str], secret: Iterable[str] = ()) -> None:
        """Select the stack, made where there is none, and set its configuration.

        A key with a dot or a bracket is a path into a structure, as `pulumi config set --path`
        understands it. The keys in `secret` get a placeholder.
        """
        self._ask(["stack", "select", self.name, "--create"])
        self.configure(config)
        hidden = [part for key in secret for part in ("--secret", f"{key}={PLACEHOLDER}")]
        if hidden:
            self._ask(["config", "set-all", "--path", *hidden])

    def restore(self, export: Mapping[str, Any]) -> None:
        """Take over a recorded state; its secrets, which are plain, are encrypted as this stack's.

        Raises:
            SandboxError: the engine refuses it.
        """
        file = self.directory / f"Pulumi.{self.name}.yaml"
        salt = yaml.safe_load(file.read_text(encoding="utf-8"))["encryptionsalt"]
        provider = {"type": "passphrase", "state": {"salt": salt}}
        deployment = {**export["deployment"], "secrets_providers": provider}
        self._ask(["stack", "import"], given=json.dumps({**export, "deployment": deployment}))

    def configure(self, config: Mapping[str, str]) -> None:
        """Set configuration values."""
        pairs = [part for key in config for part in ("--plaintext", f"{key}={config[key]}")]
        if pairs:
            self._ask(["config", "set-all", "--path", *pairs])

    def up(self, console: Console, *options: str) -> None:
        """Deploy, with the engine's own progress on the console; `options` are more of its own."""
        self._show(["up", "--yes", "--skip-preview", "--suppress-outputs", *options], console)

    def preview(self, console: Console) -> None:
        """Show what a deployment would do."""
        self._show(["preview", "--suppress-outputs"], console)

    def destroy(self, console: Console) -> None:
        """Delete all resources."""
        self._show(["destroy", "--yes", "--skip-preview", "--suppress-outputs"], console)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, those that are secret masked."""
        outputs: dict[str, Any] = json.loads(self._ask(["stack", "output", "--json"]))
        return outputs

    def state(self) -> dict[str, Any]:
        """What the stack's state records: `resources`, `pending_operations`, …"""
        exported = json.loads(self._ask(["stack", "export"]))
        deployment: dict[str, Any] = exported["deployment"]
        return deployment

    def preview_changes(self, *options: str) -> int:
        """How many resources a preview would change."""
        answer = json.loads(self._ask(["preview", "--json", *options]))
        return sum(n for step, n in answer["changeSummary"].items() if step != "same")

    def refresh_changes(self) -> int:
        """How many resources differ from what the account has, or would change because they do."""
        return self.preview_changes("--refresh")

    def _ask(self, arguments: Sequence[str], given: str | None = None) -> str:
        done = subprocess.run(
            [*self._command(arguments), "--non-interactive", "--color", "never"],
            cwd=self.directory,
            env=self.environment,
            input=given or "",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SandboxError(
                f"`pulumi {' '.join(arguments[:2])}` failed:\n{done.stdout}{done.stderr}".rstrip()
            )
        return done.stdout

    def _show(self, arguments: Sequence[str], console: Console) -> None:
        if console.is_terminal and not console.quiet:
            code = subprocess.run(  # the engine's own live display
                [*self._command(arguments), "--color", "auto"],
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                check=False,
            ).returncode
        else:
            code = self._relay(arguments, console)
        if code:
            raise SandboxError(f"`pulumi {arguments[0]}` failed; its messages are above.")

    def _relay(self, arguments: Sequence[str], console: Console) -> int:
        """Run a command and print its lines as they come; its exit status."""
        with subprocess.Popen(
            [*self._command(arguments), "--non-interactive", "--color", "never"],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None  # noqa: S101  a pipe was asked for
            for line in process.stdout:
                console.print(line.rstrip("\n"), markup=False, highlight=False, soft_wrap=True)
        return process.returncode

    def _command(self, arguments: Sequence[str]) -> list[str]:
        in_itself = arguments[:2] == ["stack", "select"]
        stack = [] if in_itself else ["--stack", self.name]
        return ["pulumi", *arguments, *stack]
