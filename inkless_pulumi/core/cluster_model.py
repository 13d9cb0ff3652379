"""The shape of a cluster: its nodes as planned, and the facts of them that only a cloud knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from inkless_pulumi.core.errors import raise_problems
from inkless_pulumi.core.service_model import ServiceDeclaration
from inkless_pulumi.core.storage_names import endpoint_problems

Role = Literal["broker", "controller"]


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


@dataclass(frozen=True)
class ClusterFacts:
    """What only the cloud knows, as plain values, when the files of a node are rendered."""

    cluster_id: str
    """Kafka's cluster id: 16 bytes in unpadded URL-safe base64."""
    directory_ids: Mapping[int, str]
    """The directory id of each initial controller, by node id."""
    addresses: Mapping[int, str]
    """The address of each controller at least, and of the node being rendered, by node id."""
    bucket: str
    region: str
    """The bucket's region."""
    database_host: str
    database_port: int
    database_name: str
    database_user: str
    database_trust: str
    """The path, inside the container, of the CAs that the database's certificate chains to."""
    storage_endpoint: str | None = None
    """The URL of an S3-compatible store; None for the cloud's own service."""

    def __post_init__(self) -> None:
        if self.storage_endpoint is not None:
            raise_problems(endpoint_problems(self.storage_endpoint, "storage_endpoint"))
