"""What the rows of the managed settings refer to: values that depend on the service or the node.

Each function here is one value of one or a few rows of `managed_settings`, from a `NodeContext`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from inkless_pulumi.core import ports
from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan, NodePlan
from inkless_pulumi.core.image import kafka_version
from inkless_pulumi.core.node_paths import DATABASE_PASSWORD_KEY, SECRETS_PROPERTIES
from inkless_pulumi.core.service_model import ServiceDeclaration

ANY_ROLE: Final = frozenset({"broker", "controller"})
BROKERS: Final = frozenset({"broker"})
CONTROLLERS: Final = frozenset({"controller"})

NODE_PRINCIPAL: Final = "User:inkless-node"
"""Who every node is to every other; one for all, so that a new node changes no other node."""
ADMIN_PRINCIPAL: Final = "User:inkless-admin"
"""Who the provider is to the cluster."""


@dataclass(frozen=True)
class NodeContext:
    """What a row may look at."""

    plan: ClusterPlan
    node: NodePlan
    facts: ClusterFacts

    @property
    def service(self) -> ServiceDeclaration:
        """The declaration that the plan was made from."""
        return self.plan.declaration


Condition = Callable[[ServiceDeclaration], bool]


def always(_: ServiceDeclaration) -> bool:
    """The row belongs to every service."""
    return True


def is_diskless(service: ServiceDeclaration) -> bool:
    """The row belongs to services of type `inkless`."""
    return service.is_diskless


def is_diskless_on(kind: str) -> Condition:
    """The row belongs to services of type `inkless` whose bucket is of that kind."""
    return lambda service: service.is_diskless and service.storage.kind == kind


def can_switch(service: ServiceDeclaration) -> bool:
    """The row belongs to services whose classic topics may become diskless."""
    return service.switch_to_diskless


def is_tiered(service: ServiceDeclaration) -> bool:
    """The row belongs to services with tiered storage."""
    return service.tiered_storage


def is_tiered_on(kind: str) -> Condition:
    """The row belongs to services with tiered storage whose bucket is of that kind."""
    return lambda service: service.tiered_storage and service.storage.kind == kind


def can_auto_join(service: ServiceDeclaration) -> bool:
    """Controllers add themselves to the quorum since Kafka 4.2."""
    return kafka_version(service.version) >= (4, 2)


def roles(context: NodeContext) -> str:
    """`broker,controller`, or the one of them."""
    return ",".join(context.node.roles)


def node_id(context: NodeContext) -> str:
    """The node's number."""
    return str(context.node.node_id)


def zone(context: NodeContext) -> str:
    """The node's zone."""
    return context.node.zone


def quorum(context: NodeContext) -> str:
    """The controllers' addresses, by node id."""
    addresses = context.facts.addresses
    return ",".join(
        f"{addresses[node.node_id]}:{ports.CONTROLLER}" for node in context.plan.controllers
    )


def _broker_listeners(context: NodeContext) -> list[str]:
    address = context.facts.addresses[context.node.node_id]
    return [
        f"CLIENT://{address}:{ports.CLIENT}",
        f"MTLS://{address}:{ports.MTLS}",
        f"BROKER://{address}:{ports.BROKER}",
    ]


def listeners(context: NodeContext) -> str:
    """What the node listens on: its role's listeners, on its own address only."""
    own = _broker_listeners(context) if context.node.is_broker else []
    if context.node.is_controller:
        address = context.facts.addresses[context.node.node_id]
        own.append(f"CONTROLLER://{address}:{ports.CONTROLLER}")
    return ",".join(own)


def advertised_listeners(context: NodeContext) -> str:
    """What a broker tells clients and brokers to connect to."""
    return ",".join(_broker_listeners(context))


def replication_factor(context: NodeContext) -> str:
    """One replica a zone."""
    return str(context.plan.replication_factor)


def min_insync_replicas(context: NodeContext) -> str:
    """How many replicas have a record before it is acknowledged."""
    return str(context.plan.min_insync_replicas)


def jdbc_url(context: NodeContext) -> str:
    """Where Postgres is; the certificate and the name in it are verified. Never a password."""
    facts = context.facts
    options = urlencode(
        {
            "sslmode": "verify-full",
            "sslrootcert": facts.database_trust,
            "ApplicationName": f"inkless-{context.node.name}",
        },
        safe="/",
    )
    address = f"{facts.database_host}:{facts.database_port}"
    return f"jdbc:postgresql://{address}/{facts.database_name}?{options}"


def database_user(context: NodeContext) -> str:
    """The database user that owns the schema."""
    return context.facts.database_user


def database_password(_: NodeContext) -> str:
    """A reference; Kafka reads the file in the node's memory."""
    return f"${{file:{SECRETS_PROPERTIES}:{DATABASE_PASSWORD_KEY}}}"


def database_connections(context: NodeContext) -> str:
    """Connections one node keeps open."""
    return str(context.service.database_max_connections_per_node)


def bucket(context: NodeContext) -> str:
    """The bucket's name."""
    return context.facts.bucket


def region(context: NodeContext) -> str:
    """The bucket's region."""
    return context.facts.region


def endpoint(context: NodeContext) -> str | None:
    """The URL of an S3-compatible store; none for the cloud's own."""
    return context.facts.storage_endpoint or context.service.storage.endpoint


def path_style(context: NodeContext) -> str | None:
    """An S3-compatible store seldom has a host name for each bucket."""
    return None if endpoint(context) is None else "true"


def prefix(context: NodeContext) -> str:
    """The beginning of the keys of diskless objects."""
    return context.service.storage.prefix


def tiered_prefix(context: NodeContext) -> str:
    """The beginning of the keys of tiered segments: below the service's prefix, so that the nodes'
    rights cover it, and apart from diskless objects, which are flat names.
    """
    return f"{context.service.storage.prefix}/tiered-storage/"


def tiered_class_path(context: NodeContext) -> str:
    """Where the image has the plugin."""
    plugin = "/opt/tiered-storage-plugin"
    return f"{plugin}/core/*:{plugin}/{context.service.storage.kind}/*"


def consume_cache_bytes(context: NodeContext) -> str:
    """An eighth of the heap."""
    return str(context.service.heap_of(context.node.memory_mib) * 1024 * 1024 // 8)
