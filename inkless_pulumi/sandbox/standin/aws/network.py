"""VPCs, their subnets, routes and gateways. Recorded only."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    check_zone,
    lookup,
    new_id,
    region_of,
    stable_id,
    zone_id_of,
    zones_of,
)
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.differences import Change

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
NETWORK_INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
VPC_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"


def check_cidr(path: str, value: Any, longest: int = 32, shortest: int = 0) -> Iterator[Failure]:
    """Whether a value, if known, is an IPv4 network with no host bits set."""
    if not isinstance(value, str):
        return
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        yield Failure(path, f"{value!r} is not a valid IPv4 CIDR block: {error}")
        return
    if not shortest <= network.prefixlen <= longest:
        yield Failure(path, f"{value!r}: the block must be between /{shortest} and /{longest}")


def refuse_dependents(
    ledger: Ledger, record: Record, dependents: Mapping[str, str], kind: str
) -> None:
    """Raise `DependencyViolation` while another resource refers to this one.

    `dependents` maps a type to its property that holds this resource's id.
    """
    for token, name in dependents.items():
        for other in ledger.find(token):
            value = other.outputs.get(name)
            if record.id == value or (isinstance(value, list) and record.id in value):
                raise CloudError(
                    "DependencyViolation",
                    f"The {kind} '{record.id}' has dependencies and cannot be deleted "
                    f"({other.id} is in it)",
                )


class Vpc(Behaviour):
    """A virtual network."""

    token = VPC
    defaults: ClassVar[Mapping[str, Any]] = {
        "enableDnsSupport": True,
        "instanceTenancy": "default",
        "assignGeneratedIpv6CidrBlock": False,
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The block's size: /16 to /28."""
        if "cidrBlock" not in inputs and "ipv4IpamPoolId" not in inputs:
            yield Failure("cidrBlock", "one of 'cidrBlock' and 'ipv4IpamPoolId' must be given")
        yield from check_cidr("cidrBlock", inputs.get("cidrBlock"), longest=28, shortest=16)

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """Tenancy replaces, except from dedicated to default."""
        if change.name == "instanceTenancy":
            was, becomes = old.get("instanceTenancy", "default"), new.get("instanceTenancy")
            return not (was == "dedicated" and becomes in ("default", None))
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """With the default route table, security group and network ACL of every VPC."""
        vpc_id = new_id("vpc")
        table_id = new_id("rtb")
        return Created(
            vpc_id,
            {
                "arn": arn(site, "ec2", f"vpc/{vpc_id}", region_of(site, inputs)),
                "defaultNetworkAclId": new_id("acl"),
                "defaultRouteTableId": table_id,
                "defaultSecurityGroupId": new_id("sg"),
                "dhcpOptionsId": new_id("dopt"),
                "mainRouteTableId": table_id,
                "ownerId": site.account_id,
                "enableDnsHostnames": inputs.get("enableDnsHostnames", False),
                "enableNetworkAddressUsageMetrics": inputs.get(
                    "enableNetworkAddressUsageMetrics", False
                ),
            },
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Nothing may be left in it."""
        dependents = {
            SUBNET: "vpcId",
            SECURITY_GROUP: "vpcId",
            ROUTE_TABLE: "vpcId",
            VPC_ENDPOINT: "vpcId",
            "aws:ec2/internetGateway:InternetGateway": "vpcId",
        }
        refuse_dependents(ledger, record, dependents, "vpc")


class Subnet(Behaviour):
    """A zone's part of a VPC."""

    token = SUBNET
    defaults: ClassVar[Mapping[str, Any]] = {
        "assignIpv6AddressOnCreation": False,
        "mapPublicIpOnLaunch": False,
        "enableDns64": False,
        "ipv6Native": False,
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The block's size, and the zone of the region where that is given."""
        yield from check_cidr("cidrBlock", inputs.get("cidrBlock"), longest=28, shortest=16)
        yield from check_zone(
            "availabilityZone", inputs.get("availabilityZone"), inputs.get("region")
        )

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Within its VPC and beside its siblings."""
        region = region_of(site, inputs)
        vpc = lookup(ledger, VPC, inputs["vpcId"], "InvalidVpcID.NotFound")
        if vpc.region != region:
            raise CloudError("InvalidVpcID.NotFound", f"{vpc.id} is not in {region}")
        zone = inputs.get("availabilityZone") or _zone_by_id(inputs, region)
        if zone not in zones_of(region):
            raise CloudError(
                "InvalidParameterValue",
                f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently "
                f"only be created in: {', '.join(zones_of(region))}.",
            )
        self._refuse_misfit(ledger, vpc, inputs["cidrBlock"])
        subnet_id = new_id("subnet")
        return Created(
            subnet_id,
            {
                "arn": arn(site, "ec2", f"subnet/{subnet_id}", region),
                "availabilityZone": zone,
                "availabilityZoneId": zone_id_of(zone),
                "ownerId": site.account_id,
                "privateDnsHostnameTypeOnLaunch": inputs.get(
                    "privateDnsHostnameTypeOnLaunch", "ip-name"
                ),
            },
        )

    def _refuse_misfit(self, ledger: Ledger, vpc: Record, cidr: str) -> None:
        block = ipaddress.IPv4Network(cidr)
        if not block.subnet_of(ipaddress.IPv4Network(vpc.outputs["cidrBlock"])):
            raise CloudError(
                "InvalidSubnet.Range",
                f"The CIDR '{cidr}' is invalid: it is not within {vpc.outputs['cidrBlock']} "
                f"of {vpc.id}.",
            )
        for sibling in ledger.find(SUBNET, vpcId=vpc.id):
            if block.overlaps(ipaddress.IPv4Network(sibling.outputs["cidrBlock"])):
                raise CloudError(
                    "InvalidSubnet.Conflict",
                    f"The CIDR '{cidr}' conflicts with another subnet "
                    f"({sibling.id}, {sibling.outputs['cidrBlock']})",
                )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """No interface, instance or endpoint may be left in it."""
        dependents = {
            NETWORK_INTERFACE: "subnetId",
            "aws:ec2/instance:Instance": "subnetId",
            VPC_ENDPOINT: "subnetIds",
            "aws:rds/subnetGroup:SubnetGroup": "subnetIds",
        }
        refuse_dependents(ledger, record, dependents, "subnet")


def _zone_by_id(inputs: Properties, region: str) -> str:
    wanted = inputs.get("availabilityZoneId")
    for zone in zones_of(region):
        if wanted in (None, zone_id_of(zone)):
            return zone
    return str(wanted)


class RouteTable(Behaviour):
    """A route table."""

    token = ROUTE_TABLE

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing VPC."""
        lookup(ledger, VPC, inputs["vpcId"], "InvalidVpcID.NotFound")
        table_id = new_id("rtb")
        return Created(
            table_id,
            {
                "arn": arn(site, "ec2", f"route-table/{table_id}", region_of(site, inputs)),
                "ownerId": site.account_id,
                "propagatingVgws": inputs.get("propagatingVgws", []),
                "routes": inputs.get("routes", []),
            },
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """No subnet may be associated with it."""
        dependents = {"aws:ec2/routeTableAssociation:RouteTableAssociation": "routeTableId"}
        refuse_dependents(ledger, record, dependents, "routeTable")


class Route(Behaviour):
    """One route of a table."""

    token = "aws:ec2/route:Route"

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The destination is a network."""
        yield from check_cidr("destinationCidrBlock", inputs.get("destinationCidrBlock"))

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing table, once a destination."""
        table = inputs["routeTableId"]
        lookup(ledger, ROUTE_TABLE, table, "InvalidRouteTableID.NotFound")
        destination = next(
            inputs[name]
            for name in (
                "destinationCidrBlock",
                "destinationIpv6CidrBlock",
                "destinationPrefixListId",
            )
            if name in inputs
        )
        route_id = stable_id(f"r-{table}", destination)
        if ledger.get(self.token, route_id) is not None:
            raise CloudError("RouteAlreadyExists", f"The route {destination} already exists.")
        return Created(route_id, {"origin": "CreateRoute", "state": "active"})


class RouteTableAssociation(Behaviour):
    """Which table a subnet uses."""

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a subnet."""
        lookup(ledger, ROUTE_TABLE, inputs["routeTableId"], "InvalidRouteTableID.NotFound")
        if "subnetId" in inputs:
            lookup(ledger, SUBNET, inputs["subnetId"], "InvalidSubnetID.NotFound")
            if ledger.find(self.token, subnetId=inputs["subnetId"]):
                raise CloudError(
                    "Resource.AlreadyAssociated",
                    f"the subnet {inputs['subnetId']} is already associated with a route table",
                )
        return Created(new_id("rtbassoc"), {})


class InternetGateway(Behaviour):
    """A gateway to the internet."""

    token = "aws:ec2/internetGateway:InternetGateway"

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Attached to an existing VPC, if to any."""
        if "vpcId" in inputs:
            lookup(ledger, VPC, inputs["vpcId"], "InvalidVpcID.NotFound")
        gateway_id = new_id("igw")
        return Created(
            gateway_id,
            {
                "arn": arn(site, "ec2", f"internet-gateway/{gateway_id}", region_of(site, inputs)),
                "ownerId": site.account_id,
            },
        )


class Eip(Behaviour):
    """A public address, of the range kept for documents: nothing here is public."""

    token = "aws:ec2/eip:Eip"

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """With the next address of 203.0.113.0/24."""
        allocation = new_id("eipalloc")
        address = f"203.0.113.{len(ledger.find(self.token)) % 250 + 1}"
        region = region_of(site, inputs)
        dashed = address.replace(".", "-")
        return Created(
            allocation,
            {
                "allocationId": allocation,
                "arn": arn(site, "ec2", f"elastic-ip/{allocation}", region),
                "publicIp": address,
                "publicDns": f"ec2-{dashed}.{region}.compute.amazonaws.com",
                "domain": inputs.get("domain", "vpc"),
                "networkBorderGroup": region,
                "publicIpv4Pool": "amazon",
            },
        )


class NatGateway(Behaviour):
    """A gateway from private subnets outwards."""

    token = "aws:ec2/natGateway:NatGateway"

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing subnet."""
        outputs: dict[str, Any] = {"networkInterfaceId": new_id("eni")}
        if "subnetId" in inputs:
            subnet = lookup(ledger, SUBNET, inputs["subnetId"], "InvalidSubnetID.NotFound")
            outputs["vpcId"] = subnet.outputs["vpcId"]
        if "allocationId" in inputs:
            address = lookup(
                ledger, Eip.token, inputs["allocationId"], "InvalidAllocationID.NotFound"
            )
            outputs["publicIp"] = address.outputs["publicIp"]
        return Created(new_id("nat"), outputs)


BEHAVIOURS: tuple[Behaviour, ...] = (
    Vpc(),
    Subnet(),
    RouteTable(),
    Route(),
    RouteTableAssociation(),
    InternetGateway(),
    Eip(),
    NatGateway(),
)
