"""The broker image in the account's own registry: the upstream's, with our overlay on top.

Nodes pull it by digest. The digest changes only when the upstream version or the overlay does; an
upstream tag is resolved once and then pinned. What an earlier update pushed stays until the
resource is deleted, because nodes that are not rolled yet still pull it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from inkless_pulumi.core.errors import DeclarationError, Problem
from inkless_pulumi.core.image import UPSTREAM_REPOSITORY, image_problems, parse_reference
from inkless_pulumi.provider.overlay import Overlay, find_overlay
from inkless_pulumi.provider.registry_access import (
    RegistryAccessInputs,
    guess_access,
    look_at_upstream,
    open_registry,
    open_upstream,
)
from inkless_pulumi.provider.resource import Context, Created, Resource, WireModel

if TYPE_CHECKING:
    from inkless_pulumi.provider.image_publishing import Published

__all__ = ["BrokerImage", "BrokerImageInputs", "BrokerImageOutputs"]

PLATFORMS = ("linux/amd64", "linux/arm64")


class BrokerImageInputs(WireModel):
    """What the image is made from, and where it goes."""

    upstream: str
    """The image to start from: `ghcr.io/aiven/inkless:4.2.1-0.47`, with a full version or digest.
    Fetched anonymously, or with the credentials that `docker login` left on this machine."""
    repository: str
    """The repository it is pushed to: `123456789012.dkr.ecr.eu-central-1.amazonaws.com/inkless`.
    Plain HTTP is spoken to loopback addresses only."""
    registry: RegistryAccessInputs
    """How to log in there."""
    platforms: list[str]
    """Those of the machines that run it: `linux/arm64`, `linux/amd64`."""
    overlay_digest: str | None = None
    """Of the overlay on top of the upstream image. Default: that of the installed package."""


class BrokerImageOutputs(WireModel):
    """What nodes pull."""

    reference: str
    """`<repository>@sha256:…`."""
    digest: str
    """`sha256:…` of the image, or of the index where there are several platforms."""
    upstream_digest: str
    """What the upstream reference was resolved to; kept until the reference changes."""
    diskless: bool
    """Whether its brokers can hold diskless topics: false only for an image labelled so."""
    recipe: str
    """Fingerprint of upstream, platforms and overlay: what stays the same keeps the digest."""
    pushed: dict[str, list[str]]
    """Everything this resource pushed, as tag to digests; removed when the resource is deleted."""


class BrokerImage(Resource[BrokerImageInputs, BrokerImageOutputs]):
    """Builds and pushes the image, without a Docker daemon.

    An interrupted create or update is run again: blobs that arrived are found and not copied
    twice, and the tag is written last.
    """

    token: ClassVar[str] = "inkless:index:BrokerImage"
    inputs = BrokerImageInputs
    outputs = BrokerImageOutputs
    description: ClassVar[str] = (
        "The image that nodes run, in the account's own registry: an upstream Inkless image with "
        "this package's overlay (start script, metrics exporter), pinned by digest."
    )
    replace_on: ClassVar[frozenset[str]] = frozenset({"repository"})

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Find references that are none, unknown platforms, and a login that lacks its region."""
        if isinstance(upstream := known.get("upstream"), str):
            yield from image_problems(upstream, "upstream")
        if isinstance(repository := known.get("repository"), str):
            yield from _repository_problems(repository)
        if isinstance(platforms := known.get("platforms"), list):
            yield from _platform_problems(platforms)
        registry = known.get("registry")
        if (
            isinstance(registry, RegistryAccessInputs)
            and registry.kind == "ecr"
            and not registry.region
        ):
            remedy = 'name it, for example "eu-central-1"'
            yield Problem("registry.region", None, "Amazon ECR is asked in a region", remedy)

    def defaults(self, known: Mapping[str, object]) -> Mapping[str, object]:
        """Name the overlay of the installed package, so that a preview shows when it changed."""
        return {"overlay_digest": find_overlay().digest}

    def preview(
        self, known: Mapping[str, object], prior: BrokerImageOutputs | None
    ) -> Mapping[str, object]:
        """Keep everything where the recipe stays; else look whether upstream has the platforms.

        Previews work without a network: where upstream can't be asked, `up` will find out.
        """
        upstream, platforms = known.get("upstream"), known.get("platforms")
        if not isinstance(upstream, str) or not isinstance(platforms, list):
            return {}
        if prior is not None and prior.recipe == _recipe(
            upstream, platforms, known.get("overlay_digest")
        ):
            return dict(prior)
        if isinstance(digest := known.get("overlay_digest"), str):
            _require_overlay(digest)
        look_at_upstream(upstream, platforms)
        return {}

    def create(self, inputs: BrokerImageInputs, context: Context) -> Created[BrokerImageOutputs]:
        """Build and push."""
        outputs = _publish(inputs, context, pinned=None, pushed={})
        return Created(outputs.reference, outputs)

    def read(
        self,
        id: str,
        inputs: BrokerImageInputs | None,
        outputs: BrokerImageOutputs | None,
        context: Context,
    ) -> tuple[BrokerImageInputs, BrokerImageOutputs] | None:
        """Look whether the image is there in all its platforms.

        The id of an import is `<repository>@<digest>` or `<repository>:<tag>`. The image tells its
        version but not where it was fetched from, so Aiven's own repository is assumed.
        """
        from inkless_pulumi.provider.image_publishing import find_image

        reference = parse_reference(outputs.reference if outputs else id, "id")
        repository = inputs.repository if inputs else reference.name
        access = inputs.registry if inputs else guess_access(reference.registry)
        wanted = reference.digest or reference.tag or ""
        with open_registry(repository, access, context.pause) as (registry, path):
            stored = find_image(registry, path, wanted)
            if stored is None:
                return None
            if inputs and outputs:
                return inputs, outputs
            tags = [reference.tag] if reference.tag else registry.tags(path)
            ours = [tag for tag in tags if registry.find_manifest(path, tag) == stored.digest]
        separator = "@" if stored.origin.version.startswith("sha256:") else ":"
        inputs = BrokerImageInputs(
            upstream=f"{UPSTREAM_REPOSITORY}{separator}{stored.origin.version}",
            repository=repository,
            registry=access,
            platforms=stored.platforms,
            overlay_digest=stored.origin.overlay_digest,
        )
        found = BrokerImageOutputs(
            reference=f"{repository}@{stored.digest}",
            digest=stored.digest,
            upstream_digest=stored.origin.upstream_digest,
            diskless=stored.diskless,
            recipe=_recipe(inputs.upstream, inputs.platforms, inputs.overlay_digest),
            pushed=dict.fromkeys(ours, stored.manifests),
        )
        return inputs, found

    def update(
        self,
        id: str,
        old_inputs: BrokerImageInputs,
        old_outputs: BrokerImageOutputs,
        inputs: BrokerImageInputs,
        context: Context,
    ) -> BrokerImageOutputs:
        """Build and push where the recipe changed; the old image stays, for nodes still need it."""
        if _recipe(inputs.upstream, inputs.platforms, inputs.overlay_digest) == old_outputs.recipe:
            return old_outputs
        same_upstream = inputs.upstream == old_inputs.upstream
        pinned = old_outputs.upstream_digest if same_upstream else None
        return _publish(inputs, context, pinned=pinned, pushed=old_outputs.pushed)

    def delete(
        self,
        id: str,
        inputs: BrokerImageInputs,
        outputs: BrokerImageOutputs,
        context: Context,
    ) -> None:
        """Remove what was pushed, except what somebody else's tag in the repository needs."""
        from inkless_pulumi.provider.image_removal import remove_images

        with open_registry(inputs.repository, inputs.registry, context.pause) as (registry, path):
            remove_images(registry, path, outputs.pushed, inputs.registry, context)


def _publish(
    inputs: BrokerImageInputs,
    context: Context,
    *,
    pinned: str | None,
    pushed: Mapping[str, list[str]],
) -> BrokerImageOutputs:
    from inkless_pulumi.provider.image_publishing import Publication

    overlay = _require_overlay(inputs.overlay_digest)
    recipe = _recipe(inputs.upstream, inputs.platforms, overlay.digest)
    tag = _tag(inputs.upstream, overlay.digest, recipe, context.urn)
    with open_registry(inputs.repository, inputs.registry, context.pause) as (target, path):
        target.ping()  # wrong credentials show before anything is fetched
        with open_upstream(inputs.upstream, target, context.pause) as upstream:
            publication = Publication(upstream, overlay, target, path, context.progress)
            published = publication.run(inputs.platforms, tag, pinned)
    return BrokerImageOutputs(
        reference=f"{inputs.repository}@{published.digest}",
        digest=published.digest,
        upstream_digest=published.upstream_digest,
        diskless=published.diskless,
        recipe=recipe,
        pushed={**pushed, tag: _joined(published, pushed.get(tag, []))},
    )


def _require_overlay(digest: str | None) -> Overlay:
    """The installed overlay; DeclarationError where the program asks for another one."""
    overlay = find_overlay()
    if digest not in {None, overlay.digest}:
        rule = f"the installed package's overlay is {overlay.digest}"
        remedy = "leave this out, or install the version of the package that has that overlay"
        raise DeclarationError([Problem("overlay_digest", digest, rule, remedy)])
    return overlay


def _joined(published: "Published", before: list[str]) -> list[str]:
    """Digests under one tag, indexes first: a registry removes no image that an index needs."""
    return list(dict.fromkeys([published.digest, *before, *published.manifests]))


def _recipe(upstream: str, platforms: list[str], overlay_digest: object) -> str:
    text = json.dumps([upstream, sorted(set(platforms)), overlay_digest])
    return hashlib.sha256(text.encode()).hexdigest()


def _tag(upstream: str, overlay_digest: str, recipe: str, urn: str) -> str:
    """Version, overlay, and whose it is: two resources with the same image do not share a tag."""
    reference = parse_reference(upstream, "upstream")
    version = reference.tag or (reference.digest or "").partition(":")[2][:12]
    owner = hashlib.sha256(f"{urn} {recipe}".encode()).hexdigest()[:8]
    return f"{version[:90]}-{overlay_digest.partition(':')[2][:12]}-{owner}"


def _repository_problems(repository: str) -> Iterator[Problem]:
    try:
        reference = parse_reference(repository, "repository")
    except DeclarationError as error:
        yield from error.problems
        return
    if reference.tag or reference.digest:
        remedy = f'write "{reference.name}"'
        yield Problem("repository", repository, "has a tag or digest, which is set here", remedy)


def _platform_problems(platforms: list[str]) -> Iterator[Problem]:
    if not platforms:
        remedy = f"name those of your machines, out of {', '.join(PLATFORMS)}"
        yield Problem("platforms", platforms, "an image needs at least one platform", remedy)
    for number, platform in enumerate(platforms):
        if platform not in PLATFORMS:
            remedy = f"use {' or '.join(PLATFORMS)}"
            yield Problem(f"platforms[{number}]", platform, "is not a platform of nodes", remedy)
