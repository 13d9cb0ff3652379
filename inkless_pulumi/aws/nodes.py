"""The nodes: what stays (address, volume), the disposable machine, and the readiness gate.

A node's interface and volume are its identity and outlive its machine. A change of what it runs
changes its user data, which replaces the machine and nothing else; `rolling` sees to it that this
happens to one node after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.credentials import Credentials
from inkless_pulumi.aws.declaration import ServicePlan
from inkless_pulumi.aws.instance_role import InstanceRole
from inkless_pulumi.aws.network import Network
from inkless_pulumi.aws.rendering import Identity, Runtime, render_node
from inkless_pulumi.aws.rolling import Roll, begin_roll, guard
from inkless_pulumi.aws.scope import Needed, Scope
from inkless_pulumi.broker_registration import BrokerRegistration
from inkless_pulumi.core.image import Architecture
from inkless_pulumi.core.network import host_address
from inkless_pulumi.core.plan import NodePlan
from inkless_pulumi.machine_image import MachineImage, MachineImageArgs
from inkless_pulumi.node_ready import NodeReady

_DATA_DEVICE: Final = "/dev/sdf"
"""What the API wants to be told; the machine finds its volume by id."""
_SYSTEM_VOLUME_GIB: Final = 20
_AMI_ARCHITECTURE: Final[dict[Architecture, str]] = {"amd64": "x86_64", "arm64": "arm64"}


def machine_image(
    scope: Scope,
    service: ServicePlan,
    given: pulumi.Input[str] | None,
    renewal: pulumi.Input[str],
    profile: str | None,
) -> pulumi.Output[str]:
    """The AMI: the given one, or the newest Amazon Linux 2023 of the day it is first asked for."""
    if given is not None:
        return pulumi.Output.from_input(given)
    architecture = _AMI_ARCHITECTURE[service.cluster.declaration.architecture]
    parameter = f"ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"
    wanted: MachineImageArgs = {
        "parameter": f"/aws/service/{parameter}",
        "region": service.region,
        "renewal": renewal,
    }
    if profile is not None:
        wanted["profile"] = profile
    return MachineImage(scope.named("machine-image"), wanted, opts=scope.options()).image_id


def identities(
    scope: Scope,
    service: ServicePlan,
    network: Network,
    group_id: pulumi.Output[str],
    key_arn: pulumi.Output[str],
) -> dict[int, Identity]:
    """Make the interface and the data volume of each node."""
    return {
        node.node_id: Identity(
            node, _interface(scope, node, network, group_id), _volume(scope, node, key_arn)
        )
        for node in service.cluster.nodes
    }


def _interface(
    scope: Scope, node: NodePlan, network: Network, group_id: pulumi.Output[str]
) -> aws.ec2.NetworkInterface:
    """The node's address: a fixed one in our subnets, a free one that AWS picks in others."""
    subnet, part = network.subnets[node.zone], f"{node.name}-interface"
    return aws.ec2.NetworkInterface(
        scope.named(part),
        subnet_id=subnet.id,
        private_ips=[host_address(subnet.cidr, node.address_slot)] if subnet.cidr else None,
        security_groups=[group_id],
        description=f"{node.name} of the Inkless service {scope.name}",
        tags=scope.tagged(part),
        # Its address is taken as long as it exists.
        opts=scope.options(delete_before_replace=True),
    )


def _volume(scope: Scope, node: NodePlan, key_arn: pulumi.Output[str]) -> aws.ebs.Volume:
    return aws.ebs.Volume(
        scope.named(f"{node.name}-data"),
        availability_zone=node.zone,
        size=node.volume_gib,
        type="gp3",
        encrypted=True,
        kms_key_id=key_arn,
        final_snapshot=scope.deletion_protection,
        tags=scope.tagged(f"{node.name}-data"),
        opts=scope.keeping_data(),
    )


def run_nodes(
    scope: Scope,
    service: ServicePlan,
    identities: Mapping[int, Identity],
    credentials: Credentials,
    roles: Mapping[int, InstanceRole],
    runtime: Runtime,
) -> Roll:
    """Start the nodes in rolling order, each behind the gate of the one before it."""
    rendered = {
        node_id: render_node(
            service,
            identities,
            node_id,
            credentials.nodes[node_id],
            credentials.authority.certificate,
            runtime,
        )
        for node_id in identities
    }
    roll = begin_roll(scope, service, rendered, runtime)
    for node_id, identity in identities.items():
        certificate = credentials.nodes[node_id].certificate
        before = roll.before(node_id)
        role = roles[node_id]
        needed: list[Needed] = [*runtime.needed_at_boot, *role.needed_at_boot, certificate]
        needed.append(before)
        if not identity.node.is_controller:
            needed.append(_registration(scope, identity.node, runtime))
        machine = _machine(scope, service, identity, role, runtime, rendered[node_id], needed)
        roll.gates[node_id] = _gate(scope, identity, machine, rendered[node_id], runtime, before)
        roll.guards.append(guard(scope, identity.node, machine.id, runtime, roll))
    return roll


def _registration(scope: Scope, node: NodePlan, runtime: Runtime) -> BrokerRegistration:
    """What is given up after the machine of a broker that leaves; a controller never does."""
    return BrokerRegistration(
        scope.named(f"{node.name}-registration"),
        {
            "service": runtime.cluster_id,
            "node_id": node.node_id,
            "connection": runtime.connection,
        },
        opts=scope.options(),
    )


def _gate(
    scope: Scope,
    identity: Identity,
    machine: aws.ec2.Instance,
    rendered: pulumi.Output[dict[str, Any]],
    runtime: Runtime,
    before: pulumi.Output[NodeReady | None],
) -> NodeReady:
    attachment = aws.ec2.VolumeAttachment(
        scope.named(f"{identity.node.name}-attachment"),
        device_name=_DATA_DEVICE,
        instance_id=machine.id,
        volume_id=identity.volume.id,
        # A mounted volume is not let go of. The stop also shuts Kafka down in good order.
        stop_instance_before_detaching=True,
        opts=scope.options(delete_before_replace=True),
    )
    return NodeReady(
        scope.named(f"{identity.node.name}-ready"),
        {
            "service": runtime.cluster_id,
            "node_id": identity.node.node_id,
            "name": identity.node.name,
            "roles": list(identity.node.roles),
            "address": identity.interface.private_ip,
            "instance_id": machine.id,
            "configuration": rendered.apply(lambda known: known["configuration"]),
            "image": runtime.image,
            "connection": runtime.connection,
            "log": runtime.log_of(identity.node),
            "wait_at_creation": identity.node.gate_waits_at_creation,
            "timeout_seconds": runtime.node_timeout_seconds,
        },
        opts=scope.options(depends_on=[attachment, before]),
    )


def _machine(
    scope: Scope,
    service: ServicePlan,
    identity: Identity,
    role: InstanceRole,
    runtime: Runtime,
    rendered: pulumi.Output[dict[str, Any]],
    needed: Sequence[Needed],
) -> aws.ec2.Instance:
    return aws.ec2.Instance(
        scope.named(identity.node.name),
        ami=runtime.machine_image,
        instance_type=service.instance_type(identity.node),
        iam_instance_profile=role.profile_name,
        primary_network_interface={"network_interface_id": identity.interface.id},
        # One hop: the container shares the machine's network, nothing behind it gets a token.
        metadata_options={
            "http_endpoint": "enabled",
            "http_tokens": "required",
            "http_put_response_hop_limit": 1,
        },
        root_block_device={
            "volume_type": "gp3",
            "volume_size": _SYSTEM_VOLUME_GIB,
            "encrypted": True,
            "kms_key_id": runtime.key_arn,
            "tags": scope.tagged(f"{identity.node.name}-system"),
        },
        user_data_base64=rendered.apply(lambda known: str(known["user_data"])),
        user_data_replace_on_change=True,
        tags=scope.tagged(identity.node.name),
        # Interface and volume are free again only when the old machine is gone.
        opts=scope.options(
            depends_on=needed,
            delete_before_replace=True,
            # AWS would change it in place, by stopping the machine: the gate would not notice.
            replace_on_changes=["instanceType"],
        ),
    )
