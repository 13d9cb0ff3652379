"""Small upstream images for tests, pushed the way any client pushes them."""

import json
from collections.abc import Mapping, Sequence

from inkless_pulumi.provider.registry import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Blob,
    Manifest,
    Registry,
    digest_of,
)
from inkless_pulumi.provider.registry_session import RegistrySession

VERSION = "4.2.1-0.47"


def open_test_registry(host: str) -> Registry:
    return Registry(RegistrySession(host))


def push_image(
    host: str,
    repository: str = "aiven/inkless",
    tag: str = VERSION,
    *,
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
    layers: Sequence[bytes] = (b"base layer", b"kafka layer"),
    labels: Mapping[str, str] | None = None,
    docker: bool = False,
) -> str:
    """Push an image of some platforms; answers the digest of its index (or only manifest)."""
    with open_test_registry(host) as registry:
        manifests = {
            platform: _push_platform(registry, repository, platform, layers, labels or {}, docker)
            for platform in platforms
        }
        top = next(iter(manifests.values()))
        if len(manifests) > 1:
            top = _index(manifests, docker)
        registry.put_manifest(repository, tag, top)
        return top.digest


def push_blob(registry: Registry, repository: str, content: bytes) -> Blob:
    blob = Blob(digest_of(content), len(content))
    registry.upload_blob(repository, blob, lambda: [content])
    return blob


def _push_platform(
    registry: Registry,
    repository: str,
    platform: str,
    layers: Sequence[bytes],
    labels: Mapping[str, str],
    docker: bool,
) -> Manifest:
    system, _, architecture = platform.partition("/")
    contents = [*layers, f"binaries for {platform}".encode()]
    configuration = _json(
        {
            "architecture": architecture,
            "os": system,
            "created": "2026-08-19T00:00:00Z",
            "config": {
                "User": "appuser",
                "Env": ["JAVA_HOME=/opt/java"],
                "Cmd": ["/etc/kafka/docker/run"],
                "Labels": {"maintainer": "Aiven", **labels},
            },
            "rootfs": {"type": "layers", "diff_ids": [digest_of(c) for c in contents]},
            "history": [{"created_by": "COPY"} for _ in contents],
        }
    )
    for content in [*contents, configuration]:
        push_blob(registry, repository, content)
    kind = (
        "application/vnd.docker.container.image.v1+json"
        if docker
        else ("application/vnd.oci.image.config.v1+json")
    )
    layer_kind = (
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
        if docker
        else ("application/vnd.oci.image.layer.v1.tar+gzip")
    )
    media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": _descriptor(configuration, kind),
        "layers": [_descriptor(content, layer_kind) for content in contents],
    }
    manifest = Manifest(_json(document), media_type)
    registry.put_manifest(repository, manifest.digest, manifest)
    return manifest


def _index(manifests: Mapping[str, Manifest], docker: bool) -> Manifest:
    entries = []
    for platform, manifest in manifests.items():
        system, _, architecture = platform.partition("/")
        entry = _descriptor(manifest.content, manifest.media_type)
        entries.append({**entry, "platform": {"os": system, "architecture": architecture}})
    media_type = DOCKER_INDEX if docker else OCI_INDEX
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return Manifest(_json(document), media_type)


def _descriptor(content: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _json(document: object) -> bytes:
    return json.dumps(document).encode()
