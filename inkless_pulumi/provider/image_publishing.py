"""Putting our broker image into the account's registry, and finding it there.

Publishing needs no Docker daemon: layers stream from registry to registry, our own layer and the
documents are uploaded beside them, and the tag comes last, when everything it promises is there.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from inkless_pulumi.core.errors import raise_problems
from inkless_pulumi.core.image import ImageReference, platform_problems
from inkless_pulumi.provider import image_assembly as assembly
from inkless_pulumi.provider.image_copy import BlobCopy
from inkless_pulumi.provider.overlay import Layer, Overlay
from inkless_pulumi.provider.registry import Blob, Manifest, Registry
from inkless_pulumi.provider.registry_session import RegistryNotFound

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Upstream:
    """An upstream image in its registry."""

    registry: Registry
    reference: ImageReference

    def resolve(self, pinned: str | None = None) -> Manifest:
        """Its manifest or index: by `pinned` (a digest) where given, else by the reference."""
        wanted = pinned or self.reference.digest or self.reference.tag or "latest"
        return self.registry.get_manifest(self.reference.repository, wanted)

    def platforms(self, manifest: Manifest) -> dict[str, str]:
        """Platform name to manifest digest of what `resolve` returned."""
        if manifest.is_index:
            return assembly.offered_platforms(manifest)
        return {assembly.platform_of(self._configuration(manifest)): manifest.digest}

    def require_platforms(self, manifest: Manifest, wanted: Sequence[str]) -> dict[str, str]:
        """`platforms`, or a DeclarationError that names those it has where a wanted one lacks."""
        offered = self.platforms(manifest)
        raise_problems(
            problem
            for number, platform in enumerate(wanted)
            for problem in platform_problems(
                list(offered), platform, str(self.reference), f"platforms[{number}]"
            )
        )
        return offered

    def base_image(self, platform: str, digest: str) -> assembly.BaseImage:
        """The image of one platform, documents only."""
        manifest = self.registry.get_manifest(self.reference.repository, digest)
        return assembly.BaseImage(platform, manifest, self._configuration(manifest))

    def _configuration(self, manifest: Manifest) -> bytes:
        blob = assembly.configuration_blob(manifest)
        return self.registry.read_document(self.reference.repository, blob)


@dataclass(frozen=True)
class Published:
    """What lies in the account's registry after publishing."""

    digest: str
    upstream_digest: str
    manifests: list[str]
    """Digests of all that was written, the index (if there is one) first."""
    diskless: bool


@dataclass(frozen=True)
class Publication:
    """Publishes one upstream image with one overlay into one repository."""

    upstream: Upstream
    overlay: Overlay
    target: Registry
    repository: str
    """Path within the target registry."""
    progress: Progress

    def run(self, platforms: Sequence[str], tag: str, pinned: str | None = None) -> Published:
        """Publish under `tag`. Raises RegistryError, or DeclarationError for a lacking platform.

        `pinned` is the digest the upstream reference was resolved to before: a tag that was moved
        meanwhile must not change what runs.
        """
        self.progress(f"resolving {self.upstream.reference}")
        upstream = self.upstream.resolve(pinned)
        offered = self.upstream.require_platforms(upstream, platforms)
        bases = [self.upstream.base_image(name, offered[name]) for name in sorted(set(platforms))]
        layer = self.overlay.layer()
        self._copy_layers(bases)
        version = self.upstream.reference.tag or upstream.digest
        origin = assembly.Origin(version, upstream.digest, self.overlay.digest)
        images = [assembly.add_overlay(base, layer, origin) for base in bases]
        top = assembly.join_platforms(images)
        self._write(images, layer, top, tag)
        manifests = list(dict.fromkeys([top.digest, *(i.manifest.digest for i in images)]))
        diskless = all(base.is_diskless for base in bases)
        return Published(top.digest, upstream.digest, manifests, diskless)

    def _copy_layers(self, bases: Sequence[assembly.BaseImage]) -> None:
        copy = BlobCopy(
            self.upstream.registry,
            self.upstream.reference.repository,
            self.target,
            self.repository,
            self.progress,
        )
        copy.run(layer for base in bases for layer in base.layers)

    def _write(
        self, images: Sequence[assembly.OurImage], layer: Layer, top: Manifest, tag: str
    ) -> None:
        self.progress("writing the overlay and the image's manifests")
        self._put_blob(Blob(layer.digest, len(layer.content)), layer.content)
        for image in images:
            self._put_blob(image.configuration_blob, image.configuration)
            self.target.put_manifest(self.repository, image.manifest.digest, image.manifest)
        self.target.put_manifest(self.repository, top.digest, top)
        # Untagged images are what a registry's clean-up rules remove first.
        self.target.put_manifest(self.repository, tag, top)

    def _put_blob(self, blob: Blob, content: bytes) -> None:
        if not self.target.has_blob(self.repository, blob.digest):
            self.target.upload_blob(self.repository, blob, lambda: [content])


@dataclass(frozen=True)
class Stored:
    """One of our images as it was found in the account's registry."""

    digest: str
    manifests: list[str]
    """Digests, the index (if there is one) first."""
    platforms: list[str]
    origin: assembly.Origin
    diskless: bool


def find_image(registry: Registry, repository: str, reference: str) -> Stored | None:
    """Our image under a tag or digest; None where it, or a part of it, is gone or not ours."""
    stored = Upstream(registry, ImageReference(registry.host, repository))
    with suppress(RegistryNotFound):
        top = registry.get_manifest(repository, reference)
        offered = stored.platforms(top)
        bases = [stored.base_image(name, digest) for name, digest in offered.items()]
        origin = assembly.origin_of(bases[0].labels) if bases else None
        if origin is not None:
            manifests = list(dict.fromkeys([top.digest, *offered.values()]))
            diskless = all(base.is_diskless for base in bases)
            return Stored(top.digest, manifests, sorted(offered), origin, diskless)
    return None
