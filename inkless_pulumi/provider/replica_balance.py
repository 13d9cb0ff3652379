"""An even share of the replicas for every broker, given when the brokers become more."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.provider.cluster_view import ClusterView
from inkless_pulumi.provider.declared_services import DECLARED, DeclaredServices
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
)
from inkless_pulumi.provider.kafka.model import Partition
from inkless_pulumi.provider.moving import MOST_AT_ONCE, end_moves, move_replicas
from inkless_pulumi.provider.reassignment import NodeIds, plan_rebalance
from inkless_pulumi.provider.recorded import Recorded
from inkless_pulumi.provider.resource import Context, Created, WireModel

__all__ = ["ReplicaBalance", "ReplicaBalanceInputs", "ReplicaBalanceOutputs"]


class ReplicaBalanceInputs(WireModel):
    """The brokers, and how fast."""

    service: str
    """The service's cluster id."""
    brokers: list[int]
    """The node ids of the brokers. When they change, replicas are moved."""
    partitions_at_once: int = 10
    """The most partitions that are moved at the same time. Default: 10."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class ReplicaBalanceOutputs(WireModel):
    """Nothing: replicas move on as topics come and go."""


class ReplicaBalance(Recorded[ReplicaBalanceInputs, ReplicaBalanceOutputs]):
    """A balance; see the module."""

    token = "inkless:index:ReplicaBalance"
    inputs = ReplicaBalanceInputs
    outputs = ReplicaBalanceOutputs
    description: ClassVar[str] = (
        "Moves replicas until every broker has an even share of them: when it is made, and when "
        "the brokers change. A partition stays in as many zones as it was in. An interrupted move "
        "goes on with the next update. Deleting it moves nothing, and waits for what was begun.\n\n"
        "It can't be imported; declare it."
    )

    def __init__(
        self, open_cluster: OpenCluster = CONNECTIONS.cluster, declared: DeclaredServices = DECLARED
    ) -> None:
        self._open_cluster = open_cluster
        self._declared = declared

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse to move nothing at once, or more than can be throttled."""
        yield from super().check(known, olds)
        at_once = known.get("partitions_at_once")
        if isinstance(at_once, int) and at_once < 1:
            rule = "would move nothing"
            yield Problem("partitions_at_once", at_once, rule, "use 1 or more")
        if isinstance(at_once, int) and at_once > MOST_AT_ONCE:
            rule = "is more than the throttle of one topic has room for"
            yield Problem("partitions_at_once", at_once, rule, f"use {MOST_AT_ONCE} at most")

    def create(
        self, inputs: ReplicaBalanceInputs, context: Context
    ) -> Created[ReplicaBalanceOutputs]:
        """Move replicas until they are balanced."""
        self._balance(inputs, context)
        return Created(inputs.service, ReplicaBalanceOutputs())

    def update(
        self,
        id: str,
        old_inputs: ReplicaBalanceInputs,
        old_outputs: ReplicaBalanceOutputs,
        inputs: ReplicaBalanceInputs,
        context: Context,
    ) -> ReplicaBalanceOutputs:
        """Move replicas again when the brokers are others."""
        if inputs.brokers != old_inputs.brokers:
            self._balance(inputs, context)
        return ReplicaBalanceOutputs()

    def delete(
        self,
        id: str,
        inputs: ReplicaBalanceInputs,
        outputs: ReplicaBalanceOutputs,
        context: Context,
    ) -> None:
        """Let what an interrupted run began come to its end, unless the service goes as a whole."""
        if declared := self._declared.of(inputs.service):
            cluster = self._open_cluster(inputs.connection, context)
            end_moves(cluster, throttle=declared.throttle, context=context)

    def _balance(self, inputs: ReplicaBalanceInputs, context: Context) -> None:
        def plan(seen: ClusterView) -> Mapping[Partition, NodeIds]:
            staying = [broker for broker in seen.brokers if broker.node_id in inputs.brokers]
            return plan_rebalance(seen.partitions, staying)

        move_replicas(
            self._open_cluster(inputs.connection, context),
            plan,
            "replicas are balanced",
            throttle=inputs.connection.reassignment_throttle,
            context=context,
            at_once=inputs.partitions_at_once,
        )
