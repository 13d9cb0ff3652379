"""VPCs and what lies in them: subnets, routes, security groups, endpoints, interfaces.

Recorded only. A network interface's address is one of the subnet it is in; where real machines
run, `loopback` maps it to an address of this machine.
"""

import ipaddress
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws import loopback
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    check_zone,
    lookup,
    name_or_prefixed,
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
from inkless_pulumi.sandbox.standin.naming import NameRule
from inkless_pulumi.sandbox.standin.wire import UNKNOWN

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
NETWORK_INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
VPC_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
RESERVED_ADDRESSES = 4
"""The cloud keeps a subnet's first four addresses (network, router, DNS, future) and its last."""


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


class SecurityGroup(Behaviour):
    """A set of firewall rules. Recorded: nothing here is filtered."""

    token = SECURITY_GROUP
    name_rule = NameRule()
    defaults: ClassVar[Mapping[str, Any]] = {
        "description": "Managed by Pulumi",
        "revokeRulesOnDelete": False,
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Names of the default group are the cloud's."""
        name = inputs.get("name")
        if isinstance(name, str) and (name.startswith("sg-") or name == "default"):
            yield Failure("name", f"{name!r}: may not be 'default' nor start with 'sg-'")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name in a VPC."""
        name = name_or_prefixed(inputs)
        vpc_id = inputs.get("vpcId")
        if vpc_id is not None:
            lookup(ledger, VPC, vpc_id, "InvalidVpcID.NotFound")
        if ledger.find(self.token, vpcId=vpc_id, name=name):
            raise CloudError(
                "InvalidGroup.Duplicate",
                f"The security group '{name}' already exists for VPC '{vpc_id}'",
            )
        group_id = new_id("sg")
        return Created(
            group_id,
            {
                "arn": arn(site, "ec2", f"security-group/{group_id}", region_of(site, inputs)),
                "name": name,
                "ownerId": site.account_id,
                "ingress": inputs.get("ingress", []),
                "egress": inputs.get("egress", []),
            },
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Nothing may use it."""
        dependents = {
            NETWORK_INTERFACE: "securityGroups",
            "aws:ec2/instance:Instance": "vpcSecurityGroupIds",
            VPC_ENDPOINT: "securityGroupIds",
            "aws:rds/instance:Instance": "vpcSecurityGroupIds",
            SecurityGroupIngressRule.token: "referencedSecurityGroupId",
            SecurityGroupEgressRule.token: "referencedSecurityGroupId",
        }
        own = (SecurityGroupIngressRule.token, SecurityGroupEgressRule.token)
        for token, name in dependents.items():
            for other in ledger.find(token):
                value = other.outputs.get(name)
                mine = token in own and other.outputs.get("securityGroupId") == record.id
                used = value == record.id or (isinstance(value, list) and record.id in value)
                if used and not mine:
                    raise CloudError(
                        "DependencyViolation",
                        f"resource {record.id} has a dependent object ({other.id})",
                    )


class _SecurityGroupRule(Behaviour):
    """One rule of a security group."""

    _ports: ClassVar[tuple[str, str]] = ("fromPort", "toPort")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Networks are networks, ports are ports, and all protocols have none."""
        yield from check_cidr("cidrIpv4", inputs.get("cidrIpv4"))
        for name in self._ports:
            port = inputs.get(name)
            if isinstance(port, int) and not -1 <= port <= 65535:
                yield Failure(name, f"{port} is not in -1..65535")
        if inputs.get("ipProtocol") == "-1" and any(name in inputs for name in self._ports):
            yield Failure("ipProtocol", "all protocols ('-1') go with no 'fromPort' and 'toPort'")

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """Another kind of source replaces; another value of the same kind does not."""
        sources = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
        if change.name in sources:
            return (change.name in old) != (change.name in new)
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing group."""
        group = inputs["securityGroupId"]
        lookup(ledger, SECURITY_GROUP, group, "InvalidGroup.NotFound")
        other = inputs.get("referencedSecurityGroupId")
        if other is not None:
            lookup(ledger, SECURITY_GROUP, other, "InvalidGroup.NotFound")
        same = ("ipProtocol", "fromPort", "toPort", "cidrIpv4", "referencedSecurityGroupId")
        for rule in ledger.find(self.token, securityGroupId=group):
            if all(rule.outputs.get(name) == inputs.get(name) for name in same):
                raise CloudError(
                    "InvalidPermission.Duplicate",
                    f"the specified rule already exists in {group} ({rule.id})",
                )
        rule_id = new_id("sgr")
        path = f"security-group-rule/{rule_id}"
        return Created(
            rule_id,
            {
                "arn": arn(site, "ec2", path, region_of(site, inputs)),
                "securityGroupRuleId": rule_id,
            },
        )


class SecurityGroupIngressRule(_SecurityGroupRule):
    """What may come in."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


class SecurityGroupEgressRule(_SecurityGroupRule):
    """What may go out."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


class VpcEndpoint(Behaviour):
    """A private way from a VPC to a service of the cloud."""

    token = VPC_ENDPOINT
    defaults: ClassVar[Mapping[str, Any]] = {"vpcEndpointType": "Gateway"}

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """A gateway has route tables, an interface has subnets."""
        kind = inputs.get("vpcEndpointType", "Gateway")
        if kind == "Gateway" and "subnetIds" in inputs:
            yield Failure("subnetIds", "a Gateway endpoint has route tables, not subnets")
        if kind == "Interface" and "routeTableIds" in inputs:
            yield Failure("routeTableIds", "an Interface endpoint has subnets, not route tables")
        service = inputs.get("serviceName")
        if isinstance(service, str) and not service.startswith(("com.amazonaws.", "aws.")):
            yield Failure("serviceName", f"{service!r} does not name a service: com.amazonaws.…")

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """Private DNS replaces where there is no interface."""
        if change.name == "privateDnsEnabled":
            return bool(new.get("vpcEndpointType", "Gateway") != "Interface")
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """With an interface a subnet, or a prefix list."""
        vpc = lookup(ledger, VPC, inputs["vpcId"], "InvalidVpcId.NotFound")
        region = region_of(site, inputs)
        for subnet_id in inputs.get("subnetIds", []):
            subnet = lookup(ledger, SUBNET, subnet_id, "InvalidSubnetId.NotFound")
            if subnet.outputs["vpcId"] != vpc.id:
                raise CloudError("InvalidParameter", f"{subnet_id} is not in {vpc.id}")
        for group in inputs.get("securityGroupIds", []):
            lookup(ledger, SECURITY_GROUP, group, "InvalidSecurityGroupId.NotFound")
        for table in inputs.get("routeTableIds", []):
            lookup(ledger, ROUTE_TABLE, table, "InvalidRouteTableId.NotFound")
        endpoint_id = new_id("vpce")
        outputs: dict[str, Any] = {
            "arn": arn(site, "ec2", f"vpc-endpoint/{endpoint_id}", region),
            "ownerId": site.account_id,
            "requesterManaged": False,
            "state": "available",
            "ipAddressType": inputs.get("ipAddressType", "ipv4"),
            "policy": inputs.get(
                "policy",
                '{"Statement":[{"Action":"*","Effect":"Allow",'
                '"Principal":"*","Resource":"*"}],"Version":"2008-10-17"}',
            ),
        }
        if inputs.get("vpcEndpointType", "Gateway") == "Interface":
            service = inputs.get("serviceName", "service").rpartition(".")[2]
            name = f"{endpoint_id}-{secrets.token_hex(4)}.{service}.{region}.vpce.amazonaws.com"
            outputs |= {
                "networkInterfaceIds": [new_id("eni") for _ in inputs.get("subnetIds", [])],
                "dnsEntries": [{"dnsName": name, "hostedZoneId": "Z7HUB22UULQXV"}],
                "privateDnsEnabled": inputs.get("privateDnsEnabled", False),
            }
        else:
            outputs |= {"prefixListId": f"pl-{secrets.token_hex(4)}", "cidrBlocks": ["3.5.0.0/19"]}
        return Created(endpoint_id, outputs)


class NetworkInterface(Behaviour):
    """A network card with a fixed address."""

    token = NETWORK_INTERFACE
    defaults: ClassVar[Mapping[str, Any]] = {"sourceDestCheck": True}

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Addresses are addresses."""
        for index, address in enumerate(inputs.get("privateIps") or []):
            if address is UNKNOWN:
                continue
            try:
                ipaddress.IPv4Address(address)
            except ValueError:
                yield Failure(f"privateIps[{index}]", f"{address!r} is not an IPv4 address")

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """Other addresses replace, unless the primary one stays."""
        if change.name == "privateIps":
            before, after = old.get("privateIps") or [None], new.get("privateIps")
            return not (isinstance(after, list) and before[0] in after)
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """With the wanted, else the next free, address of its subnet."""
        subnet = lookup(ledger, SUBNET, inputs["subnetId"], "InvalidSubnetID.NotFound")
        for group in inputs.get("securityGroups", []):
            lookup(ledger, SECURITY_GROUP, group, "InvalidGroup.NotFound")
        wanted = inputs.get("privateIps") or inputs.get("privateIpLists") or []
        asked = [wanted[0]] if wanted else [inputs["privateIp"]] if "privateIp" in inputs else []
        address = self._place(ledger, subnet, asked[0] if asked else None)
        shown = address if site.home is None else loopback.twin(ledger, address)
        interface_id = new_id("eni")
        region = region_of(site, inputs)
        vpc = lookup(ledger, VPC, subnet.outputs["vpcId"], "InvalidVpcID.NotFound")
        default_group = vpc.outputs["defaultSecurityGroupId"]
        return Created(
            interface_id,
            {
                "arn": arn(site, "ec2", f"network-interface/{interface_id}", region),
                "macAddress": "02:" + ":".join(secrets.token_hex(1) for _ in range(5)),
                "ownerId": site.account_id,
                "privateDnsName": f"ip-{address.replace('.', '-')}.{region}.compute.internal",
                "privateIp": shown,
                "privateIps": [shown, *wanted[1:]],
                "privateIpsCount": max(len(wanted) - 1, 0),
                "securityGroups": inputs.get("securityGroups", [default_group]),
                "attachments": inputs.get("attachments", []),
                "interfaceType": inputs.get("interfaceType", "interface"),
            },
        )

    def _place(self, ledger: Ledger, subnet: Record, wanted: str | None) -> str:
        block = ipaddress.IPv4Network(subnet.outputs["cidrBlock"])
        usable = list(block)[RESERVED_ADDRESSES:-1]
        taken = {
            ipaddress.IPv4Address(loopback.asked_address(other))
            for other in ledger.find(self.token, subnetId=subnet.id)
        }
        if wanted is None:
            free = next((address for address in usable if address not in taken), None)
            if free is None:
                raise CloudError("InsufficientFreeAddressesInSubnet", f"{subnet.id} is full")
            return str(free)
        address = ipaddress.IPv4Address(wanted)
        if address not in usable:
            raise CloudError(
                "InvalidParameterValue",
                f"Address {wanted} does not fall within the usable addresses of {subnet.id} "
                f"({block})",
            )
        if address in taken:
            raise CloudError("InvalidIPAddress.InUse", f"Address {wanted} is in use.")
        return str(address)

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """The address stays what it was made to be."""
        return {name: record.outputs[name] for name in ("privateIp", "privateIps")}

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """It must not be an instance's primary interface."""
        for instance in ledger.find(
            "aws:ec2/instance:Instance", primaryNetworkInterfaceId=record.id
        ):
            raise CloudError(
                "InvalidNetworkInterface.InUse",
                f"The network interface '{record.id}' is in use by {instance.id}.",
            )


BEHAVIOURS: tuple[Behaviour, ...] = (
    Vpc(),
    Subnet(),
    RouteTable(),
    Route(),
    RouteTableAssociation(),
    InternetGateway(),
    Eip(),
    NatGateway(),
    SecurityGroup(),
    SecurityGroupIngressRule(),
    SecurityGroupEgressRule(),
    VpcEndpoint(),
    NetworkInterface(),
)
