"""The cluster plan: which nodes a service has, and in which order they are changed.

Pure and stable: the same declaration gives the same plan, and adding brokers changes nothing of the
nodes that were there. A node id never moves to another zone, role, volume or address.

Combined: nodes 1, 2, 3, one a zone, each broker and controller. Dedicated: controllers 1, 2, 3, one
a zone; the k-th broker (from 0) of zone z (from 0) is node 11 + 3k + z.
"""

from dataclasses import dataclass
from typing import Final, Literal

from inkless_pulumi.core.service_model import ServiceDeclaration
from inkless_pulumi.core.service_rules import ZONES, check_service

Role = Literal["broker", "controller"]

FIRST_BROKER_ID: Final = 11
"""Ids below are kept for controllers, so that both can grow without meeting."""
REPLICATION_FACTOR: Final = 3
"""One replica a zone."""
MIN_INSYNC_REPLICAS: Final = 2
"""Writes go on while one zone is down or one node restarts, and are then on two nodes."""
_FIRST_CONTROLLER_SLOT: Final = 10
_FIRST_BROKER_SLOT: Final = 20


@dataclass(frozen=True)
class NodePlan:
    """One node: an identity that outlives its machine."""

    node_id: int
    name: str
    """`node-<id>`; the common name of its certificate too."""
    roles: tuple[Role, ...]
    zone: str
    zone_index: int
    """The place of its zone among the service's zones, from 0."""
    address_slot: int
    """The host number of its address in its zone's subnet."""
    volume_gib: int
    memory_mib: int
    """The memory that its machine must have at least."""
    gate_waits_at_creation: bool
    """Whether creating the node waits until it serves. A quorum needs two of three controllers, so
    the first ones are started without waiting, and whoever comes last waits for all."""

    @property
    def is_broker(self) -> bool:
        """Whether the node stores and serves topics."""
        return "broker" in self.roles

    @property
    def is_controller(self) -> bool:
        """Whether the node votes in the quorum."""
        return "controller" in self.roles


@dataclass(frozen=True)
class ClusterPlan:
    """All nodes of a service, by node id, and the figures that follow from their number."""

    declaration: ServiceDeclaration
    nodes: tuple[NodePlan, ...]
    replication_factor: int
    min_insync_replicas: int
    database_connections: int
    """Connections that all nodes together keep open to Postgres; 0 for a classic service."""
    rolling_order: tuple[int, ...]
    """The node ids in the order of a rolling change: controllers before brokers. Which controller
    is active is known at run time only; the readiness gate sees to it that it comes last."""

    @property
    def controllers(self) -> tuple[NodePlan, ...]:
        """The nodes that vote in the quorum."""
        return tuple(node for node in self.nodes if node.is_controller)

    @property
    def brokers(self) -> tuple[NodePlan, ...]:
        """The nodes that store and serve topics."""
        return tuple(node for node in self.nodes if node.is_broker)

    def node(self, node_id: int) -> NodePlan:
        """The node of that id. Raises KeyError when there is none."""
        for node in self.nodes:
            if node.node_id == node_id:
                return node
        raise KeyError(node_id)


def plan_cluster(declaration: ServiceDeclaration) -> ClusterPlan:
    """The plan of a declaration. Raises DeclarationError when the declaration breaks a rule."""
    check_service(declaration)
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
        rolling_order=tuple(node.node_id for node in nodes),
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
    brokers = []
    for place in range(declaration.brokers_per_zone):
        for index, zone in enumerate(declaration.zones):
            node_id = FIRST_BROKER_ID + ZONES * place + index
            brokers.append(
                NodePlan(
                    node_id=node_id,
                    name=f"node-{node_id}",
                    roles=("broker",),
                    zone=zone,
                    zone_index=index,
                    address_slot=_FIRST_BROKER_SLOT + place,
                    volume_gib=declaration.volume_gib or declaration.sizes.broker_volume_gib,
                    memory_mib=declaration.sizes.broker_memory_mib,
                    gate_waits_at_creation=True,
                )
            )
    return tuple(brokers)
