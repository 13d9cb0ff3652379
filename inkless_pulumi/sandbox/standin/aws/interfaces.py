"""What has an address in a subnet: network interfaces, and endpoints of the cloud's services.

Where real machines run, `loopback` maps an interface's address to one of this machine.
"""

import ipaddress
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws import loopback
from inkless_pulumi.sandbox.standin.aws.network import (
    NETWORK_INTERFACE,
    ROUTE_TABLE,
    SECURITY_GROUP,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
)
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    lookup,
    new_id,
    region_of,
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
from inkless_pulumi.sandbox.standin.wire import UNKNOWN

RESERVED_ADDRESSES = 4
"""The cloud keeps a subnet's first four addresses (network, router, DNS, future) and its last."""


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
        shown = address if site.home is None else loopback.twin(ledger, site.home, address)
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
    VpcEndpoint(),
    NetworkInterface(),
)
