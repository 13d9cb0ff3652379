"""How the broker image's resource gets at its two registries: the account's own and upstream's.

Importing this module is cheap; the HTTP client is imported when a registry is opened.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.core.image import parse_reference
from inkless_pulumi.provider.resource import WireModel

if TYPE_CHECKING:
    from inkless_pulumi.provider.image_publishing import Upstream
    from inkless_pulumi.provider.registry import Registry

__all__ = [
    "RegistryAccessInputs",
    "guess_access",
    "look_at_upstream",
    "open_registry",
    "open_upstream",
]

Pause = Callable[[float], None]

PREVIEW_SECONDS = 4.0
_ECR_HOST = re.compile(r"[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_log = logging.getLogger(__name__)


class RegistryAccessInputs(WireModel):
    """How to log in to the account's registry."""

    kind: Literal["ecr", "anonymous"]
    """`ecr`: with a token that Amazon ECR gives to this account's identity; `anonymous`: not."""
    region: str | None = None
    """The region of the registry, for example `eu-central-1`. `ecr` needs it."""
    profile: str | None = None
    """A named AWS profile of the machine that runs Pulumi. Default: the usual credential chain."""


def guess_access(host: str) -> RegistryAccessInputs:
    """How to log in to a registry of which nothing but the name is known, as in an import."""
    if ecr := _ECR_HOST.fullmatch(host):
        return RegistryAccessInputs(kind="ecr", region=ecr[1])
    return RegistryAccessInputs(kind="anonymous")


@contextmanager
def open_registry(
    repository: str, access: RegistryAccessInputs, pause: Pause
) -> Iterator[tuple["Registry", str]]:
    """The account's registry, logged in, and the repository's path in it."""
    from inkless_pulumi.provider.registry import Registry, split_repository
    from inkless_pulumi.provider.registry_credentials import ecr_credentials
    from inkless_pulumi.provider.registry_session import RegistrySession

    host, path = split_repository(repository)
    credentials = None
    if access.kind == "ecr":
        credentials = ecr_credentials(access.region or "", access.profile)
    with Registry(RegistrySession(host, credentials, pause=pause)) as registry:
        yield registry, path


@contextmanager
def open_upstream(text: str, target: "Registry", pause: Pause) -> Iterator["Upstream"]:
    """The upstream image; where it lies in the account's own registry, with the same login."""
    from inkless_pulumi.provider.image_publishing import Upstream
    from inkless_pulumi.provider.registry import Registry
    from inkless_pulumi.provider.registry_credentials import docker_credentials
    from inkless_pulumi.provider.registry_session import RegistrySession

    reference = parse_reference(text, "upstream")
    host = reference.registry
    if host == target.host:
        yield Upstream(target, reference)
        return
    session = RegistrySession(host, docker_credentials(host), pause=pause)
    with Registry(session) as registry:
        yield Upstream(registry, reference)


def look_at_upstream(text: str, platforms: list[str]) -> None:
    """Raise where upstream says that the image, or one of the platforms, does not exist.

    Return where it can't be asked within a few seconds: a preview must work without a network. It
    is asked in a thread of its own, for a name server that never answers knows no deadline.
    """
    found: list[Exception] = []

    def look() -> None:
        try:
            _require_platforms(text, platforms)
        except Exception as error:  # judged below, in the thread that can raise it
            found.append(error)

    looking = threading.Thread(target=look, name="upstream", daemon=True)
    looking.start()
    looking.join(PREVIEW_SECONDS)
    for error in found:
        from inkless_pulumi.provider.registry_session import RegistryNotFound

        if isinstance(error, RegistryError) and not isinstance(error, RegistryNotFound):
            _log.warning("The upstream image was not looked at in this preview: %s", error)
            return
        raise error


def _require_platforms(text: str, platforms: list[str]) -> None:
    from inkless_pulumi.provider.image_publishing import Upstream
    from inkless_pulumi.provider.registry import Registry
    from inkless_pulumi.provider.registry_credentials import docker_credentials
    from inkless_pulumi.provider.registry_session import RegistrySession

    reference = parse_reference(text, "upstream")
    session = RegistrySession(
        reference.registry,
        docker_credentials(reference.registry),
        attempts=1,
        connect_timeout=PREVIEW_SECONDS / 2,
        timeout=PREVIEW_SECONDS,
    )
    with Registry(session) as registry:
        upstream = Upstream(registry, reference)
        upstream.require_platforms(upstream.resolve(), platforms)
