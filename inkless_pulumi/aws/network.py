"""The network of a service: one of its own without a way to the internet, or the user's subnets.

In a network of its own the nodes reach AWS only through VPC endpoints: no internet gateway, no NAT,
no public address. Subnets that the user brings must themselves offer a way to the services in
`INTERFACE_SERVICES` and to S3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.errors import refuse
from inkless_pulumi.aws.scope import Scope
from inkless_pulumi.core.network import ExistingSubnet, existing_subnet_problems, subnet_cidrs

INTERFACE_SERVICES: Final = (
    "secretsmanager",  # keys and passwords at boot
    "ecr.api",  # the registry's token
    "ecr.dkr",  # the image's manifests; its layers come from S3
    "logs",
    "ssm",  # Session Manager: registration of the machine
    "ssmmessages",  # Session Manager: the sessions, and the agent's messages
)
"""What nodes call. `sts` and `kms` are not: a role's credentials come from the machine's metadata,
and S3 and Secrets Manager decrypt on their side. `ec2messages` is not: the agent of Amazon Linux
2023 is newer than 3.3.40, which uses `ssmmessages` for everything."""


@dataclass(frozen=True)
class Subnet:
    """The subnet of one zone."""

    id: pulumi.Output[str]
    cidr: str | None
    """Its range where it is ours to give out; None in a subnet that others use as well."""


@dataclass(frozen=True)
class Network:
    """Where the nodes and the database live."""

    vpc_id: pulumi.Output[str]
    cidr: str | None
    """The range of a network of the service's own."""
    subnets: Mapping[str, Subnet]
    """By zone."""
    endpoint_group_id: pulumi.Output[str] | None = None
    """The security group of the interface endpoints; None: AWS is reached some other way."""
    s3_prefix_list_id: pulumi.Output[str] | None = None
    """S3's addresses as the gateway endpoint knows them; None as above."""
    ways_out: tuple[pulumi.Resource, ...] = ()
    """What must stand before a machine can boot."""

    @property
    def subnet_ids(self) -> list[pulumi.Output[str]]:
        """The subnets in the order of the zones."""
        return [subnet.id for subnet in self.subnets.values()]


def own_network(scope: Scope, region: str, cidr: str, zones: Sequence[str]) -> Network:
    """Make a VPC with a private subnet a zone, and endpoints for what nodes call."""
    # A node's address follows from its subnet, so a changed zone or range would replace all nodes
    # at once: such a change is refused by the protection, not carried out.
    kept = scope.keeping_data
    vpc = aws.ec2.Vpc(
        scope.named("vpc"),
        cidr_block=cidr,
        enable_dns_support=True,
        enable_dns_hostnames=True,
        tags=scope.tagged("vpc"),
        opts=kept(),
    )
    subnets = {
        zone: aws.ec2.Subnet(
            scope.named(f"subnet-{place}"),
            vpc_id=vpc.id,
            availability_zone=zone,
            cidr_block=block,
            map_public_ip_on_launch=False,
            tags=scope.tagged(f"subnet-{place}"),
            opts=kept(delete_before_replace=True),
        )
        for place, (zone, block) in enumerate(subnet_cidrs(cidr, zones).items(), start=1)
    }
    ranges = subnet_cidrs(cidr, zones)
    s3_endpoint = _s3_endpoint(scope, region, vpc, list(subnets.values()))
    group, endpoints = _interface_endpoints(scope, region, vpc, list(subnets.values()))
    return Network(
        vpc_id=vpc.id,
        cidr=cidr,
        subnets={zone: Subnet(subnet.id, ranges[zone]) for zone, subnet in subnets.items()},
        endpoint_group_id=group.id,
        s3_prefix_list_id=s3_endpoint.prefix_list_id,
        ways_out=(s3_endpoint, *endpoints),
    )


def _s3_endpoint(
    scope: Scope, region: str, vpc: aws.ec2.Vpc, subnets: Sequence[aws.ec2.Subnet]
) -> aws.ec2.VpcEndpoint:
    """Routes to S3: the bucket, the layers of the image, and Amazon Linux' packages lie there."""
    table = aws.ec2.RouteTable(
        scope.named("routes"), vpc_id=vpc.id, tags=scope.tagged("routes"), opts=scope.options()
    )
    associations = [
        aws.ec2.RouteTableAssociation(
            scope.named(f"routes-{place}"),
            subnet_id=subnet.id,
            route_table_id=table.id,
            opts=scope.options(),
        )
        for place, subnet in enumerate(subnets, start=1)
    ]
    return aws.ec2.VpcEndpoint(
        scope.named("endpoint-s3"),
        vpc_id=vpc.id,
        service_name=f"com.amazonaws.{region}.s3",
        vpc_endpoint_type="Gateway",
        route_table_ids=[table.id],
        tags=scope.tagged("endpoint-s3"),
        opts=scope.options(depends_on=associations),
    )


def _interface_endpoints(
    scope: Scope, region: str, vpc: aws.ec2.Vpc, subnets: Sequence[aws.ec2.Subnet]
) -> tuple[aws.ec2.SecurityGroup, list[aws.ec2.VpcEndpoint]]:
    group = aws.ec2.SecurityGroup(
        scope.named("endpoints-group"),
        vpc_id=vpc.id,
        description="VPC endpoints of an Inkless service",
        tags=scope.tagged("endpoints-group"),
        opts=scope.options(),
    )
    endpoints = [
        aws.ec2.VpcEndpoint(
            scope.named(f"endpoint-{service.replace('.', '-')}"),
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{region}.{service}",
            vpc_endpoint_type="Interface",
            subnet_ids=[subnet.id for subnet in subnets],
            security_group_ids=[group.id],
            private_dns_enabled=True,
            tags=scope.tagged(f"endpoint-{service}"),
            opts=scope.options(),
        )
        for service in INTERFACE_SERVICES
    ]
    return group, endpoints


def existing_network(
    scope: Scope, subject: str, subnet_ids: Mapping[str, pulumi.Input[str]], highest_slot: int
) -> Network:
    """Use the subnets the user brings, after looking at each of them.

    Ids that are plain are looked at at once, so that a wrong one stops the program before anything
    is declared; ids that are outputs when they are known, and what is built on them goes through
    the check.

    Raises:
        InvalidDeclaration: a subnet is not in its zone, or they don't fit together.
    """

    def checked(found: Mapping[str, ExistingSubnet]) -> Mapping[str, ExistingSubnet]:
        refuse(existing_subnet_problems(found, highest_slot), subject)
        return found

    plain = {zone: known for zone, known in subnet_ids.items() if isinstance(known, str)}
    if len(plain) == len(subnet_ids):
        options = pulumi.InvokeOptions(parent=scope.parent)
        looked_up = {
            zone: _existing(aws.ec2.get_subnet(id=known, opts=options))
            for zone, known in plain.items()
        }
        sound = pulumi.Output.from_input(checked(looked_up))
    else:
        later = pulumi.InvokeOutputOptions(parent=scope.parent)
        found = {
            zone: aws.ec2.get_subnet_output(id=given, opts=later).apply(_existing)
            for zone, given in subnet_ids.items()
        }
        sound = pulumi.Output.all(**found).apply(checked)

    def subnet_of(zone: str) -> pulumi.Output[str]:
        return sound.apply(lambda subnets: subnets[zone].subnet_id)

    return Network(
        vpc_id=sound.apply(lambda subnets: next(iter(subnets.values())).network_id),
        cidr=None,
        subnets={zone: Subnet(subnet_of(zone), None) for zone in subnet_ids},
    )


def _existing(subnet: aws.ec2.GetSubnetResult) -> ExistingSubnet:
    return ExistingSubnet(
        subnet_id=subnet.id,
        zone=subnet.availability_zone,
        network_id=subnet.vpc_id,
        cidr=subnet.cidr_block,
    )
