"""Where the files of `broker/` are: what runs on a node and is part of the package.

In a checkout they lie beside the package; in an installed package they are inside of it.
"""

from functools import cache
from pathlib import Path


@cache
def broker_directory() -> Path:
    """The directory that holds `node/` and `rootfs/`."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_broker"
    return installed if installed.is_dir() else package.parent / "broker"


@cache
def node_script() -> str:
    """The text of the node script, `inkless-node`."""
    return (broker_directory() / "node" / "inkless-node").read_text(encoding="utf-8")
