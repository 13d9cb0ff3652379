"""One node at a time, in an order that is decided when a change begins.

A node's machine depends on the gate of the node that comes before it in the rolling order, so that
whatever the engine's parallelism one node at a time is changed, and the next waits until the gate
says that the cluster is healthy again. A node that does not change is not touched.

The engine stops a machine only after the node's guard let it go. Guards come into being once the
service is up for the first time: until then there is nothing that could become unavailable, and a
creation that failed can be corrected.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from inkless_pulumi.aws.declaration import ServicePlan
from inkless_pulumi.aws.rendering import Runtime
from inkless_pulumi.aws.scope import Scope
from inkless_pulumi.core.plan import NodePlan
from inkless_pulumi.node_ready import NodeReady
from inkless_pulumi.node_stop import NodeStop
from inkless_pulumi.rolling_order import RollingOrder

Rendered = pulumi.Output[dict[str, Any]]


@dataclass(frozen=True)
class Roll:
    """The rolling order, and the gates and guards as they come into being."""

    order: RollingOrder
    gates: dict[int, NodeReady] = field(default_factory=dict)
    guards: list[NodeStop] = field(default_factory=list)

    def before(self, node_id: int) -> pulumi.Output[NodeReady | None]:
        """The gate that must be open before the node is touched; the first node has none."""

        def gate(order: list[int]) -> NodeReady | None:
            # Protocol buffers make floats of whole numbers.
            place = [int(other) for other in order].index(node_id)
            return self.gates[int(order[place - 1])] if place else None

        return self.order.order.apply(gate)

    def guarded_after(self, node_id: int) -> pulumi.Output[NodeReady]:
        """The gate that must be open before the node is guarded."""
        last = pulumi.Output.all(self.order.order, self.order.at_creation)
        return last.apply(lambda known: self.gates[int(known[0][-1]) if known[1] else node_id])


def begin_roll(
    scope: Scope, service: ServicePlan, rendered: Mapping[int, Rendered], runtime: Runtime
) -> Roll:
    """Decide the order, from what each node's machine is made of."""
    cluster = service.cluster
    runs = {
        str(node.node_id): pulumi.Output.all(
            rendered[node.node_id], runtime.machine_image, service.instance_type(node)
        ).apply(_digest)
        for node in cluster.nodes
    }
    order = RollingOrder(
        scope.named("rolling-order"),
        {
            "service": runtime.cluster_id,
            "controllers": [node.node_id for node in cluster.controllers],
            "brokers": [node.node_id for node in cluster.brokers],
            "runs": runs,
            "version": cluster.declaration.version,
            "on_shortage": runtime.on_shortage,
            "connection": runtime.connection,
        },
        opts=scope.options(),
    )
    return Roll(order)


def guard(
    scope: Scope, node: NodePlan, machine_id: pulumi.Output[str], runtime: Runtime, roll: Roll
) -> NodeStop:
    """Keep the machine from being stopped at the wrong time."""
    return NodeStop(
        scope.named(f"{node.name}-stop"),
        {
            "service": runtime.cluster_id,
            "node_id": node.node_id,
            "name": node.name,
            "roles": list(node.roles),
            "instance_id": machine_id,
            "connection": runtime.connection,
            "timeout_seconds": runtime.node_timeout_seconds,
        },
        opts=scope.options(depends_on=[roll.guarded_after(node.node_id)]),
    )


def _digest(made_of: list[Any]) -> str:
    rendered, machine_image, instance_type = made_of
    text = f"{rendered['user_data']} {machine_image} {instance_type}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
