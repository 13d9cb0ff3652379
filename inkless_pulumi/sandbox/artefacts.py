"""Fetch what the image overlay needs beside its own text: what `broker/artefacts.json` pins.

    python -m inkless_pulumi.sandbox.artefacts [directory]

Nothing happens, and no network is needed, where the pinned files are there already.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from inkless_pulumi.core.broker_files import broker_directory
from inkless_pulumi.core.errors import InklessError, ToolchainError
from inkless_pulumi.provider.overlay import find_overlay
from inkless_pulumi.sandbox.making import Progress, lock
from inkless_pulumi.sandbox.maven import copy_artefact

__all__ = ["fetch_overlay_artefacts", "main"]


def fetch_overlay_artefacts(
    directory: Path | None = None, progress: Progress = lambda _: None
) -> Path:
    """Fetch the pinned files that are missing, laid out as in the container.

    Args:
        directory: where to; default: where the overlay looks for them.
        progress: told what is fetched.

    Returns the directory. Raises ToolchainError where a file cannot be fetched or is not the
    pinned one; what lay there before is left alone.
    """
    directory = directory or find_overlay().artefacts
    artefacts = json.loads((broker_directory() / "artefacts.json").read_text())
    for artefact in artefacts:
        target = directory / artefact["path"]
        if not _is_pinned(target, artefact["sha256"]):
            target.parent.mkdir(parents=True, exist_ok=True)
            with lock(directory.parent / "artefacts.lock"):
                _fetch(target, artefact["maven"], artefact["sha256"], progress)
    return directory


def _fetch(target: Path, coordinates: str, pin: str, progress: Progress) -> None:
    progress(f"Fetching {coordinates}")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as partial:
        file = copy_artefact(coordinates, Path(partial), progress)
        if not _is_pinned(file, pin):
            raise ToolchainError(
                f"{coordinates} is not the pinned one: its sha256 is not {pin}. Remove it from "
                "Maven's cache (~/.m2) and run the same command again."
            )
        file.replace(target)


def _is_pinned(file: Path, pin: str) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == pin


def main() -> int:
    """Fetch into the directory given as the only argument, or the usual one."""
    named = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    try:
        directory = fetch_overlay_artefacts(named, lambda line: print(line, flush=True))  # noqa: T201
    except InklessError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"The overlay's artefacts are in {directory}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
