"""Copying an image's layers from one registry to another, a few at a time and only what is missing.

A blob streams from registry to registry in pieces of some 64 KiB: its size does not matter for
memory. The registry that receives files a blob only when it is whole and its digest right, so an
interrupted copy leaves complete blobs or none, and the next run finds those and goes on.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from inkless_pulumi.provider.registry import Blob, Registry

PARALLEL_BLOBS = 3
_SECONDS_BETWEEN_LINES = 0.5
_MB = 1_000_000


class _Meter:
    """Counts copied bytes and says "layer 3 of 7, 41 of 112 MB", at most twice a second."""

    def __init__(self, blobs: Sequence[Blob], progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._layers, self._bytes = len(blobs), sum(blob.size for blob in blobs)
        self._done_layers = self._done_bytes = 0
        self._last = -_SECONDS_BETWEEN_LINES
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that were read (or taken back, where negative: a blob starts over)."""
        with self._lock:
            self._done_bytes += count
            now = time.monotonic()
            if now - self._last < _SECONDS_BETWEEN_LINES:
                return
            self._last = now
            line = self._line()
        self._progress(line)

    def finish(self, blob: Blob, counted: int) -> None:
        """A blob is there, although maybe none of it had to travel (it was mounted)."""
        with self._lock:
            self._done_bytes += blob.size - counted
            self._done_layers += 1
            line = self._line()
        self._progress(line)

    def _line(self) -> str:
        layer = min(self._done_layers + 1, self._layers)
        return (
            f"layer {layer} of {self._layers}, "
            f"{self._done_bytes // _MB} of {-(-self._bytes // _MB)} MB"
        )


class BlobCopy:
    """Copies blobs between two repositories; `progress` is called from several threads."""

    def __init__(
        self,
        source: Registry,
        source_repository: str,
        target: Registry,
        target_repository: str,
        progress: Callable[[str], None],
    ) -> None:
        self._source, self._source_repository = source, source_repository
        self._target, self._target_repository = target, target_repository
        self._progress = progress
        self._stop = threading.Event()

    def run(self, blobs: Iterable[Blob]) -> None:
        """Copy what is missing. Raises the first RegistryError after stopping the other copies."""
        distinct = list({blob.digest: blob for blob in blobs}.values())
        with ThreadPoolExecutor(PARALLEL_BLOBS, thread_name_prefix="blob") as pool:
            held = pool.map(self._is_held, distinct)
            missing = [blob for blob, is_held in zip(distinct, held, strict=True) if not is_held]
            meter = _Meter(missing, self._progress)
            copies = [pool.submit(self._copy, blob, meter) for blob in missing]
            try:
                _raise_first(copies)
            finally:
                self._stop.set()
                for copy in copies:
                    copy.cancel()

    def _is_held(self, blob: Blob) -> bool:
        return self._target.has_blob(self._target_repository, blob.digest)

    def _copy(self, blob: Blob, meter: _Meter) -> None:
        counted = 0

        def pieces() -> Iterator[bytes]:
            nonlocal counted
            meter.add(-counted)
            counted = 0
            for piece in self._source.read_blob(self._source_repository, blob):
                if self._stop.is_set():
                    raise _StoppedError
                counted += len(piece)
                meter.add(len(piece))
                yield piece

        same_registry = self._source.host == self._target.host
        self._target.upload_blob(
            self._target_repository,
            blob,
            pieces,
            mount_from=self._source_repository if same_registry else None,
        )
        meter.finish(blob, counted)


class _StoppedError(Exception):
    """Another copy failed; that failure is the one to report."""


def _raise_first(copies: Sequence[Future[None]]) -> None:
    done, _ = wait(copies, return_when=FIRST_EXCEPTION)
    for copy in done:
        copy.result()
