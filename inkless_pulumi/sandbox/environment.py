"""What a Pulumi process needs in its environment to deploy into a sandbox instead of a cloud."""

import os
import sys
from pathlib import Path

from inkless_pulumi.sandbox.home import HOME_VARIABLE, RECORDED_VARIABLE, Home

STAND_INS = Path(__file__).parent / "bin"
"""The directory of the stand-in plugins; only ever first on the PATH of sandboxed processes."""


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
        "INKLESS_SANDBOX_PYTHON": sys.executable,
        RECORDED_VARIABLE: "1",
    }
    if home is not None:
        environment[HOME_VARIABLE] = str(home.root)
    return environment
