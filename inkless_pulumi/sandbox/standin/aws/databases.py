"""RDS. Behind an instance stands a real PostgreSQL with TLS, unless all is recorded only."""

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.parts import database
from inkless_pulumi.sandbox.standin.aws import loopback
from inkless_pulumi.sandbox.standin.aws.network import SECURITY_GROUP, SUBNET
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    lookup,
    name_or_prefixed,
    region_of,
    unique_id,
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
from inkless_pulumi.sandbox.standin.naming import NameRule

DATABASE = "aws:rds/instance:Instance"
SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"
PARAMETER_GROUP = "aws:rds/parameterGroup:ParameterGroup"
PORT = 5432
_IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9]+)*-?")
_USER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_DATABASE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_RESERVED_USERS = frozenset(("admin", "rdsadmin", "postgres_admin", "user", "public"))
_PASSWORD_LENGTHS = range(8, 129)
_NOT_ALLOWED_IN_SECRET = '/@" '
_MONITORING_INTERVALS = (0, 1, 5, 10, 15, 30, 60)
_CURRENT_MINOR = {"17": "17.10", "16": "16.14"}


def password_of(inputs: Properties) -> str | None:
    """The master password that the inputs set."""
    return inputs.get("passwordWo") or inputs.get("password")


class DatabaseInstance(Behaviour):
    """A database server."""

    token = DATABASE
    name_rule = NameRule(property="identifier", longest=63, change=str.lower)
    defaults: ClassVar[Mapping[str, Any]] = {
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": False,
        "customerOwnedIpEnabled": False,
        "dedicatedLogVolume": False,
        "deleteAutomatedBackups": True,
        "deletionProtection": False,
        "iamDatabaseAuthenticationEnabled": False,
        "maxAllocatedStorage": 0,
        "monitoringInterval": 0,
        "performanceInsightsEnabled": False,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
        "storageEncrypted": False,
        "upgradeStorageConfig": False,
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Names, user and password of the cloud's form; sizes in its ranges."""
        yield from _check_identifier(inputs.get("identifier"))
        user = inputs.get("username")
        if isinstance(user, str) and (not _USER.fullmatch(user) or user.lower() in _RESERVED_USERS):
            yield Failure(
                "username",
                f"{user!r}: starts with a letter, then letters, digits and underscores, at most "
                "63, and is no reserved word",
            )
        for name in ("password", "passwordWo"):
            yield from _check_password(name, inputs.get(name))
        db_name = inputs.get("dbName")
        if isinstance(db_name, str) and not _DATABASE_NAME.fullmatch(db_name):
            yield Failure("dbName", f"{db_name!r} is not a database name")
        days = inputs.get("backupRetentionPeriod")
        if isinstance(days, int) and not 0 <= days <= 35:
            yield Failure("backupRetentionPeriod", f"{days} is not in 0..35 (days)")
        interval = inputs.get("monitoringInterval")
        if isinstance(interval, int) and interval not in _MONITORING_INTERVALS:
            yield Failure("monitoringInterval", f"{interval} is not one of {_MONITORING_INTERVALS}")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing subnet group, with a master user."""
        identifier = name_or_prefixed(inputs, "identifier")
        existing = ledger.find(self.token, identifier=identifier)
        if existing and existing[0].urn != urn:
            raise CloudError("DBInstanceAlreadyExists", f"DB instance {identifier} already exists")
        for orphan in existing:
            ledger.remove(self.token, orphan.id)
        self._refuse_incomplete(inputs)
        region = region_of(site, inputs)
        group = self._subnet_group(ledger, inputs)
        self._refuse_unknown_references(ledger, inputs)
        if site.home is None:
            address = f"{identifier}.{secrets.token_hex(6)}.{region}.rds.amazonaws.com"
        else:
            address = loopback.database_address(ledger, site.home)
        port = inputs.get("port", PORT)
        version = str(inputs.get("engineVersion", "17"))
        zone = inputs.get("availabilityZone", zones_of(region)[0])
        resource_id = unique_id("db-")
        return Created(
            resource_id,
            {
                "address": address,
                "port": port,
                "endpoint": f"{address}:{port}",
                "arn": arn(site, "rds", f"db:{identifier}", region),
                "allocatedStorage": inputs.get("allocatedStorage", 20),
                "availabilityZone": zone,
                "backupRetentionPeriod": inputs.get("backupRetentionPeriod", 1),
                "backupWindow": inputs.get("backupWindow", "03:00-03:30"),
                "caCertIdentifier": inputs.get("caCertIdentifier", "rds-ca-rsa2048-g1"),
                "dbSubnetGroupName": group or "default",
                "engineVersion": version,
                "engineVersionActual": _CURRENT_MINOR.get(version, version),
                "hostedZoneId": "Z1RLNUO7B9Q6NB",
                "identifier": identifier,
                "licenseModel": "postgresql-license",
                "maintenanceWindow": inputs.get("maintenanceWindow", "sun:04:00-sun:04:30"),
                "multiAz": inputs.get("multiAz", False),
                "networkType": inputs.get("networkType", "IPV4"),
                "parameterGroupName": inputs.get(
                    "parameterGroupName", f"default.postgres{version.partition('.')[0]}"
                ),
                "resourceId": resource_id,
                "status": "available",
                "storageType": inputs.get("storageType", "gp2"),
                "vpcSecurityGroupIds": inputs.get("vpcSecurityGroupIds", []),
            },
        )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Make the real server."""
        if site.home is not None:
            password = str(password_of(inputs))
            database.create(site.home, _server_of(site, record), password)
        return {}

    def adapt(self, site: Site, old: Record, new: Record, inputs: Properties) -> Properties:
        """Other parameters restart the real server; a new password does not."""
        if site.home is not None:
            # A write-only password counts when its version changes.
            versions = [record.inputs.get("passwordWoVersion") for record in (old, new)]
            changed = "password" in inputs or versions[0] != versions[1]
            password = password_of(inputs) if changed else None
            database.change(site.home, _server_of(site, new), password)
        return {}

    def stop(self, site: Site, record: Record) -> None:
        """Remove the real server and its data."""
        if site.home is not None:
            database.remove(site.home, record.id)

    def _refuse_incomplete(self, inputs: Properties) -> None:
        if inputs.get("engine") != "postgres":
            raise CloudError(
                "InvalidParameterValue",
                f"engine {inputs.get('engine')!r}: the sandbox emulates 'postgres' only",
            )
        if "username" not in inputs or password_of(inputs) is None:
            raise CloudError(
                "InvalidParameterValue",
                "The parameters MasterUsername and MasterUserPassword must be provided",
            )
        if "allocatedStorage" not in inputs:
            raise CloudError(
                "InvalidParameterCombination", "You must specify an allocated storage size"
            )

    def _subnet_group(self, ledger: Ledger, inputs: Properties) -> str | None:
        name: str | None = inputs.get("dbSubnetGroupName")
        if name is not None and ledger.get(SUBNET_GROUP, name) is None:
            raise CloudError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' not found")
        return name

    def _refuse_unknown_references(self, ledger: Ledger, inputs: Properties) -> None:
        for security_group in inputs.get("vpcSecurityGroupIds", []):
            lookup(ledger, SECURITY_GROUP, security_group, "InvalidParameterValue")
        name = inputs.get("parameterGroupName")
        if name is None or name.startswith("default."):
            return
        group = ledger.get(PARAMETER_GROUP, name)
        if group is None:
            raise CloudError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")
        version = str(inputs.get("engineVersion", "17")).partition(".")[0]
        if group.outputs["family"] != f"postgres{version}":
            raise CloudError(
                "InvalidParameterCombination",
                f"The parameter group {name} of family {group.outputs['family']} cannot be used "
                f"with engine version {version}",
            )

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """Its references must exist; storage only grows."""
        self._subnet_group(ledger, inputs)
        self._refuse_unknown_references(ledger, inputs)
        if inputs.get("allocatedStorage", 0) < record.outputs["allocatedStorage"]:
            raise CloudError(
                "InvalidParameterCombination",
                "Invalid storage size: allocated storage can only be increased "
                f"(it is {record.outputs['allocatedStorage']} GiB)",
            )
        version = str(inputs.get("engineVersion", record.outputs["engineVersion"]))
        before = str(record.outputs["engineVersion"])
        if int(version.partition(".")[0]) < int(before.partition(".")[0]):
            raise CloudError(
                "InvalidParameterCombination", f"Cannot downgrade from {before} to {version}"
            )
        return {"engineVersionActual": _CURRENT_MINOR.get(version, version)}

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Deletion protection, and the last snapshot's name."""
        if record.outputs.get("deletionProtection"):
            raise CloudError(
                "InvalidParameterCombination",
                "Cannot delete protected DB Instance, please disable deletion protection and "
                "try again.",
            )
        skipped = record.outputs.get("skipFinalSnapshot")
        if not skipped and "finalSnapshotIdentifier" not in record.outputs:
            raise CloudError(
                "InvalidParameterCombination",
                "final_snapshot_identifier is required when skip_final_snapshot is false",
            )


def _server_of(site: Site, record: Record) -> database.Database:
    outputs = record.outputs
    with site.account.transaction() as ledger:
        group = ledger.get(PARAMETER_GROUP, outputs["parameterGroupName"])
    parameters = [] if group is None else group.outputs.get("parameters", [])
    return database.Database(
        resource_id=record.id,
        address=outputs["address"],
        port=int(outputs["port"]),
        user=outputs["username"],
        database=outputs.get("dbName", "postgres"),
        parameters={item["name"]: str(item["value"]) for item in parameters},
    )


def _check_identifier(identifier: Any) -> Iterator[Failure]:
    if not isinstance(identifier, str):
        return
    if not _IDENTIFIER.fullmatch(identifier) or len(identifier) > 63 or identifier.endswith("-"):
        yield Failure(
            "identifier",
            f"{identifier!r}: lower-case letters, digits and single hyphens, starts with a "
            "letter, does not end with a hyphen, at most 63",
        )


def _check_password(name: str, password: Any) -> Iterator[Failure]:
    if not isinstance(password, str):
        return
    if len(password) not in _PASSWORD_LENGTHS:
        yield Failure(name, "a master password has 8 to 128 characters")
    elif any(not 33 <= ord(char) <= 126 or char in _NOT_ALLOWED_IN_SECRET for char in password):
        yield Failure(name, "only printable ASCII characters besides '/', '@', '\"' and ' '")


class SubnetGroup(Behaviour):
    """The subnets a database may be in."""

    token = SUBNET_GROUP
    name_rule = NameRule(change=str.lower)
    defaults: ClassVar[Mapping[str, Any]] = {"description": "Managed by Pulumi"}

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Of two zones at least."""
        name = name_or_prefixed(inputs)
        existing = ledger.get(self.token, name)
        if existing is not None and existing.urn != urn:
            raise CloudError("DBSubnetGroupAlreadyExists", f"{name} already exists")
        return Created(
            name,
            {
                "arn": arn(site, "rds", f"subgrp:{name}", region_of(site, inputs)),
                "name": name,
                "supportedNetworkTypes": ["IPV4"],
                "vpcId": self._vpc_of(ledger, inputs["subnetIds"]),
            },
        )

    def _vpc_of(self, ledger: Ledger, subnet_ids: list[str]) -> str:
        subnets = [lookup(ledger, SUBNET, name, "InvalidSubnet") for name in subnet_ids]
        zones = {subnet.outputs["availabilityZone"] for subnet in subnets}
        vpcs = {subnet.outputs["vpcId"] for subnet in subnets}
        if len(zones) < 2:
            raise CloudError(
                "DBSubnetGroupDoesNotCoverEnoughAZs",
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
                f"Current AZ coverage: {', '.join(sorted(zones))}. Add subnets to cover at least "
                "2 AZs.",
            )
        if len(vpcs) > 1:
            raise CloudError("InvalidSubnet", "the subnets are not in one VPC")
        return str(vpcs.pop())

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """Of two zones at least."""
        self._vpc_of(ledger, inputs["subnetIds"])
        return {}

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """No database may be in it."""
        for user in ledger.find(DATABASE, dbSubnetGroupName=record.id):
            raise CloudError(
                "InvalidDBSubnetGroupStateFault",
                f"Cannot delete the subnet group '{record.id}' because at least one database "
                f"instance ({user.outputs['identifier']}) is still using it.",
            )


class ParameterGroup(Behaviour):
    """Settings of a database server."""

    token = PARAMETER_GROUP
    name_rule = NameRule(change=str.lower)
    defaults: ClassVar[Mapping[str, Any]] = {
        "description": "Managed by Pulumi",
        "skipDestroy": False,
    }

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name."""
        name = name_or_prefixed(inputs)
        existing = ledger.get(self.token, name)
        if existing is not None and existing.urn != urn:
            raise CloudError(
                "DBParameterGroupAlreadyExists", f"Parameter group {name} already exists"
            )
        return Created(
            name,
            {"arn": arn(site, "rds", f"pg:{name}", region_of(site, inputs)), "name": name},
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """No database may use it."""
        for user in ledger.find(DATABASE, parameterGroupName=record.id):
            raise CloudError(
                "InvalidDBParameterGroupState",
                f"One or more database instances ({user.outputs['identifier']}) are still "
                f"members of this parameter group {record.id}",
            )


BEHAVIOURS: tuple[Behaviour, ...] = (DatabaseInstance(), SubnetGroup(), ParameterGroup())
