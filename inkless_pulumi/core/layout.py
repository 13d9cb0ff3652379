"""The layout of a cluster: which nodes a service has, in the order in which they are created.

Stable: the same declaration gives the same nodes, and adding brokers changes nothing of the nodes
that were there. A node id never moves to another zone, role, volume or address.

Combined: nodes 1, 2, 3, one a zone, each broker and controller. Dedicated: controllers 1, 2, 3, one
a zone; the k-th broker (from 0) of zone z (from 0) is node 11 + 3k + z.
"""

from typing import Final

from inkless_pulumi.core.cluster_model import ClusterPlan, NodePlan
from inkless_pulumi.core.service_model import ServiceDeclaration

ZONES: Final = 3
"""Three zones: losing one leaves a majority of the quorum and two in-sync replicas."""
FIRST_BROKER_ID: Final = 11
"""Ids below are kept for controllers, so that both can grow without meeting."""
REPLICATION_FACTOR: Final = 3
"""One replica a zone."""
MIN_INSYNC_REPLICAS: Final = 2
"""Writes go on while one zone is down or one node restarts, and are then on two nodes."""
_FIRST_CONTROLLER_SLOT: Final = 10
_FIRST_BROKER_SLOT: Final = 20


def lay_out(declaration: ServiceDeclaration) -> ClusterPlan:
    """The plan of a declaration whose zones and plan are known to be sound."""
    if declaration.effective_topology == "combined":
        nodes = _combined_nodes(declaration)
    else:
        nodes = _dedicated_controllers(declaration) + _dedicated_brokers(declaration)
    return ClusterPlan(
        declaration=declaration,
        nodes=nodes,
        replication_factor=REPLICATION_FACTOR,
        min_insync_replicas=MIN_INSYNC_REPLICAS,
        database_connections=_connections(declaration, len(nodes)),
    )


def _connections(declaration: ServiceDeclaration, nodes: int) -> int:
    return nodes * declaration.database_max_connections_per_node if declaration.is_diskless else 0


def _combined_nodes(declaration: ServiceDeclaration) -> tuple[NodePlan, ...]:
    return tuple(
        NodePlan(
            node_id=index + 1,
            name=f"node-{index + 1}",
            roles=("broker", "controller"),
            zone=zone,
            zone_index=index,
            address_slot=_FIRST_CONTROLLER_SLOT,
            volume_gib=declaration.volume_gib or declaration.sizes.broker_volume_gib,
            memory_mib=declaration.sizes.broker_memory_mib,
            gate_waits_at_creation=index == ZONES - 1,
        )
        for index, zone in enumerate(declaration.zones)
    )


def _dedicated_controllers(declaration: ServiceDeclaration) -> tuple[NodePlan, ...]:
    return tuple(
        NodePlan(
            node_id=index + 1,
            name=f"node-{index + 1}",
            roles=("controller",),
            zone=zone,
            zone_index=index,
            address_slot=_FIRST_CONTROLLER_SLOT,
            volume_gib=declaration.sizes.controller_volume_gib,
            memory_mib=declaration.sizes.controller_memory_mib,
            gate_waits_at_creation=False,
        )
        for index, zone in enumerate(declaration.zones)
    )


def _dedicated_brokers(declaration: ServiceDeclaration) -> tuple[NodePlan, ...]:
    return tuple(_broker(declaration, number) for number in range(declaration.broker_count))


def _broker(declaration: ServiceDeclaration, number: int) -> NodePlan:
    place, index = divmod(number, ZONES)
    node_id = FIRST_BROKER_ID + number
    return NodePlan(
        node_id=node_id,
        name=f"node-{node_id}",
        roles=("broker",),
        zone=declaration.zones[index],
        zone_index=index,
        address_slot=_FIRST_BROKER_SLOT + place,
        volume_gib=declaration.volume_gib or declaration.sizes.broker_volume_gib,
        memory_mib=declaration.sizes.broker_memory_mib,
        gate_waits_at_creation=True,
    )
