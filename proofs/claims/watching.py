"""Looks at a cluster while it is changed: what is down, and what is unavailable."""

import gc
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider.kafka.model import Cluster, PartitionState
from proofs.claims.meanwhile import meanwhile

__all__ = ["Watch", "close_what_was_left_open"]

_LOOK_SECONDS = 0.25


def close_what_was_left_open() -> None:
    """Let go of sockets to brokers that went away: kafka-python forgets those half open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Watch:
    """Looks at the cluster again and again, and notes what is down and what is unavailable."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._minimum = cluster.nodes.min_in_sync(cluster.topics.names())
        self.most_down = 0
        self.unavailable: set[str] = set()
        self.looks = 0

    @contextmanager
    def on(self) -> Iterator["Watch"]:
        """Look until the end of the block."""
        with meanwhile(self._look_on):
            yield self

    def _look_on(self, ended: threading.Event) -> None:
        while not ended.wait(_LOOK_SECONDS):
            try:
                brokers, partitions = (
                    self._cluster.nodes.brokers(),
                    self._cluster.nodes.partitions(),
                )
            except InklessError:
                continue  # the one that was asked has just gone; the next look asks another
            self.looks += 1
            self.most_down = max(self.most_down, sum(broker.fenced for broker in brokers))
            self.unavailable |= {
                found.topic
                for found in partitions
                if found.topic in self._minimum
                if found.leader is None or len(found.in_sync) < self._needed(found)
            }

    def _needed(self, partition: PartitionState) -> int:
        """A partition with fewer replicas than `min.insync.replicas` needs all that it has."""
        return min(self._minimum[partition.topic], len(partition.replicas))
