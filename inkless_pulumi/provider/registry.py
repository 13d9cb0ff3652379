"""A client of the OCI distribution API: what a container registry can be asked.

One `Registry` is one host. Content is addressed by digest, and whatever is read by digest is
verified against it before anybody sees it. Authentication, retries and errors are
`registry_session`'s; this module knows paths, media types and digests.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider.registry_session import (
    Call,
    RegistryNotFound,
    RegistrySession,
    TransientFailure,
)

__all__ = ["Blob", "CorruptedContent", "Manifest", "Registry", "digest_of", "split_repository"]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST))
# The distribution specification asks clients to accept manifests of 4 MiB; configs are as small.
_MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_READ, _CREATED, _ACCEPTED = (200,), (201,), (202,)


class CorruptedContent(RegistryError):
    """What a registry or the network delivered is not what its digest promises."""


@dataclass(frozen=True)
class Blob:
    """A layer or a configuration: its digest, bytes and media type."""

    digest: str
    size: int
    media_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index as it lies in the registry: bytes first, for the digest is theirs."""

    content: bytes = field(repr=False)
    media_type: str

    @property
    def digest(self) -> str:
        """`sha256:…` of the content."""
        return digest_of(self.content)

    @property
    def document(self) -> dict[str, Any]:
        """The parsed JSON. Raises CorruptedContent where it is no JSON object."""
        return parse_document(self.content, "manifest")

    @property
    def is_index(self) -> bool:
        """Whether this lists manifests of several platforms."""
        return self.media_type in {OCI_INDEX, DOCKER_INDEX}


def digest_of(content: bytes) -> str:
    """The digest under which a registry files `content`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def parse_document(content: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `content`. Raises CorruptedContent naming `what` where it is none."""
    import json

    try:
        document = json.loads(content)
    except ValueError as error:
        raise CorruptedContent(f"The image's {what} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise CorruptedContent(f"The image's {what} is not a JSON object.")
    return document


def split_repository(repository: str) -> tuple[str, str]:
    """Split a repository URL (`host[:port]/path`) into host and path; RegistryError if it isn't."""
    host, slash, path = repository.partition("/")
    if not slash or not path or not ({".", ":"} & set(host) or host == "localhost"):
        raise RegistryError(
            f"{repository!r} is not a repository: expected host/path, such as "
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/inkless."
        )
    return host, path


class Registry:
    """One registry. Use it as a context manager; safe to use from many threads.

    Every method raises RegistryError or one of its kinds (`registry_session` lists them).
    """

    def __init__(self, session: RegistrySession) -> None:
        self._session = session
        self.host = session.host

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, traceback)

    def ping(self) -> None:
        """Return where the registry answers and accepts the credentials."""
        self._session.send(
            Call("GET", "/v2/", "asking whether it serves", "registry"), expect=_READ
        )

    # --- manifests

    def get_manifest(self, repository: str, reference: str) -> Manifest:
        """The manifest or index under a tag or digest, verified where it is a digest."""
        call = self._manifest_call("GET", repository, reference, "reading")
        response = self._session.send(call, expect=_READ)
        media_type = response.headers.get("content-type", "").split(";")[0].strip()
        manifest = Manifest(response.content, media_type)
        if _DIGEST.fullmatch(reference) and manifest.digest != reference:
            raise CorruptedContent(
                f"The registry {self.host} answered the manifest {repository}@{reference} with "
                f"other content ({manifest.digest}). Do not use that registry until it is mended."
            )
        return manifest

    def find_manifest(self, repository: str, reference: str) -> str | None:
        """The digest of what lies under a tag or digest; None where nothing does."""
        call = self._manifest_call("HEAD", repository, reference, "looking for")
        try:
            response = self._session.send(call, expect=_READ)
        except RegistryNotFound:
            return None
        digest = response.headers.get("docker-content-digest", "")
        return digest or self.get_manifest(repository, reference).digest

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest; nothing happens where it lies there."""
        if self.find_manifest(repository, reference) == manifest.digest:
            return  # a registry with immutable tags would refuse even the same content
        call = self._manifest_call("PUT", repository, reference, "writing", manifest)
        self._session.send(call, expect=_CREATED)

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """Remove a manifest and all its tags. False where the registry cannot delete."""
        call = self._manifest_call("DELETE", repository, digest, "removing")
        try:
            response = self._session.send(call, expect=(*_ACCEPTED, 200, 400, 405, 501))
        except RegistryNotFound:
            return True
        return response.status_code in {200, 202}

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository; none where there is no such repository."""
        url: str | None = f"/v2/{repository}/tags/list"
        found: list[str] = []
        while url:
            call = Call("GET", url, f"listing the tags of {repository}", f"tags {repository}")
            try:
                response = self._session.send(call, expect=_READ)
            except RegistryNotFound:
                return found
            found += parse_document(response.content, "tag list").get("tags") or []
            url = response.links.get("next", {}).get("url")
        return found

    # --- blobs

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether the repository holds a blob."""
        call = self._blob_call("HEAD", repository, digest, "looking for")
        try:
            self._session.send(call, expect=_READ)
        except RegistryNotFound:
            return False
        return True

    def read_document(self, repository: str, blob: Blob) -> bytes:
        """A small blob (an image's configuration), whole and verified."""
        if blob.size > _MAX_DOCUMENT_BYTES:
            raise CorruptedContent(
                f"{repository}@{blob.digest} on {self.host} claims {blob.size} bytes, far more "
                "than an image's configuration has. Check the image."
            )
        return b"".join(self.read_blob(repository, blob))

    def read_blob(self, repository: str, blob: Blob) -> Iterator[bytes]:
        """The blob piece by piece, going on where a broken connection left it.

        The last piece is handed out only when the digest of the whole is right, so whoever passes
        the pieces on never completes a corrupted blob. Raises CorruptedContent where it is not.
        """
        hashed, received, held, failures = hashlib.sha256(), 0, b"", 0
        while received < blob.size:
            try:
                for piece in self._read_from(repository, blob, received):
                    self._session.pause(0)
                    hashed.update(piece)
                    received += len(piece)
                    failures = 0
                    if held:
                        yield held
                    held = piece
                    if received > blob.size:
                        break
            except TransientFailure as failure:
                failures += 1
                if failures >= self._session.attempts:
                    raise failure.final from failure
                self._session.back_off(failures, failure)
        if received != blob.size or f"sha256:{hashed.hexdigest()}" != blob.digest:
            raise CorruptedContent(
                f"The registry {self.host} delivered {repository}@{blob.digest} corrupted: "
                f"{received} bytes with the digest sha256:{hashed.hexdigest()}. Nothing of it is "
                "kept. Run this again; if it stays, the registry or a proxy on the way is at fault."
            )
        yield held

    def _read_from(self, repository: str, blob: Blob, start: int) -> Iterator[bytes]:
        ranged = {"range": f"bytes={start}-"} if start else {}
        call = self._blob_call("GET", repository, blob.digest, "reading", headers=ranged)
        delivered = 0
        with self._session.stream(call, expect=(200, 206)) as response:
            skip = start if response.status_code == httpx.codes.OK else 0
            try:
                for piece in response.iter_raw():
                    kept, skip = piece[skip:], max(0, skip - len(piece))
                    delivered += len(kept)
                    if kept:
                        yield kept
            except httpx.TransportError as error:
                raise self._session.broken(call, error) from error
        if start + delivered < blob.size:
            raise self._session.broken(call, EOFError("the answer ended early"))

    def upload_blob(
        self,
        repository: str,
        blob: Blob,
        content: Callable[[], Iterable[bytes]],
        *,
        mount_from: str | None = None,
    ) -> bool:
        """Store a blob; True where it was mounted from the repository `mount_from` instead.

        `content` opens the blob anew for each attempt. The blob goes up in one request of known
        length, which every registry takes (Google's takes no other), and the registry compares
        its digest before it files it. Half an upload is invisible, and the registry drops it after
        a while; it can't be told to (measured: the reference registry answers BLOB_UPLOAD_INVALID).
        """

        def attempt() -> bool:
            location = self._begin_upload(repository, blob, mount_from)
            if location is None:
                return True
            self._finish_upload(repository, blob, location, content())
            return False

        return self._session.retry(attempt)

    def _begin_upload(self, repository: str, blob: Blob, mount_from: str | None) -> str | None:
        query = f"?mount={blob.digest}&from={mount_from}" if mount_from else ""
        url = f"/v2/{repository}/blobs/uploads/{query}"
        call = Call("POST", url, f"starting an upload to {repository}", _push_scope(repository))
        with self._session.stream(call, expect=(*_CREATED, *_ACCEPTED)) as response:
            if response.status_code == httpx.codes.CREATED:
                return None
            location = response.headers.get("location")
            if not location:
                raise RegistryError(
                    f"The registry {self.host} accepted an upload but did not say where to. "
                    "Check that the host is a container registry."
                )
            return str(response.url.join(location))

    def _finish_upload(
        self, repository: str, blob: Blob, location: str, content: Iterable[bytes]
    ) -> None:
        call = Call(
            "PUT",
            str(httpx.URL(location).copy_merge_params({"digest": blob.digest})),
            f"writing {repository}@{blob.digest}",
            _push_scope(repository),
            {"content-type": "application/octet-stream", "content-length": str(blob.size)},
            content,
        )
        with self._session.stream(call, expect=_CREATED):
            return

    # --- the two kinds of path

    def _manifest_call(
        self,
        method: str,
        repository: str,
        reference: str,
        doing: str,
        manifest: Manifest | None = None,
    ) -> Call:
        separator = "@" if ":" in reference else ":"
        reading = method in {"GET", "HEAD"}
        return Call(
            method,
            f"/v2/{repository}/manifests/{reference}",
            f"{doing} {repository}{separator}{reference}",
            f"{'pull' if reading else method} {repository}",
            {"accept": _ACCEPT} if manifest is None else {"content-type": manifest.media_type},
            None if manifest is None else manifest.content,
        )

    def _blob_call(
        self,
        method: str,
        repository: str,
        digest: str,
        doing: str,
        headers: dict[str, str] | None = None,
    ) -> Call:
        url = f"/v2/{repository}/blobs/{digest}"
        return Call(
            method, url, f"{doing} {repository}@{digest}", f"pull {repository}", headers or {}
        )


def _push_scope(repository: str) -> str:
    return f"push {repository}"
