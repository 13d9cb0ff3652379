"""The files a node is given: what its user data carries.

All of it is public inside the account: no file holds a secret, only the ids of secrets.
"""

import hashlib
import shlex
from dataclasses import dataclass
from typing import Literal

from inkless_pulumi.core import node_paths as paths
from inkless_pulumi.core import ports
from inkless_pulumi.core.broker_files import node_script
from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan, NodePlan
from inkless_pulumi.core.properties import render_properties, server_properties

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
    ca_certificate: str
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
    properties = render_properties(server_properties(plan, node, facts))
    return (
        HostFile(paths.NODE_ENVIRONMENT, _environment(plan, node, facts, delivery, properties)),
        HostFile(paths.SERVER_PROPERTIES, properties),
        HostFile(paths.CA_CERTIFICATE, delivery.ca_certificate.rstrip("\n") + "\n"),
        HostFile(paths.NODE_SCRIPT, node_script(), mode=0o755),
        HostFile(paths.NODE_SERVICE, _SERVICE),
        HostFile(paths.VOLUME_SERVICE, _VOLUME_SERVICE),
    )


def _environment(
    plan: ClusterPlan,
    node: NodePlan,
    facts: ClusterFacts,
    delivery: NodeDelivery,
    properties: str,
) -> str:
    """What the node script has to know, as assignments of the shell."""
    heap = plan.declaration.heap_mib
    variables = {
        "INKLESS_CLOUD": delivery.cloud,
        "INKLESS_REGION": delivery.region,
        "INKLESS_NODE_ID": str(node.node_id),
        "INKLESS_ROLES": ",".join(node.roles),
        "INKLESS_ADDRESS": facts.addresses[node.node_id],
        "INKLESS_CLUSTER_ID": facts.cluster_id,
        "INKLESS_INITIAL_CONTROLLERS": _initial_controllers(plan, node, facts),
        "INKLESS_IMAGE": delivery.image,
        "INKLESS_NODE_SECRET": delivery.node_secret_id,
        "INKLESS_DATABASE_SECRET": delivery.database_secret_id,
        "INKLESS_VOLUME": delivery.volume_id,
        "INKLESS_LOG_GROUP": delivery.log_group,
        "INKLESS_MARKER": delivery.marker_url,
        "INKLESS_HEAP_MIB": "" if heap is None else str(heap),
        "INKLESS_CONFIGURATION": hashlib.sha256(properties.encode()).hexdigest(),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def _initial_controllers(plan: ClusterPlan, node: NodePlan, facts: ClusterFacts) -> str:
    """The quorum as it is first formatted, `id@address:port:directory`; brokers don't vote."""
    if not node.is_controller:
        return ""
    return ",".join(
        f"{voter.node_id}@{facts.addresses[voter.node_id]}:{ports.CONTROLLER}"
        f":{facts.directory_ids[voter.node_id]}"
        for voter in plan.controllers
    )


# A start waits for secrets that are being written, and a stop for a broker whose controllers are
# gone, which was seen to take 302 s; systemd must not cut either short.
_SERVICE = f"""\
[Unit]
Description=Inkless node
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStartPre={paths.NODE_SCRIPT} secrets
ExecStart={paths.NODE_SCRIPT} run
ExecStop={paths.NODE_SCRIPT} stop
Restart=always
RestartSec=5
TimeoutStartSec=1500
TimeoutStopSec=330
KillMode=mixed
SuccessExitStatus=143

[Install]
WantedBy=multi-user.target
"""

# Looks once a minute: nothing on the machine is told when its volume is made larger, and a file
# system grows while it is in use.
_VOLUME_SERVICE = f"""\
[Unit]
Description=Growth of the data volume of an Inkless node
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={paths.NODE_SCRIPT} grow
Restart=always
RestartSec=60

[Install]
WantedBy=multi-user.target
"""
