"""The files a node is given, and the commands that start it: what user data carries.

All of it is public inside the account: no file holds a secret, only the ids of secrets.
"""

from dataclasses import dataclass
from typing import Literal

from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan, NodePlan

Cloud = Literal["aws", "gcp"]


@dataclass(frozen=True)
class NodeDelivery:
    """How a node gets what it runs: all of these are ids and addresses, none is a secret."""

    cloud: Cloud
    region: str
    image: str
    """The service's own image, `repository@sha256:…`."""
    node_secret_id: str
    """The secret that holds the node's key and certificate, PEM."""
    database_secret_id: str
    """The secret that holds the database password; empty for a classic service."""
    volume_id: str
    log_group: str
    marker_url: str
    """The object that records that this node was once formatted, `s3://bucket/prefix/.nodes/…`."""
    ca_certificate: str = ""
    """The CA's certificate, PEM."""


@dataclass(frozen=True)
class HostFile:
    """One file on a node."""

    path: str
    content: str
    mode: int = 0o644


def node_files(
    plan: ClusterPlan, node: NodePlan, facts: ClusterFacts, delivery: NodeDelivery
) -> tuple[HostFile, ...]:
    """Every file of a node, in a fixed order."""
    raise NotImplementedError
