"""AWS's data sources: what they answer about the account and the cloud. Others are refused."""

import json
from collections.abc import Mapping
from typing import Any

from inkless_pulumi.sandbox.standin.aws import local_api
from inkless_pulumi.sandbox.standin.aws.machine_images import find_image, public_parameter
from inkless_pulumi.sandbox.standin.aws.network import SUBNET, VPC
from inkless_pulumi.sandbox.standin.aws.secrets_and_keys import PARAMETER, find_key
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    region_of,
    zone_id_of,
    zones_of,
)
from inkless_pulumi.sandbox.standin.behaviour import CloudError, Properties, Site
from inkless_pulumi.sandbox.standin.cloud import Function

_REGION_TITLES = {
    "eu-central-1": "Europe (Frankfurt)",
    "eu-north-1": "Europe (Stockholm)",
    "eu-west-1": "Europe (Ireland)",
    "us-east-1": "US East (N. Virginia)",
    "us-west-2": "US West (Oregon)",
}


def get_availability_zones(site: Site, arguments: Properties) -> Properties:
    """The zones of a region."""
    _refuse_arguments(arguments, "region", "state", "excludeNames", "excludeZoneIds")
    region = region_of(site, arguments)
    excluded = {*arguments.get("excludeNames", []), *arguments.get("excludeZoneIds", [])}
    wanted = arguments.get("state", "available")
    names = [
        zone
        for zone in zones_of(region)
        if zone not in excluded and zone_id_of(zone) not in excluded and wanted == "available"
    ]
    return {
        "id": region,
        "region": region,
        "state": arguments.get("state"),
        "names": names,
        "zoneIds": [zone_id_of(zone) for zone in names],
        "groupNames": [region],
    }


def get_availability_zone(site: Site, arguments: Properties) -> Properties:
    """One zone."""
    _refuse_arguments(arguments, "region", "name", "zoneId", "state")
    region = region_of(site, arguments)
    for zone in zones_of(region):
        if arguments.get("name", zone) == zone:
            if arguments.get("zoneId", zone_id_of(zone)) != zone_id_of(zone):
                continue
            return {
                "id": zone,
                "name": zone,
                "nameSuffix": zone[-1],
                "zoneId": zone_id_of(zone),
                "zoneType": "availability-zone",
                "groupName": region,
                "networkBorderGroup": region,
                "optInStatus": "opt-in-not-required",
                "region": region,
                "state": "available",
            }
    raise CloudError("InvalidParameterValue", f"no matching availability zone in {region}")


def get_region(site: Site, arguments: Properties) -> Properties:
    """The provider's region."""
    region = str(arguments.get("region") or arguments.get("name") or site.region)
    return {
        "id": region,
        "name": region,
        "region": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
        "description": _REGION_TITLES.get(region, region),
    }


def get_caller_identity(site: Site, arguments: Properties) -> Properties:
    """Who we are."""
    return {
        "id": site.account_id,
        "accountId": site.account_id,
        "arn": arn(site, "iam", "user/sandbox", region=""),
        "userId": "AIDASANDBOXSANDBOX000",
    }


def get_partition(site: Site, arguments: Properties) -> Properties:
    """The commercial partition."""
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


def get_subnet(site: Site, arguments: Properties) -> Properties:
    """A subnet of the account, by any of its properties."""
    _refuse_arguments(
        arguments, "id", "region", "vpcId", "cidrBlock", "availabilityZone", "tags", "filters"
    )
    found = _only(_subnets(site, arguments), "EC2 Subnet")
    return {
        **found,
        "availableIpAddressCount": 251,
        "defaultForAz": False,
        "enableLniAtDeviceIndex": 0,
        "enableResourceNameDnsARecordOnLaunch": False,
        "enableResourceNameDnsAaaaRecordOnLaunch": False,
        "customerOwnedIpv4Pool": "",
        "ipv6CidrBlock": "",
        "ipv6CidrBlockAssociationId": "",
        "mapCustomerOwnedIpOnLaunch": False,
        "outpostArn": "",
        "state": "available",
        "tags": found.get("tagsAll", {}),
    }


def get_subnets(site: Site, arguments: Properties) -> Properties:
    """The ids of the subnets that match."""
    _refuse_arguments(arguments, "region", "tags", "filters")
    region = region_of(site, arguments)
    ids = [found["id"] for found in _subnets(site, arguments)]
    return {**arguments, "id": region, "region": region, "ids": ids}


def _subnets(site: Site, arguments: Properties) -> list[dict[str, Any]]:
    wanted = _conditions(arguments, {"vpc-id": "vpcId", "availability-zone": "availabilityZone"})
    return _matching(site, SUBNET, arguments, wanted)


def get_vpc(site: Site, arguments: Properties) -> Properties:
    """A VPC of the account."""
    _refuse_arguments(arguments, "id", "region", "cidrBlock", "tags", "filters", "default")
    wanted = _conditions(arguments, {"vpc-id": "id", "cidr": "cidrBlock"})
    found = _only(_matching(site, VPC, arguments, wanted), "EC2 VPC")
    block = found["cidrBlock"]
    association = {"associationId": "vpc-cidr-assoc-0", "cidrBlock": block, "state": "associated"}
    return {
        **found,
        "cidrBlockAssociations": [association],
        "ipv6CidrBlockAssociations": [],
        "default": False,
        "state": "available",
        "ipv6AssociationId": "",
        "ipv6CidrBlock": "",
        "tags": found.get("tagsAll", {}),
    }


def get_parameter(site: Site, arguments: Properties) -> Properties:
    """A parameter of the account, or one that the cloud publishes."""
    name, region = arguments["name"], region_of(site, arguments)
    published = public_parameter(name, region)
    if published is not None and site.home is not None:
        # What a client of the running sandbox reads, so that both agree.
        found = local_api.client(site, "ssm", region).get_parameter(Name=name)
        published = str(found["Parameter"]["Value"])
    with site.account.transaction() as ledger:
        own = ledger.get(PARAMETER, name)
    if published is None and own is None:
        raise CloudError("ParameterNotFound", f"couldn't find resource: SSM Parameter ({name})")
    if own is not None and "insecureValue" not in own.outputs:
        raise CloudError(
            "NotEmulated", f"the value of {name} is not readable through a function in a sandbox"
        )
    value = published if own is None else own.outputs["insecureValue"]
    return {
        "id": name,
        "name": name,
        "arn": arn(site, "ssm", f"parameter/{name.lstrip('/')}", region),
        "region": region,
        "type": "String",
        "value": value,
        "insecureValue": value,
        "version": 1 if own is None else own.outputs["version"],
        "withDecryption": arguments.get("withDecryption", True),
    }


def get_ami(site: Site, arguments: Properties) -> Properties:
    """An image that the cloud publishes."""
    return find_image(site, arguments)


def get_key(site: Site, arguments: Properties) -> Properties:
    """A key of the account."""
    _refuse_arguments(arguments, "keyId", "region")
    with site.account.transaction() as ledger:
        key = find_key(ledger, arguments["keyId"])
    if key is None:
        raise CloudError("NotFoundException", f"Key '{arguments['keyId']}' does not exist")
    usage = {"keySpec": "SYMMETRIC_DEFAULT", "keyState": "Enabled", "keyManager": "CUSTOMER"}
    return {**key.outputs, **usage, "id": key.id, "enabled": True, "origin": "AWS_KMS"}


def get_policy_document(site: Site, arguments: Properties) -> Properties:
    """A policy document as JSON."""
    _refuse_arguments(arguments, "statements", "version", "policyId")
    version = arguments.get("version", "2012-10-17")
    statements = [_statement(item) for item in arguments.get("statements", [])]
    document: dict[str, Any] = {"Version": version}
    if "policyId" in arguments:
        document["Id"] = arguments["policyId"]
    document["Statement"] = statements
    text = json.dumps(document, indent=2)
    return {
        **arguments,
        "id": str(abs(hash(text))),
        "version": version,
        "json": text,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }


def _statement(item: Properties) -> dict[str, Any]:
    statement: dict[str, Any] = {}
    if "sid" in item:
        statement["Sid"] = item["sid"]
    statement["Effect"] = item.get("effect", "Allow")
    for name, key in (
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    ):
        if item.get(name):
            values = sorted(item[name])
            statement[key] = values[0] if len(values) == 1 else values
    for name, key in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if item.get(name):
            statement[key] = _principals(item[name])
    for condition in item.get("conditions", []):
        values = condition["values"]
        tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = values[0] if len(values) == 1 else sorted(values)
    return statement


def _principals(items: list[Properties]) -> Any:
    principals: dict[str, Any] = {}
    for item in items:
        values = sorted(item["identifiers"])
        if item["type"] == "*" and values == ["*"]:
            return "*"
        principals[item["type"]] = values[0] if len(values) == 1 else values
    return principals


def _refuse_arguments(arguments: Properties, *known: str) -> None:
    for name in arguments:
        if name not in known:
            raise CloudError("NotEmulated", f"the argument {name!r} is not emulated in a sandbox")


def _conditions(arguments: Properties, filters: Mapping[str, str]) -> dict[str, list[Any]]:
    """What is looked for: property to accepted values."""
    wanted = {
        name: [value]
        for name, value in arguments.items()
        if name in ("id", "vpcId", "cidrBlock", "availabilityZone")
    }
    for entry in arguments.get("filters", []):
        if entry["name"] not in filters:
            raise CloudError("NotEmulated", f"the filter {entry['name']!r} is not emulated")
        wanted[filters[entry["name"]]] = entry["values"]
    return wanted


def _matching(
    site: Site, token: str, arguments: Properties, wanted: Mapping[str, list[Any]]
) -> list[dict[str, Any]]:
    with site.account.transaction() as ledger:
        records = ledger.find(token, region=region_of(site, arguments))
    tags = arguments.get("tags", {}).items()
    found = [{**record.outputs, "id": record.id} for record in records]
    return [
        outputs
        for outputs in found
        if all(outputs.get(name) in values for name, values in wanted.items())
        and tags <= outputs.get("tagsAll", {}).items()
    ]


def _only(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    if len(found) != 1:
        number = "no" if not found else "multiple"
        raise CloudError("NotFound", f"{number} matching {kind} found")
    return found[0]


FUNCTIONS: Mapping[str, Function] = {
    "aws:index/getAvailabilityZone:getAvailabilityZone": get_availability_zone,
    "aws:index/getAvailabilityZones:getAvailabilityZones": get_availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": get_caller_identity,
    "aws:index/getPartition:getPartition": get_partition,
    "aws:index/getRegion:getRegion": get_region,
    "aws:ec2/getAmi:getAmi": get_ami,
    "aws:ec2/getSubnet:getSubnet": get_subnet,
    "aws:ec2/getSubnets:getSubnets": get_subnets,
    "aws:ec2/getVpc:getVpc": get_vpc,
    "aws:iam/getPolicyDocument:getPolicyDocument": get_policy_document,
    "aws:kms/getKey:getKey": get_key,
    "aws:ssm/getParameter:getParameter": get_parameter,
}
