"""A cluster in memory that outlives the plugin's process: each engine run has another one."""

import pickle
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.unit.provider.memory_cluster import MemoryCluster

__all__ = ["kept_cluster", "read_cluster"]

_LOCK = threading.Lock()
"""Requests come from several threads: one must not change what another one writes."""
_PARTS = ("topics", "partitions", "users", "acls", "quotas")


class _Kept:
    """A part of the cluster, which is written to a file after each request."""

    def __init__(self, file: Path, cluster: MemoryCluster, part: Any) -> None:
        self._file = file
        self._cluster = cluster
        self._part = part

    def __getattr__(self, request: str) -> Callable[..., Any]:
        def ask(*arguments: Any, **options: Any) -> Any:
            with _LOCK:
                answer = getattr(self._part, request)(*arguments, **options)
                self._file.write_bytes(pickle.dumps(self._cluster))
            return answer

        return ask


def _file(directory: Path) -> Path:
    return directory / "cluster"


@cache
def kept_cluster(directory: Path) -> SimpleNamespace:
    """The cluster of a rehearsal, as the plugin asks it."""
    cluster = read_cluster(directory)
    parts = {part: _Kept(_file(directory), cluster, getattr(cluster, part)) for part in _PARTS}
    return SimpleNamespace(**parts)


def read_cluster(directory: Path) -> MemoryCluster:
    """The cluster of a rehearsal as it is; an empty one where nothing was asked of it yet."""
    file = _file(directory)
    if not file.exists():
        return MemoryCluster()
    found = pickle.loads(file.read_bytes())  # noqa: S301  written above
    assert isinstance(found, MemoryCluster)
    return found
