"""What a Pulumi process needs in its environment to deploy into a sandbox instead of a cloud."""

import json
import os
import sys
from pathlib import Path

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.home import HOME_VARIABLE, PYTHON_VARIABLE, RECORDED_VARIABLE, Home
from inkless_pulumi.sandbox.parts import aws_server
from inkless_pulumi.sandbox.running import Sandbox

STAND_INS = Path(__file__).parent / "bin"
"""The directory of the stand-in plugins; only ever first on the PATH of sandboxed processes."""
_SERVICES = ("s3", "secretsmanager", "ssm", "ecr", "sts")


def stand_in_path(path: str) -> str:
    """A PATH that finds the stand-in plugins before everything else, and ours beside Python."""
    ours = [str(STAND_INS), str(Path(sys.executable).parent)]
    rest = [part for part in path.split(os.pathsep) if part and part not in ours]
    return os.pathsep.join([*ours, *rest])


def recorded_environment(home: Home | None) -> dict[str, str]:
    """For an account where everything is only written down: no containers, no servers.

    Without a home nothing is written at all, and the account is good for previews only.
    """
    environment = {
        "PATH": stand_in_path(os.environ.get("PATH", os.defpath)),
        PYTHON_VARIABLE: sys.executable,
        RECORDED_VARIABLE: "1",
    }
    if home is not None:
        environment[HOME_VARIABLE] = str(home.root)
    return environment


def environment(home: Home, *, path: str | None = None) -> dict[str, str]:
    """What to add to the environment of `pulumi` and of clients, to have them use a sandbox.

    `path` is the PATH to put the stand-in plugins before; default: this process's.

    Raises SandboxError where it was never started.
    """
    sandbox = Sandbox.of(home)
    loopback = "127.0.0.1,localhost"
    around_proxy = ",".join(part for part in (os.environ.get("NO_PROXY"), loopback) if part)
    return {
        "PATH": stand_in_path(path or os.environ.get("PATH", os.defpath)),
        PYTHON_VARIABLE: sys.executable,
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
        "AWS_CONFIG_FILE": str(home.aws_config),
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
    this machine's processor is, and whether the image has diskless topics.

    Raises SandboxError where it was never started.
    """
    sandbox = Sandbox.of(home)
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

    sandbox = Sandbox.of(home)
    api = aws_server.client(sandbox.aws_endpoint, "secretsmanager", sandbox.region)
    try:
        return str(api.get_secret_value(SecretId=secret_id)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise SandboxError(f"the secret {secret_id} cannot be read: {error}") from error
