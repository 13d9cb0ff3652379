"""The `server.properties` of a node: the managed settings of its role, then the user's overrides.

Nothing in it is secret: the database password is a reference into a file that exists only in the
node's memory, and everything else is an address, a name or a figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from inkless_pulumi.core.errors import raise_problems
from inkless_pulumi.core.plan import ClusterPlan, NodePlan
from inkless_pulumi.core.storage_names import endpoint_problems


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
    """The path, inside the container, of the CA bundle that the database's certificate chains to."""
    storage_endpoint: str | None = None
    """The URL of an S3-compatible store; None for the cloud's own service."""

    def __post_init__(self) -> None:
        if self.storage_endpoint is not None:
            raise_problems(endpoint_problems(self.storage_endpoint, "storage_endpoint"))


def server_properties(plan: ClusterPlan, node: NodePlan, facts: ClusterFacts) -> dict[str, str]:
    """Every line of a node's `server.properties`, by key, in the order it is written."""
    raise NotImplementedError


def render_properties(properties: Mapping[str, str]) -> str:
    """The mapping as text that Java's `Properties.load` reads back to the same mapping."""
    raise NotImplementedError
