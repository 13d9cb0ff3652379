"""The documents of our image: the upstream's manifest and configuration with the overlay on top.

Pure functions over bytes: the same upstream image and the same overlay give the same digests,
whoever computes them and when. So no time of ours goes in (the creation time stays the upstream's),
nor where the upstream image was fetched from: a mirror of the same image changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inkless_pulumi.provider.overlay import ENTRYPOINT, Layer
from inkless_pulumi.provider.registry import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Blob,
    CorruptedContent,
    Manifest,
    digest_of,
    parse_document,
)

LABEL_VERSION = "io.inkless.version"
LABEL_OVERLAY = "io.inkless.overlay"
LABEL_UPSTREAM = "io.inkless.upstream"
LABEL_BASE = "org.opencontainers.image.base.digest"
LABEL_DISKLESS = "io.inkless.diskless"

_LAYER_TYPES = {
    OCI_MANIFEST: "application/vnd.oci.image.layer.v1.tar+gzip",
    DOCKER_MANIFEST: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


@dataclass(frozen=True)
class BaseImage:
    """The upstream image of one platform."""

    platform: str
    """`linux/arm64`."""
    manifest: Manifest
    configuration: bytes = field(repr=False)

    @property
    def layers(self) -> list[Blob]:
        """The blobs to copy."""
        return [_blob(layer) for layer in self.manifest.document["layers"]]

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels."""
        configuration = parse_document(self.configuration, "configuration")
        return (configuration.get("config") or {}).get("Labels") or {}

    @property
    def is_diskless(self) -> bool:
        """Whether its brokers can hold diskless topics: all but what says it cannot."""
        return self.labels.get(LABEL_DISKLESS, "yes") != "no"


@dataclass(frozen=True)
class OurImage:
    """The image of one platform as it goes into the account's registry."""

    platform: str
    manifest: Manifest
    configuration: bytes = field(repr=False)

    @property
    def configuration_blob(self) -> Blob:
        """The blob that holds the configuration."""
        return _blob(self.manifest.document["config"])


def offered_platforms(index: Manifest) -> dict[str, str]:
    """Platform name to manifest digest. Attestations, which have no real platform, are left out."""
    offered: dict[str, str] = {}
    for entry in index.document.get("manifests", []):
        platform = entry.get("platform") or {}
        name = f"{platform.get('os')}/{platform.get('architecture')}"
        if platform.get("os") in {None, "unknown"} or name in offered:
            continue
        offered[name] = entry["digest"]
    return offered


def platform_of(configuration: bytes) -> str:
    """The platform an image's configuration names."""
    document = parse_document(configuration, "configuration")
    return f"{document.get('os')}/{document.get('architecture')}"


def configuration_blob(manifest: Manifest) -> Blob:
    """The configuration that a manifest of one platform refers to."""
    try:
        return _blob(manifest.document["config"])
    except KeyError as error:
        raise CorruptedContent(
            f"The manifest {manifest.digest} ({manifest.media_type}) is not a container image's. "
            "Check the upstream reference."
        ) from error


@dataclass(frozen=True)
class Origin:
    """What our image is made from, as its labels tell."""

    version: str
    """The upstream reference's tag, or its digest where it has none."""
    upstream_digest: str
    """The upstream's manifest or index."""
    overlay_digest: str


def origin_of(labels: Mapping[str, str]) -> Origin | None:
    """Read the labels of an image; None where it is not one of ours."""
    try:
        return Origin(labels[LABEL_VERSION], labels[LABEL_UPSTREAM], labels[LABEL_OVERLAY])
    except KeyError:
        return None


def add_overlay(base: BaseImage, layer: Layer, origin: Origin) -> OurImage:
    """Our image of one platform."""
    labels = {
        LABEL_VERSION: origin.version,
        LABEL_UPSTREAM: origin.upstream_digest,
        LABEL_OVERLAY: origin.overlay_digest,
        LABEL_BASE: base.manifest.digest,
    }
    configuration = _configuration(base.configuration, layer, labels)
    media_type = base.manifest.media_type
    document = {key: base.manifest.document[key] for key in ("schemaVersion", "config", "layers")}
    document["mediaType"] = media_type
    document["config"] = {
        "mediaType": document["config"]["mediaType"],
        "digest": digest_of(configuration),
        "size": len(configuration),
    }
    layer_type = _LAYER_TYPES.get(media_type, _LAYER_TYPES[OCI_MANIFEST])
    descriptor = {"mediaType": layer_type, "digest": layer.digest, "size": len(layer.content)}
    document["layers"] = [*document["layers"], descriptor]
    return OurImage(base.platform, Manifest(_json(document), media_type), configuration)


def join_platforms(images: Sequence[OurImage]) -> Manifest:
    """What a node pulls: the image itself where there is one platform, else an index of them."""
    if len(images) == 1:
        return images[0].manifest
    docker = all(image.manifest.media_type == DOCKER_MANIFEST for image in images)
    media_type = DOCKER_INDEX if docker else OCI_INDEX
    entries = [_index_entry(image) for image in sorted(images, key=lambda image: image.platform)]
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return Manifest(_json(document), media_type)


def _index_entry(image: OurImage) -> dict[str, object]:
    system, _, architecture = image.platform.partition("/")
    return {
        "mediaType": image.manifest.media_type,
        "digest": image.manifest.digest,
        "size": len(image.manifest.content),
        "platform": {"os": system, "architecture": architecture},
    }


def _configuration(base: bytes, layer: Layer, labels: Mapping[str, str]) -> bytes:
    document = parse_document(base, "configuration")
    runtime: dict[str, Any] = dict(document.get("config") or {})
    runtime["Entrypoint"] = [ENTRYPOINT]
    runtime.pop("Cmd", None)  # the upstream's start script must not become our argument
    runtime["Labels"] = {**(runtime.get("Labels") or {}), **labels}
    document["config"] = runtime
    try:
        diff_ids = document["rootfs"]["diff_ids"]
    except (KeyError, TypeError) as error:
        raise CorruptedContent(
            "The upstream image's configuration lists no layers. Check the upstream reference."
        ) from error
    document["rootfs"] = {**document["rootfs"], "diff_ids": [*diff_ids, layer.diff_id]}
    if document.get("history"):
        step = {"created_by": f"inkless-pulumi overlay {labels[LABEL_OVERLAY]}"}
        if "created" in document:
            step["created"] = document["created"]
        document["history"] = [*document["history"], step]
    return _json(document)


def _blob(descriptor: Mapping[str, Any]) -> Blob:
    return Blob(descriptor["digest"], descriptor["size"], descriptor["mediaType"])


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
