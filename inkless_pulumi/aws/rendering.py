"""What a node is told: its files as user data, rendered once everything in them is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.credentials import NodeCredentials
from inkless_pulumi.aws.declaration import ServicePlan
from inkless_pulumi.aws.errors import declared
from inkless_pulumi.connection import ConnectionArgs
from inkless_pulumi.core.host_files import HostFile, NodeDelivery, node_files
from inkless_pulumi.core.plan import NodePlan
from inkless_pulumi.core.properties import ClusterFacts, server_properties
from inkless_pulumi.core.user_data import cloud_config, encode_user_data
from inkless_pulumi.node_ready import NodeLogArgs

_VERSIONS_FILE: Final = "/etc/inkless/credentials.versions"
"""The fingerprint of the node's certificate and the version of the database password. Nothing reads
it: new ones have to change the user data, or the machine would go on with the old ones."""


@dataclass(frozen=True)
class Identity:
    """What of a node outlives its machine."""

    node: NodePlan
    interface: aws.ec2.NetworkInterface
    volume: aws.ebs.Volume


@dataclass(frozen=True)
class Runtime:
    """What all nodes of a service run with."""

    cluster_id: pulumi.Output[str]
    directory_ids: pulumi.Output[dict[str, str]]
    bucket: pulumi.Output[str]
    database: Mapping[str, pulumi.Input[Any]]
    """The `database_*` facts by name, and id and version of the password's secret."""
    image: pulumi.Output[str]
    log_group: pulumi.Output[str]
    machine_image: pulumi.Input[str]
    connection: ConnectionArgs
    key_arn: pulumi.Output[str]
    needed_at_boot: tuple[pulumi.Resource, ...]
    on_shortage: str
    node_timeout_seconds: int
    region: str
    profile: str | None

    def log_of(self, node: NodePlan) -> NodeLogArgs:
        """Where a node's log is, for who waits for it; the node script names the streams."""
        log: NodeLogArgs = {
            "region": self.region,
            "group": self.log_group,
            "stream": node.name,
        }
        if self.profile is not None:
            log["profile"] = self.profile
        return log


def render_node(
    service: ServicePlan,
    identities: Mapping[int, Identity],
    node_id: int,
    credentials: NodeCredentials,
    ca_certificate: pulumi.Output[str],
    runtime: Runtime,
) -> pulumi.Output[dict[str, Any]]:
    """The node's user data and its `server.properties`, once everything in them is known."""
    # A node is told of the controllers and of itself, not of the other brokers: adding one to the
    # service must not replace the others.
    told_of = [node.node_id for node in service.cluster.controllers]
    told_of += [] if node_id in told_of else [node_id]
    node = service.cluster.node(node_id)

    def render(known: Mapping[str, Any]) -> dict[str, Any]:
        facts = _facts(service, known, dict(zip(told_of, known["addresses"], strict=True)))
        delivery = _delivery(service, node, known)
        with declared(service.subject):
            files = (
                *node_files(service.cluster, node, facts, delivery),
                HostFile(_VERSIONS_FILE, _versions(known)),
            )
            return {
                "user_data": encode_user_data(cloud_config(files)),
                "configuration": server_properties(service.cluster, node, facts),
            }

    return pulumi.Output.all(
        addresses=pulumi.Output.all(*(identities[other].interface.private_ip for other in told_of)),
        cluster_id=runtime.cluster_id,
        directory_ids=runtime.directory_ids,
        bucket=runtime.bucket,
        image=runtime.image,
        log_group=runtime.log_group,
        node_secret_id=credentials.secret_id,
        certificate=credentials.certificate.fingerprint,
        ca_certificate=ca_certificate,
        volume_id=identities[node_id].volume.id,
        **runtime.database,
    ).apply(render)


def _versions(known: Mapping[str, Any]) -> str:
    return f"certificate={known['certificate']}\ndatabase={known['database_secret_version']}\n"


def _facts(
    service: ServicePlan, known: Mapping[str, Any], addresses: Mapping[int, str]
) -> ClusterFacts:
    return ClusterFacts(
        cluster_id=known["cluster_id"],
        directory_ids={int(node): known["directory_ids"][node] for node in known["directory_ids"]},
        addresses=addresses,
        bucket=known["bucket"],
        region=service.storage_region,
        storage_endpoint=service.storage_endpoint,
        database_host=known["database_host"],
        database_port=int(known["database_port"]),
        database_name=known["database_name"],
        database_user=known["database_user"],
        database_trust=known["database_trust"],
    )


def _delivery(service: ServicePlan, node: NodePlan, known: Mapping[str, Any]) -> NodeDelivery:
    marker = f"{service.key_prefix}/.nodes/{known['cluster_id']}/{node.node_id}"
    return NodeDelivery(
        cloud="aws",
        region=service.region,
        image=known["image"],
        node_secret_id=known["node_secret_id"],
        database_secret_id=known["database_secret_id"],
        volume_id=known["volume_id"],
        log_group=known["log_group"],
        marker_url=f"s3://{known['bucket']}/{marker}",
        ca_certificate=known["ca_certificate"],
    )
