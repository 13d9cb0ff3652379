"""The recorded state of a deployment without its secrets, for previews where nobody is trusted.

A snapshot is what `pulumi stack export` gives, with every secret replaced by a placeholder that is
marked secret too, so that it can be imported anywhere and decrypted nowhere. Ids, addresses and the
declared properties stay: who may read the snapshot may know what is deployed.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from inkless_pulumi.core.errors import SandboxError

__all__ = ["PLACEHOLDER", "Snapshot", "export_snapshot", "without_secrets"]

PLACEHOLDER: Final = "[secret]"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_CREDENTIALS: Final = ("accessKey", "secretKey", "token", "password")
"""What a provider may have been given as plain text."""


def without_secrets(export: Mapping[str, Any]) -> dict[str, Any]:
    """What `pulumi stack export` gave, without its secrets.

    Raises:
        SandboxError: it is no export of a stack.
    """
    deployment = export.get("deployment")
    if not isinstance(deployment, Mapping) or "version" not in export:
        raise SandboxError("this is not what `pulumi stack export` gives: it has no deployment")
    resources = [_without(resource) for resource in deployment.get("resources") or ()]
    for resource in resources:
        if str(resource.get("type", "")).startswith("pulumi:providers:"):
            for part in ("inputs", "outputs"):
                for name in _CREDENTIALS:
                    resource.get(part, {}).pop(name, None)
    # The provider of secrets goes with them; operations that were cut off can't be taken up here.
    kept = {"manifest": deployment.get("manifest", {}), "resources": resources}
    if isinstance(deployment.get("metadata"), Mapping):
        kept["metadata"] = deployment["metadata"]
    return {"version": export["version"], "deployment": kept}


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return {_SIGNATURE: _SECRET, "plaintext": json.dumps(PLACEHOLDER)}
        return {name: _without(item) for name, item in value.items()}
    return [_without(item) for item in value] if isinstance(value, list) else value


def export_snapshot(project: Path, stack: str | None) -> str:
    """The snapshot of a stack, as text. Nothing is decrypted: it takes no passphrase and no key.

    Raises:
        SandboxError: there is no such stack, or no `pulumi`.
    """
    command = ["pulumi", "stack", "export", "--non-interactive", "--color", "never"]
    try:
        done = subprocess.run(
            [*command, *(["--stack", stack] if stack else [])],
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SandboxError(f"`pulumi stack export` can't be run: {error}") from error
    if done.returncode:
        raise SandboxError(f"`pulumi stack export` failed:\n{done.stderr}{done.stdout}".rstrip())
    return json.dumps(without_secrets(json.loads(done.stdout)), indent=2) + "\n"


class Snapshot:
    """A snapshot in a file."""

    def __init__(self, path: Path) -> None:
        try:
            content = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise SandboxError(f"the snapshot can't be read: {error.strerror}: {path}") from error
        except ValueError as error:
            raise SandboxError(f"{path} is not a snapshot: it is not JSON ({error})") from error
        # Whatever it was before: what is imported has no secret.
        self.content = without_secrets(content)
        """What `pulumi stack export` gives, its secrets placeholders in plain."""
        urns = [str(one.get("urn", "")) for one in self.content["deployment"]["resources"]]
        first = urns[0].removeprefix("urn:pulumi:").split("::") if urns else []
        if len(first) < 2:
            raise SandboxError(f"{path} has no resources: leave it out for an empty account")
        self.stack, self.project = first[0], first[1]
