"""Route 53 zones and records. Recorded only."""

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws.network import VPC
from inkless_pulumi.sandbox.standin.aws.shapes import lookup
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.naming import NameRule

ZONE = "aws:route53/zone:Zone"


class Zone(Behaviour):
    """A hosted zone."""

    token = ZONE
    name_rule = NameRule()
    defaults: ClassVar[Mapping[str, Any]] = {"comment": "Managed by Pulumi", "forceDestroy": False}

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Private to existing VPCs, or public with four name servers."""
        for vpc in inputs.get("vpcs", []):
            lookup(ledger, VPC, vpc["vpcId"], "InvalidVPCId")
        zone_id = "Z" + secrets.token_hex(10).upper()
        servers = [f"ns-{index}.awsdns-{index:02}.com" for index in range(4)]
        return Created(
            zone_id,
            {
                "arn": f"arn:aws:route53:::hostedzone/{zone_id}",
                "nameServers": servers,
                "primaryNameServer": servers[0],
                "zoneId": zone_id,
                "vpcs": [{"vpcRegion": site.region, **vpc} for vpc in inputs.get("vpcs", [])],
            },
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """It must be empty."""
        if ledger.find(DnsRecord.token, zoneId=record.id) and not record.outputs["forceDestroy"]:
            raise CloudError(
                "HostedZoneNotEmpty",
                "The specified hosted zone contains non-required resource record sets and so "
                "cannot be deleted.",
            )


class DnsRecord(Behaviour):
    """A record of a zone."""

    token = "aws:route53/record:Record"

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing zone, one a name and type."""
        zone = ledger.get(ZONE, inputs["zoneId"])
        if zone is None:
            raise CloudError(
                "NoSuchHostedZone", f"No hosted zone found with ID: {inputs['zoneId']}"
            )
        domain = zone.outputs["name"].rstrip(".")
        name = inputs["name"].rstrip(".")
        full = name if name == domain or name.endswith(f".{domain}") else f"{name}.{domain}"
        parts = [zone.id, full, inputs["type"]]
        if "setIdentifier" in inputs:
            parts.append(inputs["setIdentifier"])
        record_id = "_".join(parts)
        existing = ledger.get(self.token, record_id)
        if existing is not None and existing.urn != urn and not inputs.get("allowOverwrite"):
            raise CloudError(
                "InvalidChangeBatch",
                f"Tried to create resource record set [name='{full}.', type='{inputs['type']}'] "
                "but it already exists",
            )
        return Created(record_id, {"fqdn": full})


BEHAVIOURS: tuple[Behaviour, ...] = (Zone(), DnsRecord())
