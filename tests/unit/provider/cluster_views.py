"""Clusters as they may be seen: a healthy one by example, and any by hypothesis."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from inkless_pulumi.provider.cluster_view import ClusterView
from inkless_pulumi.provider.kafka.model import (
    BrokerState,
    PartitionState,
    QuorumState,
    ReplicaState,
)
from inkless_pulumi.provider.readiness import LONGEST_LAG_MS, Node

NOW = 1_000_000
BOTH = frozenset({"broker", "controller"})
NODES = (1, 2, 3, 4)


def node(node_id: int, *roles: str) -> Node:
    return Node(node_id, f"node-{node_id}", frozenset(roles) or BOTH, "")


def voter(node_id: int, *, caught_up: int = NOW) -> ReplicaState:
    return ReplicaState(node_id, f"directory-{node_id}", 500, NOW, caught_up)


def quorum(*voters: ReplicaState, leader: int = 1) -> QuorumState:
    found = voters or tuple(voter(node_id) for node_id in (1, 2, 3))
    return QuorumState(leader, 500, found, ())


def partition(number: int = 0, topic: str = "orders", **changes: Any) -> PartitionState:
    healthy = PartitionState(topic, number, 1, (1, 2, 3), (1, 2, 3), ())
    return replace(healthy, **changes)


def brokers(*node_ids: int, fenced: int = 0) -> tuple[BrokerState, ...]:
    return tuple(BrokerState(n, f"10.0.{n}.10:9094", n == fenced) for n in node_ids)


HEALTHY = ClusterView(
    brokers=brokers(1, 2, 3),
    quorum=quorum(),
    partitions=(partition(0), partition(1)),
    min_in_sync={"orders": 2},
)
"""Three nodes of both roles and one topic."""


@st.composite
def partitions(draw: st.DrawFn) -> PartitionState:
    """Any partition of a few topics."""
    replicas = draw(st.lists(st.sampled_from(NODES), min_size=1, max_size=4, unique=True))
    in_sync = draw(st.lists(st.sampled_from(replicas), unique=True))
    leader = draw(st.sampled_from([*in_sync, None]))
    topic = draw(st.sampled_from(["orders", "events", "logs"]))
    return PartitionState(topic, 0, leader, tuple(replicas), tuple(in_sync), ())


@st.composite
def views(draw: st.DrawFn) -> ClusterView:
    """Any cluster of four nodes, healthy or not."""
    ages = st.sampled_from([0, 0, 0, LONGEST_LAG_MS, LONGEST_LAG_MS + 1])
    voting = draw(st.lists(st.sampled_from(NODES), min_size=1, unique=True))
    voters = [voter(n, caught_up=NOW - draw(ages)) for n in voting]
    registered = draw(st.lists(st.sampled_from(NODES), unique=True))
    found = draw(st.lists(partitions(), max_size=4))
    return ClusterView(
        brokers=tuple(BrokerState(n, f"10.0.{n}.10:9094", draw(st.booleans())) for n in registered),
        quorum=draw(st.sampled_from([quorum(*voters, leader=voting[0]), None])),
        partitions=tuple(found),
        min_in_sync={part.topic: draw(st.integers(0, 3)) for part in found},
    )
