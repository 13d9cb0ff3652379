"""The service component: puts the parts together, one file a concern.

What is decided (which nodes, settings, machine types) comes from `declaration`, which asks `core`;
what is built comes from network, firewall, storage, control_plane, credentials, image and nodes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from inkless_pulumi.aws.control_plane import (
    TRUST_BUNDLE,
    Database,
    DatabaseSize,
    existing_database,
    own_database,
)
from inkless_pulumi.aws.credentials import Credentials, make_credentials, secret_store
from inkless_pulumi.aws.declaration import ServicePlan, plan_service
from inkless_pulumi.aws.encryption import encryption_key
from inkless_pulumi.aws.firewall import Firewall, firewall
from inkless_pulumi.aws.image import broker_image, repository
from inkless_pulumi.aws.instance_role import Belongings, InstanceRole, instance_role
from inkless_pulumi.aws.network import Network, existing_network, own_network
from inkless_pulumi.aws.nodes import identities, machine_image, run_nodes
from inkless_pulumi.aws.observability import log_group
from inkless_pulumi.aws.rendering import Runtime
from inkless_pulumi.aws.rolling import Roll
from inkless_pulumi.aws.scope import Scope, wire_names
from inkless_pulumi.aws.service_args import InklessServiceArgs
from inkless_pulumi.aws.storage import S3Storage, S3StorageArgs
from inkless_pulumi.cluster_settings import ClusterSettings
from inkless_pulumi.connection import ConnectionArgs
from inkless_pulumi.core import ports
from inkless_pulumi.core.dynamic_settings import dynamic_settings
from inkless_pulumi.core.plan import NodePlan
from inkless_pulumi.feature_level import FeatureLevel
from inkless_pulumi.node_ready import NodeReady
from inkless_pulumi.node_stop import NodeStop
from inkless_pulumi.replica_balance import ReplicaBalance
from inkless_pulumi.service_identity import ServiceIdentity

_LOG_RETENTION_DAYS = 30
_NODE_TIMEOUT_SECONDS = 600


class InklessService(pulumi.ComponentResource):
    """Inkless, Apache Kafka with diskless topics, on EC2 machines in your account.

    Three controllers and their brokers in three zones, a Postgres control plane on RDS, a bucket,
    the broker image in the account's own registry, and the credentials of all of them. Network,
    bucket, KMS key, database and registry can each be given or made.

    Raises:
        InvalidDeclaration: an argument breaks a rule; nothing is created then.
    """

    bootstrap_servers: pulumi.Output[str]
    """Where clients connect with SASL_SSL and SCRAM: `address:9092`, joined by commas."""
    mtls_bootstrap_servers: pulumi.Output[str]
    """Where clients connect with a certificate: `address:9094`, joined by commas."""
    ca_certificate: pulumi.Output[str]
    """The PEM certificate of the CA that the brokers' certificates are signed by; after a renewal,
    those before it follow while they last."""
    cluster_id: pulumi.Output[str]
    """Kafka's cluster id."""
    client_properties: pulumi.Output[dict[str, dict[str, str]]]
    """By zone, what a client there sets, the CA and its credentials apart: name, password and
    `sasl.mechanism` are in its user's secret. The part of `client.id` before the comma is free; the
    zone in it keeps traffic to diskless topics within the zone."""
    connection: ConnectionArgs
    """The administrator's way in, for topics, users and access rules in this stack or another. What
    it tells of the service itself is known before the service is there."""
    admin_secret_id: pulumi.Output[str]
    """The secret that holds, in PEM, the CA's certificates, then the administrator's key and its
    certificates."""
    ca_secret_id: pulumi.Output[str]
    """The secret that holds the CA's key and certificate."""
    database_secret_id: pulumi.Output[str]
    """The secret that holds the database's password; empty for a classic service."""
    node_secret_ids: pulumi.Output[dict[str, str]]
    """By node name, the secret that holds the node's key and certificate."""
    node_addresses: pulumi.Output[dict[str, str]]
    """By node name, its address."""
    image: pulumi.Output[str]
    """The broker image that the nodes run, by digest."""
    bucket: pulumi.Output[str]
    """The name of the bucket."""
    log_group: pulumi.Output[str]
    """The name of the log group that the nodes write to."""
    security_group_id: pulumi.Output[str]
    """The security group of the nodes, for rules of one's own."""
    vpc_id: pulumi.Output[str]
    """The VPC that the nodes are in."""
    subnet_ids: pulumi.Output[dict[str, str]]
    """By zone, the subnet that the nodes are in."""

    def __init__(
        self,
        name: str,
        args: InklessServiceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        service = plan_service(name, args, stack_region=_stack_region(opts))
        super().__init__("inkless:aws:InklessService", name, wire_names(args), opts)
        scope = Scope(name, self, args.get("deletion_protection", True), args.get("tags", {}))
        built = _Construction(scope, service, args)
        roll = built.start_nodes()
        gates = list(roll.gates.values())
        built.finalise([*gates, *roll.guards])
        built.balance(gates)
        built.apply_settings(gates)
        built.describe(self, gates)
        self.register_outputs(wire_names({output: getattr(self, output) for output in _OUTPUTS}))


_OUTPUTS = tuple(InklessService.__annotations__)


class _Construction:
    """Builds the children, in the order in which they need one another."""

    def __init__(self, scope: Scope, service: ServicePlan, args: InklessServiceArgs) -> None:
        self.scope = scope
        self.service = service
        self.args = args
        self.profile = args.get("profile") or pulumi.Config("aws").get("profile")
        self.key_arn = encryption_key(scope, args.get("kms_key_arn"))
        self.identity = self._identity()
        self.network = self._network()
        self.firewall = self._firewall()
        self.nodes = identities(scope, service, self.network, self.firewall.nodes, self.key_arn)
        self.credentials = self._credentials()
        self.bucket, self.bucket_key = self._storage()
        self.database = self._database()
        self.repository = repository(scope, args.get("repository_url"))
        self.image = broker_image(
            scope, service.cluster.declaration, self.repository, service.region, self.profile
        )
        self.logs = log_group(scope, args.get("log_retention_days", _LOG_RETENTION_DAYS))

    def _identity(self) -> ServiceIdentity:
        cluster = self.service.cluster
        return ServiceIdentity(
            self.scope.named("identity"),
            {
                "name": self.scope.name,
                "cluster_type": cluster.declaration.cluster_type,
                "topology": cluster.declaration.effective_topology,
                "zones": list(cluster.declaration.zones),
                "controller_ids": [node.node_id for node in cluster.controllers],
            },
            opts=self.scope.keeping_data(),
        )

    def _network(self) -> Network:
        service, zones = self.service, self.service.cluster.declaration.zones
        if service.cidr is not None:
            return own_network(self.scope, service.region, service.cidr, zones)
        highest_slot = max(node.address_slot for node in service.cluster.nodes)
        by_zone = self.args["subnet_ids"]
        given = {zone: by_zone[zone] for zone in zones}
        return existing_network(self.scope, service.subject, given, highest_slot)

    def _firewall(self) -> Firewall:
        given = self.args.get("database")
        is_diskless = self.service.cluster.declaration.is_diskless
        return firewall(
            self.scope,
            self.network,
            self.service.client_cidrs,
            self.service.monitoring_cidrs,
            own_database=is_diskless and given is None,
            database_port=given.get("port", 5432) if is_diskless and given else None,
            storage_endpoint=self.service.storage_endpoint,
        )

    def _credentials(self) -> Credentials:
        addresses = {
            node_id: identity.interface.private_ip for node_id, identity in self.nodes.items()
        }
        store = secret_store(self.service.region, self.profile)
        return make_credentials(
            self.scope,
            self.service.cluster,
            addresses,
            self.key_arn,
            store,
            ca_renewal=self.args.get("ca_renewal"),
            certificate_renewal=self.args.get("certificate_renewal"),
        )

    def _storage(self) -> tuple[pulumi.Output[str], pulumi.Output[str] | None]:
        """The bucket's name, and its key where it has one."""
        given = self.args.get("storage")
        if given is not None:
            key = given.get("kms_key_arn")
            bucket = pulumi.Output.from_input(given["bucket"])
            return bucket, None if key is None else pulumi.Output.from_input(key)
        wanted: S3StorageArgs = {
            "kms_key_arn": self.key_arn,
            "restore_window_days": self.service.database_backup_days,
            "deletion_protection": self.scope.deletion_protection,
            "tags": {"inkless:service": self.scope.name, **self.scope.tags},
        }
        if "bucket_name" in self.args:
            wanted["bucket_name"] = self.args["bucket_name"]
        storage = S3Storage(self.scope.named("storage"), wanted, opts=self.scope.options())
        return storage.bucket, storage.kms_key_arn

    def _database(self) -> Database | None:
        given, service = self.args.get("database"), self.service
        if not service.cluster.declaration.is_diskless:
            return None
        if given is not None or self.firewall.database is None:
            return existing_database(given or self.args["database"])
        return own_database(
            self.scope,
            self.network,
            self.firewall.database,
            self.key_arn,
            self.credentials.store,
            self.identity.cluster_id,
            DatabaseSize(
                instance_class=service.database_class,
                max_connections=service.database_connections,
                backup_days=service.database_backup_days,
                multi_az=self.args.get("database_multi_az", True),
            ),
        )

    # --- nodes ---------------------------------------------------------------------------------

    def start_nodes(self) -> Roll:
        """Start the machines, one behind the gate of the other."""
        runtime = Runtime(
            cluster_id=self.identity.cluster_id,
            directory_ids=self.identity.directory_ids,
            bucket=self.bucket,
            database=_database_facts(self.database),
            image=self.image.reference,
            log_group=self.logs.name,
            machine_image=machine_image(
                self.scope,
                self.service,
                self.args.get("machine_image_id"),
                self.args.get("machine_image_renewal", ""),
                self.profile,
            ),
            connection=self._connection(),
            key_arn=self.key_arn,
            needed_at_boot=(
                *self.network.ways_out,
                *self.firewall.rules,
                *(self.database.needed_at_boot if self.database else ()),
            ),
            on_shortage=self.args.get("on_shortage", "refuse"),
            node_timeout_seconds=self.args.get("node_timeout_seconds", _NODE_TIMEOUT_SECONDS),
            region=self.service.region,
            profile=self.profile,
        )
        return run_nodes(
            self.scope, self.service, self.nodes, self.credentials, self._roles(), runtime
        )

    def finalise(self, nodes: Sequence[NodeReady | NodeStop]) -> None:
        """Raise the feature level, once every node runs the version.

        It depends on the guards too: when the service goes it goes first, and tells them.
        """
        FeatureLevel(
            self.scope.named("feature-level"),
            {
                "service": self.identity.cluster_id,
                "version": self.service.cluster.declaration.version,
                "connection": self._connection(),
            },
            opts=self.scope.options(depends_on=nodes),
        )

    def balance(self, gates: Sequence[NodeReady]) -> None:
        """Give new brokers their share of the replicas, where that is asked for."""
        if self.args.get("rebalance", False):
            ReplicaBalance(
                self.scope.named("balance"),
                {
                    "service": self.identity.cluster_id,
                    "brokers": [node.node_id for node in self.service.cluster.brokers],
                    "connection": self._connection(),
                },
                opts=self.scope.options(depends_on=gates),
            )

    def apply_settings(self, gates: Sequence[NodeReady]) -> None:
        """Set what running nodes take, once they run."""
        settings = dynamic_settings(self.service.cluster.declaration.settings)
        if settings:
            ClusterSettings(
                self.scope.named("settings"),
                {
                    "service": self.identity.cluster_id,
                    "settings": settings,
                    "connection": self._connection(),
                },
                opts=self.scope.options(depends_on=gates),
            )

    def _roles(self) -> Mapping[int, InstanceRole]:
        database = self.database
        keys = [self.key_arn, self.bucket_key, database.kms_key_arn if database else None]
        uses = Belongings(
            bucket=self.bucket,
            key_prefix=self.service.key_prefix,
            region=self.service.region,
            storage_region=self.service.storage_region,
            database_secret_id=database.secret_id if database else None,
            key_arns=tuple(key for key in keys if key is not None),
            repository_arn=self.repository.arn,
            log_group_arn=self.logs.arn,
            permissions_boundary_arn=self.args.get("permissions_boundary_arn"),
        )
        return {
            node_id: instance_role(
                self.scope, identity.node, self.credentials.nodes[node_id].secret_id, uses
            )
            for node_id, identity in self.nodes.items()
        }

    def _connection(self) -> ConnectionArgs:
        """The administrator's connection, as the gates use it while the cluster still starts."""
        connection: ConnectionArgs = {
            "bootstrap_servers": self._addresses(self._first_brokers(), ports.MTLS),
            # The certificate's id is the secret's; there is one when the secret has its value.
            "identity_secret_id": self.credentials.admin.id,
            "secret_store": self.credentials.store,
            "image": self.image.reference,
            "broker_count": len(self.service.cluster.brokers),
            "diskless": self.service.cluster.declaration.is_diskless,
            "switch_to_diskless": self.service.cluster.declaration.switch_to_diskless,
            "reassignment_throttle": self.service.cluster.declaration.reassignment_throttle,
        }
        if "proxy" in self.args:
            connection["proxy"] = self.args["proxy"]
        return connection

    def _connection_of(self, when_ready: Callable[[Any], pulumi.Output[Any]]) -> ConnectionArgs:
        """The connection as others use it: each part of it that leads to the cluster waits until
        that is ready, and what tells of the service is known from the start.
        """
        connection = self._connection()
        connection["identity_secret_id"] = when_ready(connection["identity_secret_id"])
        connection["bootstrap_servers"] = when_ready(connection["bootstrap_servers"])
        connection["image"] = when_ready(connection["image"])
        return connection

    def _first_brokers(self) -> list[NodePlan]:
        """A broker in each zone. Not all: every topic has the connection as an input, and would
        show a change whenever a broker is added.
        """
        cluster = self.service.cluster
        return list(cluster.brokers[: len(cluster.declaration.zones)])

    def _addresses(self, nodes: Sequence[NodePlan], port: int) -> pulumi.Output[str]:
        known = [self.nodes[node.node_id].interface.private_ip for node in nodes]
        return pulumi.Output.all(*known).apply(
            lambda addresses: ",".join(f"{address}:{port}" for address in addresses)
        )

    # --- outputs -------------------------------------------------------------------------------

    def describe(self, component: InklessService, gates: Sequence[NodeReady]) -> None:
        """Set the component's outputs. Those that lead to the cluster wait until it is ready."""
        ready = pulumi.Output.all(*(gate.id for gate in gates))

        def when_ready(value: Any) -> pulumi.Output[Any]:
            return pulumi.Output.all(value, ready).apply(lambda known: known[0])

        database = self.database
        brokers = self.service.cluster.brokers
        component.bootstrap_servers = when_ready(self._addresses(brokers, ports.CLIENT))
        component.mtls_bootstrap_servers = when_ready(self._addresses(brokers, ports.MTLS))
        component.ca_certificate = self.credentials.authority.certificate
        component.cluster_id = self.identity.cluster_id
        component.client_properties = component.bootstrap_servers.apply(self._client_properties)
        component.connection = self._connection_of(when_ready)
        component.admin_secret_id = self.credentials.admin_secret_id
        component.ca_secret_id = self.credentials.authority_secret_id
        component.database_secret_id = (
            database.secret_id if database else pulumi.Output.from_input("")
        )
        component.node_secret_ids = self._by_name(
            {node: known.secret_id for node, known in self.credentials.nodes.items()}
        )
        component.node_addresses = self._by_name(
            {node: known.interface.private_ip for node, known in self.nodes.items()}
        )
        component.image = self.image.reference
        component.bucket = self.bucket
        component.log_group = self.logs.name
        component.security_group_id = self.firewall.nodes
        component.vpc_id = self.network.vpc_id
        component.subnet_ids = pulumi.Output.all(
            **{zone: subnet.id for zone, subnet in self.network.subnets.items()}
        )

    def _by_name(self, by_id: Mapping[int, pulumi.Output[str]]) -> pulumi.Output[dict[str, str]]:
        return pulumi.Output.all(
            **{self.nodes[node_id].node.name: value for node_id, value in by_id.items()}
        )

    def _client_properties(self, bootstrap_servers: str) -> dict[str, dict[str, str]]:
        return {
            zone: {
                "bootstrap.servers": bootstrap_servers,
                "security.protocol": "SASL_SSL",
                "client.id": f"{self.scope.name},diskless_az={zone}",
            }
            for zone in self.service.cluster.declaration.zones
        }


def _database_facts(database: Database | None) -> dict[str, pulumi.Input[Any]]:
    """What the nodes are told of the database; nothing that means anything without one."""
    if database is None:
        facts = ("host", "name", "user", "trust", "secret_id", "secret_version")
        return {**{f"database_{fact}": "" for fact in facts}, "database_port": 0}
    return {
        "database_host": database.host,
        "database_port": database.port,
        "database_name": database.name,
        "database_user": database.user,
        "database_trust": TRUST_BUNDLE,
        "database_secret_id": database.secret_id,
        "database_secret_version": database.secret_version,
    }


def _stack_region(opts: pulumi.ResourceOptions | None) -> str | None:
    """The region of the default provider; None where the component is given a provider."""
    if opts is not None and (opts.provider or opts.providers or opts.parent):
        return None
    return pulumi.Config("aws").get("region")
