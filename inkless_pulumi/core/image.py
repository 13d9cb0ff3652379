"""Image references, the Inkless versions this package knows, and platform names.

A reference is `registry/repository:tag@digest`. What a service runs is always pinned: a tag that
moves (`latest`, `4.2-latest`, `0.47`) would let two nodes of a cluster run different code.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from inkless_pulumi.core.errors import DeclarationError, Problem

Architecture = Literal["amd64", "arm64"]

UPSTREAM_REPOSITORY: Final = "ghcr.io/aiven/inkless"
"""Where Aiven publishes the images; both architectures under one tag."""

SUPPORTED_VERSIONS: Final = ("4.2.1-0.47", "4.1.2-0.47")
"""Kafka version and Inkless increment, newest first: the two lines that Aiven releases."""
DEFAULT_VERSION: Final = SUPPORTED_VERSIONS[0]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REGISTRY = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
)
_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*"
)
_MOVING_TAG = re.compile(r"latest|edge|edge-.*|[0-9.]+-latest|0\.[0-9]+")
_VERSION = re.compile(r"([0-9]+\.[0-9]+\.[0-9]+)-(0\.[0-9]+)")


@dataclass(frozen=True)
class ImageReference:
    """A parsed reference; `str()` gives it back whole."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"


def parse_reference(text: str, path: str = "image") -> ImageReference:
    """Read `registry/repository[:tag][@digest]`.

    The registry must be written out: a bare name would mean a public registry by convention, and
    nodes in a private network reach only the account's own. Raises DeclarationError.
    """
    name, _, digest = text.partition("@")
    registry, slash, rest = name.partition("/")
    repository, _, tag = rest.partition(":")
    form = 'write it like "registry.example.com/inkless:4.2.1-0.47"'
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        rule = "an image reference starts with the host name of its registry"
        raise DeclarationError([Problem(path, text, rule, form)])
    well_formed = (
        _REGISTRY.fullmatch(registry)
        and _REPOSITORY.fullmatch(repository)
        and (_TAG.fullmatch(tag) if ":" in rest else True)
        and (_DIGEST.fullmatch(digest) if "@" in text else True)
    )
    if not well_formed:
        raise DeclarationError([Problem(path, text, "is not an image reference", form)])
    return ImageReference(registry, repository, tag or None, digest or None)


def image_problems(text: str, path: str = "image") -> list[Problem]:
    """What is wrong with an upstream image that a user names; it must be pinned."""
    try:
        reference = parse_reference(text, path)
    except DeclarationError as error:
        return list(error.problems)
    if reference.digest is not None:
        return []
    if reference.tag is None or _MOVING_TAG.fullmatch(reference.tag):
        rule = "does not pin a version: what such a reference points to changes over time"
        remedy = f'name a full version ("{reference.name}:{DEFAULT_VERSION}") or a digest'
        return [Problem(path, text, rule, remedy)]
    return []


def version_problems(version: str, path: str = "version") -> list[Problem]:
    """Whether this package knows how to run an Inkless version."""
    if version in SUPPORTED_VERSIONS:
        return []
    remedy = f"use one of {', '.join(SUPPORTED_VERSIONS)}"
    if _MOVING_TAG.fullmatch(version):
        rule = "is a tag that moves, so nodes of one cluster could run different code"
    elif _VERSION.fullmatch(version):
        rule = "is not a version that this release of the package was tested with"
    else:
        rule = "is not an Inkless version, which is written <Kafka version>-<Inkless increment>"
    return [Problem(path, version, rule, remedy)]


def kafka_version(version: str) -> tuple[int, ...]:
    """The Kafka version inside an Inkless version: (4, 2, 1) of `4.2.1-0.47`."""
    return tuple(int(part) for part in version.partition("-")[0].split("."))


def upstream_image(version: str) -> str:
    """The reference of Aiven's own image of a version."""
    return f"{UPSTREAM_REPOSITORY}:{version}"


def platform(architecture: Architecture) -> str:
    """The platform name of an architecture in an image index."""
    return f"linux/{architecture}"


def platform_problems(
    offered: "list[str] | tuple[str, ...]", wanted: str, image: str, path: str
) -> list[Problem]:
    """Whether an image has the platform of the machines that are to run it."""
    if wanted in offered:
        return []
    rule = f"{image} has no {wanted} image, only {', '.join(offered) or 'none'}"
    remedy = "choose machines of a platform it has, or an image for both"
    return [Problem(path, wanted, rule, remedy)]
