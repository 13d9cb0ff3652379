"""Inkless' control plane: the Postgres database in which batches are coordinated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.credentials import SecretStoreArgs, secret
from inkless_pulumi.aws.firewall import POSTGRES_PORT
from inkless_pulumi.aws.network import Network
from inkless_pulumi.aws.scope import Scope
from inkless_pulumi.aws.service_args import ExistingDatabaseArgs
from inkless_pulumi.core.plan import ClusterPlan
from inkless_pulumi.credentials import Password

POSTGRES_VERSION: Final = "17"
"""Inkless' migrations fail on 15; its own tests run on 17. The minor version is RDS's to raise: it
only mends, and the providers' diff takes any 17.x for 17."""
DATABASE_NAME: Final = "inkless"
DATABASE_USER: Final = "inkless"
TRUST_BUNDLE: Final = "/opt/inkless/trust/rds.pem"
"""Amazon's CA bundle inside the broker image, which the brokers verify the database with."""
_CERTIFICATE_AUTHORITY: Final = "rds-ca-rsa2048-g1"
"""Named, so that a new default of AWS's does not change what the brokers are shown."""
_CONNECTIONS_A_NODE: Final = 30
"""Three pools of ten: what a node can come to ask for without the database being restarted, which
a change of max_connections needs."""
_OTHER_CONNECTIONS: Final = 30
"""For RDS itself, backups, monitoring and a person with psql."""
_STORAGE_GIB: Final = 50
_LARGEST_STORAGE_GIB: Final = 1000
"""Storage grows by itself up to here."""


@dataclass(frozen=True)
class Database:
    """How the nodes reach their database."""

    host: pulumi.Output[str]
    port: pulumi.Output[int]
    name: pulumi.Output[str]
    user: pulumi.Output[str]
    secret_id: pulumi.Output[str]
    """The secret that holds the password."""
    secret_version: pulumi.Output[str]
    """Changes when the password does; empty where that is not known."""
    kms_key_arn: pulumi.Output[str] | None = None
    """The key of that secret where it is the user's own."""
    needed_at_boot: tuple[pulumi.Resource, ...] = ()


def connections_to_allow(plan: ClusterPlan) -> int:
    """`max_connections` of the database: enough for every node, controllers too, in hundreds."""
    a_node = max(_CONNECTIONS_A_NODE, plan.declaration.database_max_connections_per_node)
    needed = a_node * len(plan.nodes) + _OTHER_CONNECTIONS
    return -(-needed // 100) * 100


def existing_database(args: ExistingDatabaseArgs) -> Database:
    """The user's database, reached as they say."""
    key = args.get("kms_key_arn")
    return Database(
        host=pulumi.Output.from_input(args["host"]),
        port=pulumi.Output.from_input(args.get("port", POSTGRES_PORT)),
        name=pulumi.Output.from_input(args.get("name", DATABASE_NAME)),
        user=pulumi.Output.from_input(args.get("user", DATABASE_USER)),
        secret_id=pulumi.Output.from_input(args["password_secret_id"]),
        secret_version=pulumi.Output.from_input(""),
        kms_key_arn=None if key is None else pulumi.Output.from_input(key),
    )


@dataclass(frozen=True)
class DatabaseSize:
    """What the service asks of its own database."""

    instance_class: str
    max_connections: int
    backup_days: int
    multi_az: bool


def own_database(
    scope: Scope,
    network: Network,
    group_id: pulumi.Output[str],
    key_arn: pulumi.Output[str],
    store: SecretStoreArgs,
    cluster_id: pulumi.Output[str],
    size: DatabaseSize,
) -> Database:
    """Make an RDS PostgreSQL instance and its password."""
    password_secret = secret(scope, "database-password", key_arn)
    password = Password(
        scope.named("database-password-value"),
        {"secret_id": password_secret.arn, "secret_store": store},
        opts=scope.options(),
    )
    subnets = aws.rds.SubnetGroup(
        scope.named("database-subnets"),
        subnet_ids=network.subnet_ids,
        tags=scope.tagged("database-subnets"),
        opts=scope.options(),
    )
    database = aws.rds.Instance(
        scope.named("database"),
        engine="postgres",
        engine_version=POSTGRES_VERSION,
        # Minor versions are security fixes. With a standby the failover takes about a minute, in
        # the maintenance window; brokers retry meanwhile and lose nothing.
        auto_minor_version_upgrade=True,
        instance_class=size.instance_class,
        multi_az=size.multi_az,
        storage_type="gp3",
        allocated_storage=_STORAGE_GIB,
        max_allocated_storage=_LARGEST_STORAGE_GIB,
        storage_encrypted=True,
        kms_key_id=key_arn,
        ca_cert_identifier=_CERTIFICATE_AUTHORITY,
        db_name=DATABASE_NAME,
        username=DATABASE_USER,
        password_wo=password.value,
        password_wo_version=password.version_id.apply(_version_number),
        port=POSTGRES_PORT,
        db_subnet_group_name=subnets.name,
        vpc_security_group_ids=[group_id],
        publicly_accessible=False,
        parameter_group_name=_parameters(scope, size.max_connections).name,
        backup_retention_period=size.backup_days,
        copy_tags_to_snapshot=True,
        delete_automated_backups=not scope.deletion_protection,
        deletion_protection=scope.deletion_protection,
        skip_final_snapshot=not scope.deletion_protection,
        final_snapshot_identifier=cluster_id.apply(lambda known: _snapshot_name(scope.name, known)),
        tags=scope.tagged("database"),
        opts=scope.keeping_data(),
    )
    return Database(
        host=database.address,
        port=database.port,
        name=database.db_name,
        user=database.username,
        secret_id=password_secret.arn,
        secret_version=password.version_id,
        needed_at_boot=(database, password),
    )


def _parameters(scope: Scope, max_connections: int) -> aws.rds.ParameterGroup:
    return aws.rds.ParameterGroup(
        scope.named("database-settings"),
        family=f"postgres{POSTGRES_VERSION}",
        description="Settings of an Inkless control plane",
        parameters=[
            {"name": "rds.force_ssl", "value": "1", "apply_method": "pending-reboot"},
            {
                "name": "max_connections",
                "value": str(max_connections),
                "apply_method": "pending-reboot",
            },
        ],
        tags=scope.tagged("database-settings"),
        opts=scope.options(),
    )


def _version_number(version_id: str) -> int:
    """A number that changes when the password does, as the write-only argument wants one."""
    return int(hashlib.sha256(version_id.encode()).hexdigest()[:7], 16) + 1


def _snapshot_name(service: str, cluster_id: str) -> str:
    """A name that no earlier service of this name has used: a taken one makes destroy fail."""
    return f"{service.lower()}-final-{hashlib.sha256(cluster_id.encode()).hexdigest()[:10]}"
