"""Jars from Maven's repository, through Maven itself, each checked against a pinned sha256.

Maven keeps what it fetched in the user's own cache, so that a second fetch needs no network.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from inkless_pulumi.core.errors import ToolchainError
from inkless_pulumi.sandbox.making import Output, Progress, find_or_install, run

__all__ = ["check_files", "copy_artefact", "copy_dependencies"]

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_SECONDS = 900
_FETCHED = re.compile(r"Downloaded from [^:]+: \S*/([^/ ]+\.jar) ")


def copy_artefact(coordinates: str, directory: Path, progress: Progress) -> Path:
    """Fetch one artefact, `group:artefact:version`, into a directory; the path of its file."""
    _, artefact, version = coordinates.split(":")
    goal = [f"{_PLUGIN}:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={directory}"]
    _maven(goal, coordinates, progress)
    return directory / f"{artefact}-{version}.jar"


def copy_dependencies(
    pom: Path, directory: Path, progress: Progress, properties: Mapping[str, str]
) -> None:
    """Fetch what a pom needs at run time, directly or not, into a directory.

    `properties` are the pom's own, and go before what it says itself.
    """
    options = [f"-DoutputDirectory={directory}", "-DincludeScope=runtime"]
    options += [f"-D{name}={value}" for name, value in properties.items()]
    _maven(
        ["-f", str(pom), f"{_PLUGIN}:copy-dependencies", *options], f"the jars of {pom}", progress
    )


def check_files(directory: Path, pins: Mapping[str, str]) -> None:
    """Raise ToolchainError unless a directory holds exactly the pinned files.

    `pins` is file name to sha256.
    """
    there = {path.name for path in directory.iterdir()}
    if there != pins.keys():
        wrong = sorted(there ^ pins.keys())
        raise ToolchainError(
            f"{directory} does not hold exactly the pinned files: {', '.join(wrong)}. Maven's "
            "repository served something else than was pinned; pin anew what you trust."
        )
    for name, pin in pins.items():
        with (directory / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != pin:
            raise ToolchainError(
                f"{directory / name} is not the pinned one: its sha256 is {found}, not {pin}. "
                "Remove it from Maven's cache (~/.m2) and run the same command again."
            )


def _maven(arguments: list[str], what: str, progress: Progress) -> None:
    maven = find_or_install("mvn", ["maven"], "to fetch jars", progress)
    fetched = 0

    def count(line: str) -> None:
        nonlocal fetched
        if found := _FETCHED.search(line):
            fetched += 1
            progress(f"Fetched {fetched} jars: {found[1]}")

    output = run([maven, "--batch-mode", *arguments], _SECONDS, on_line=count)
    if output.code != 0:
        raise ToolchainError(
            f"Maven could not fetch {what}: {_reason(output)}\n"
            "Check that Maven's repository can be reached, and run the same command again."
        )


def _reason(output: Output) -> str:
    errors = (line for line in output.lines if line.startswith("[ERROR]"))
    return next(errors, output.last_line).removeprefix("[ERROR]").strip()
