"""Which broker image a sandbox's services start from.

The image that was asked for (`INKLESS_IMAGE`), else upstream's, else, where upstream's registry
can't be reached, a stand-in of Apache Kafka's own jars, which has no diskless topics.
"""

import threading
from dataclasses import dataclass
from pathlib import Path

from inkless_pulumi.core.errors import RegistryError, SandboxError
from inkless_pulumi.core.image import DEFAULT_VERSION, UPSTREAM_REPOSITORY, parse_reference
from inkless_pulumi.sandbox.making import Progress
from inkless_pulumi.sandbox.standin_image import ensure_standin_image

UPSTREAM_IMAGE = f"{UPSTREAM_REPOSITORY}:{DEFAULT_VERSION}"
_SECONDS = 5.0


@dataclass(frozen=True)
class ChosenImage:
    """An image, and what a sandbox should know of it."""

    reference: str
    diskless: bool
    """Whether its brokers can hold diskless topics."""
    reason: str
    """Why there are no diskless topics; empty where there are."""
    architectures: tuple[str, ...]
    """What it is built for: `amd64`, `arm64`."""


def choose(asked: str | None, registry: str, cache: Path, progress: Progress) -> ChosenImage:
    """Choose the image, and make the stand-in where it comes to that.

    Args:
        asked: the reference that was asked for; None: upstream's.
        registry: `host:port` of the sandbox's registry, which the stand-in is pushed to.
        cache: where the stand-in's parts are kept.
        progress: told what is found.

    Raises SandboxError where an image that was asked for can't be had: to run another one instead
    would be to prove something else.
    """
    try:
        return _look_at(asked or UPSTREAM_IMAGE)
    except RegistryError as error:
        if asked:
            raise SandboxError(
                f"the image {asked} cannot be used: {error}\nName another one with INKLESS_IMAGE, "
                "or unset it for upstream's"
            ) from error
        progress(f"{UPSTREAM_IMAGE} cannot be pulled here ({_first_line(error)})")
    progress("Using a stand-in of Apache Kafka's own jars instead: it has no diskless topics")
    return _look_at(ensure_standin_image(registry, cache, progress))


def _look_at(text: str) -> ChosenImage:
    """Ask the registry, in a thread: a name server that never answers knows no deadline."""
    found: list[ChosenImage | Exception] = []

    def look() -> None:
        try:
            found.append(_describe(text))
        except Exception as error:  # raised below, in the thread that can be waited for
            found.append(error)

    looking = threading.Thread(target=look, name="image", daemon=True)
    looking.start()
    looking.join(2 * _SECONDS)
    if not found:
        raise RegistryError(f"{text}: its registry did not answer within {2 * _SECONDS:.0f} s")
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _describe(text: str) -> ChosenImage:
    from inkless_pulumi.provider.image_publishing import Upstream
    from inkless_pulumi.provider.registry import Registry
    from inkless_pulumi.provider.registry_credentials import docker_credentials
    from inkless_pulumi.provider.registry_session import RegistrySession

    reference = parse_reference(text)
    session = RegistrySession(
        reference.registry,
        docker_credentials(reference.registry),
        attempts=1,
        connect_timeout=_SECONDS / 2,
        timeout=_SECONDS,
    )
    with Registry(session) as registry:
        upstream = Upstream(registry, reference)
        offered = upstream.platforms(upstream.resolve())
        linux = {name: digest for name, digest in offered.items() if name.startswith("linux/")}
        if not linux:
            raise RegistryError(f"{text} is built for no Linux, but for {', '.join(offered)}")
        name, digest = next(iter(linux.items()))
        diskless = upstream.base_image(name, digest).is_diskless
    return ChosenImage(
        reference=text,
        diskless=diskless,
        reason="" if diskless else f"{reference.repository} is Apache Kafka without Inkless",
        architectures=tuple(sorted(name.removeprefix("linux/") for name in linux)),
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
