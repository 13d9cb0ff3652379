"""The managed settings: every line of `server.properties` that this package decides, and why.

One table, one row a setting: its key, its value (text, or a function of the node that may leave the
line out), the reason for it, the roles that have it, the services that have it, and whether a user
may override it. What is not in the table keeps Kafka's default.

The table as a whole, role by role, is a configuration that was run on Inkless 4.2.1-0.47.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from inkless_pulumi.core import managed_values as node
from inkless_pulumi.core.managed_values import ANY_ROLE, BROKERS, CONTROLLERS, NodeContext
from inkless_pulumi.core.node_paths import (
    CA_CERTIFICATE,
    DATA_DIRECTORY,
    NODE_CERTIFICATE,
    SECRETS_DIRECTORY,
)

_SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_DISTINGUISHED_NAMES = ",".join(
    (
        "RULE:^CN=node-[0-9]+,OU=nodes,O=inkless$/inkless-node/",
        "RULE:^CN=inkless-admin,OU=admins,O=inkless$/inkless-admin/",
        "RULE:^CN=((?!inkless-)[A-Za-z0-9._-]+),OU=clients,O=inkless$/$1/",
    )
)
_TIERED_CLIENT = "rlmm.config.remote.log.metadata.common.client"


@dataclass(frozen=True)
class ManagedSetting:
    """One row of the table."""

    key: str
    value: str | Callable[[NodeContext], str | None]
    reason: str
    """Why it has this value: a clause that an error about overriding it can end with."""
    roles: frozenset[str] = ANY_ROLE
    when: node.Condition = node.always
    locked: bool = True

    def on(self, context: NodeContext) -> str | None:
        """The value on a node; None where the node has no such line."""
        if self.roles.isdisjoint(context.node.roles) or not self.when(context.service):
            return None
        return self.value if isinstance(self.value, str) else self.value(context)


def _row(
    key: str,
    value: str | Callable[[NodeContext], str | None],
    reason: str,
    roles: frozenset[str] = ANY_ROLE,
    when: node.Condition = node.always,
) -> ManagedSetting:
    return ManagedSetting(key, value, reason, roles, when, locked=True)


def _default(
    key: str,
    value: str | Callable[[NodeContext], str | None],
    reason: str,
    roles: frozenset[str] = ANY_ROLE,
    when: node.Condition = node.always,
) -> ManagedSetting:
    return ManagedSetting(key, value, reason, roles, when, locked=False)


_IDENTITY = (
    _row("process.roles", node.roles, "the topology decides what each node does"),
    _row("node.id", node.node_id, "a node keeps its id for life"),
    _row("broker.rack", node.zone, "replicas are spread over zones by it", BROKERS),
    _row("log.dirs", DATA_DIRECTORY, "it is where the data volume is mounted"),
)

_QUORUM = (
    _row(
        "controller.quorum.bootstrap.servers",
        node.quorum,
        "in a dynamic quorum a controller that lost its volume comes back and forgets no votes",
    ),
    _row(
        "controller.quorum.auto.join.enable",
        "true",
        "a controller with a new volume joins by itself; Kafka refuses the line on a lone broker",
        CONTROLLERS,
        node.can_auto_join,
    ),
    _row("controller.listener.names", "CONTROLLER", "brokers find the quorum by this listener"),
)

_LISTENERS = (
    _row("listeners", node.listeners, "a node listens on its fixed address only"),
    _row("advertised.listeners", node.advertised_listeners, "it must match the listeners", BROKERS),
    _row(
        "listener.security.protocol.map",
        "CLIENT:SASL_SSL,MTLS:SSL,BROKER:SSL,CONTROLLER:SSL",
        "no listener is plaintext",
    ),
    _row("inter.broker.listener.name", "BROKER", "brokers talk to each other by mTLS", BROKERS),
    _row(
        "listener.name.client.sasl.enabled.mechanisms",
        "SCRAM-SHA-512,SCRAM-SHA-256",
        "users have a password; Kafka keeps one a mechanism, so a rotation needs a second one",
        BROKERS,
    ),
    *(
        _row(
            f"listener.name.client.{mechanism}.sasl.jaas.config",
            _SCRAM_LOGIN,
            "without the line the listener accepts nobody",
            BROKERS,
        )
        for mechanism in ("scram-sha-512", "scram-sha-256")
    ),
    _row(
        "listener.name.client.ssl.client.auth",
        "none",
        "a client of this listener has a password instead of a certificate",
        BROKERS,
    ),
)

_TLS = (
    _row("config.providers", "file", "secrets are read from a file in memory"),
    _row(
        "config.providers.file.class",
        "org.apache.kafka.common.config.provider.FileConfigProvider",
        "secrets are read from a file in memory",
    ),
    _row(
        "config.providers.file.param.allowed.paths",
        SECRETS_DIRECTORY,
        "nothing but the secrets may be read that way",
    ),
    _row("ssl.keystore.type", "PEM", "keys are stored as PEM"),
    _row("ssl.keystore.location", NODE_CERTIFICATE, "the key is in memory only"),
    _row("ssl.truststore.type", "PEM", "the CA is stored as PEM"),
    _row("ssl.truststore.location", CA_CERTIFICATE, "only the service's own CA is trusted"),
    _row("ssl.client.auth", "required", "nodes and administrators prove who they are"),
    _row("ssl.endpoint.identification.algorithm", "https", "certificates are for one address"),
    _row("ssl.enabled.protocols", "TLSv1.3,TLSv1.2", "older protocols are broken"),
    _row(
        "ssl.principal.mapping.rules",
        _DISTINGUISHED_NAMES,
        "without a DEFAULT rule any other certificate is refused, and no client can be named like "
        "a node or the administrator",
    ),
)

_AUTHORISATION = (
    _row(
        "authorizer.class.name",
        "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "access rules are kept in the metadata log",
    ),
    _row(
        "super.users",
        f"{node.NODE_PRINCIPAL};{node.ADMIN_PRINCIPAL}",
        "nodes and the administrator, by one name each, so that a new node changes no other",
    ),
    _row("allow.everyone.if.no.acl.found", "false", "nothing is allowed by default"),
)

_DURABILITY = (
    _row("default.replication.factor", node.replication_factor, "a zone may be lost"),
    _row(
        "min.insync.replicas",
        node.min_insync_replicas,
        "an acknowledged record is on two nodes; the active controller's value rules, so every "
        "role has it",
    ),
    _row("unclean.leader.election.enable", "false", "no acknowledged record may be lost"),
    _row("controlled.shutdown.enable", "true", "a node hands over its partitions before it stops"),
    _row(
        "auto.create.topics.enable",
        "false",
        "a produce after a refused creation would make a topic that nobody declared",
    ),
    _default("num.partitions", "3", "a topic uses all three zones from the start"),
    _default(
        "replica.selector.class",
        "org.apache.kafka.common.replica.RackAwareReplicaSelector",
        "a consumer that names its zone reads there, which costs no traffic between zones",
        BROKERS,
    ),
)

_INTERNAL_TOPICS = tuple(
    _row(key, value, reason)
    for prefix, min_isr in (
        ("offsets.topic", None),
        ("transaction.state.log", "transaction.state.log.min.isr"),
        ("share.coordinator.state.topic", "share.coordinator.state.topic.min.isr"),
    )
    for key, value, reason in (
        (f"{prefix}.replication.factor", node.replication_factor, "a zone may be lost"),
        (min_isr, node.min_insync_replicas, "an acknowledged record is on two nodes"),
        (
            f"{prefix}.num.partitions",
            "12",
            "it spreads evenly over 3, 6 or 12 brokers and must not change once the topic exists",
        ),
    )
    if key is not None
)

_DISKLESS = (
    _row(
        "diskless.storage.system.enable",
        "true",
        "every node of an Inkless service takes part, controllers too",
        when=node.is_diskless,
    ),
    _row(
        "diskless.managed.rf.enable",
        "true",
        "diskless topics get real, zone-aware replica sets",
        when=node.is_diskless,
    ),
    _row(
        "diskless.allow.from.classic.enable",
        "true",
        "the argument switch_to_diskless decides it; the controllers judge a switch by it",
        when=node.can_switch,
    ),
    _row(
        "log.diskless.enable",
        "false",
        "whether a topic is diskless is said by the topic's own resource",
        when=node.is_diskless,
    ),
    _default(
        "inkless.consume.cache.max.bytes",
        node.consume_cache_bytes,
        "the default bounds the cache by entries of up to 16 MiB, which a small heap can't hold",
        when=node.is_diskless,
    ),
)

_CONTROL_PLANE = tuple(
    _row(key, value, reason, when=node.is_diskless)
    for key, value, reason in (
        (
            "inkless.control.plane.class",
            "io.aiven.inkless.control_plane.postgres.PostgresControlPlane",
            "the default is in memory and loses every diskless topic at a restart",
        ),
        ("inkless.control.plane.connection.string", node.jdbc_url, "the service has one database"),
        ("inkless.control.plane.username", node.database_user, "the service has one database"),
        (
            "inkless.control.plane.password",
            node.database_password,
            "passwords are read from memory, never rendered",
        ),
        (
            "inkless.control.plane.max.connections",
            node.database_connections,
            "the database is sized by the argument database_max_connections_per_node",
        ),
        (
            "inkless.control.plane.batch.coalescing.enabled",
            "false",
            "its default changes between releases, and what it writes older brokers can't read",
        ),
    )
)

_OBJECT_STORAGE = (
    _row(
        "inkless.object.key.prefix",
        node.prefix,
        "the nodes' rights end at the argument storage.prefix",
        when=node.is_diskless,
    ),
    *(
        _row(key, value, "the argument storage decides it", when=node.is_diskless_on("s3"))
        for key, value in (
            (
                "inkless.storage.backend.class",
                "io.aiven.inkless.storage_backend.s3.S3Storage",
            ),
            ("inkless.storage.s3.bucket.name", node.bucket),
            ("inkless.storage.s3.region", node.region),
            ("inkless.storage.s3.endpoint.url", node.endpoint),
            ("inkless.storage.s3.path.style.access.enabled", node.path_style),
        )
    ),
    *(
        _row(key, value, "the argument storage decides it", when=node.is_diskless_on("gcs"))
        for key, value in (
            (
                "inkless.storage.backend.class",
                "io.aiven.inkless.storage_backend.gcs.GcsStorage",
            ),
            ("inkless.storage.gcs.bucket.name", node.bucket),
            ("inkless.storage.gcs.credentials.default", "true"),
            ("inkless.storage.gcs.endpoint.url", node.endpoint),
        )
    ),
)

_TIERED_STORAGE = (
    _row(
        "remote.log.storage.system.enable",
        "true",
        "the argument tiered_storage decides it; controllers judge new topics by it too",
        when=node.is_tiered,
    ),
    *(
        _row(key, value, "the argument tiered_storage decides it", BROKERS, node.is_tiered)
        for key, value in (
            (
                "remote.log.storage.manager.class.name",
                "io.aiven.kafka.tieredstorage.RemoteStorageManager",
            ),
            ("remote.log.storage.manager.class.path", node.tiered_class_path),
            ("remote.log.metadata.manager.listener.name", "BROKER"),
            (
                "rlmm.config.remote.log.metadata.topic.replication.factor",
                node.replication_factor,
            ),
            (f"{_TIERED_CLIENT}.ssl.keystore.type", "PEM"),
            (f"{_TIERED_CLIENT}.ssl.keystore.location", NODE_CERTIFICATE),
            (f"{_TIERED_CLIENT}.ssl.truststore.type", "PEM"),
            (f"{_TIERED_CLIENT}.ssl.truststore.location", CA_CERTIFICATE),
            ("rsm.config.key.prefix", node.tiered_prefix),
        )
    ),
    _default(
        "rsm.config.chunk.size",
        "4194304",
        "the plugin has no default; 4 MiB is one ranged read of a segment",
        BROKERS,
        node.is_tiered,
    ),
    *(
        _row(key, value, "the argument storage decides it", BROKERS, node.is_tiered_on("s3"))
        for key, value in (
            (
                "rsm.config.storage.backend.class",
                "io.aiven.kafka.tieredstorage.storage.s3.S3Storage",
            ),
            ("rsm.config.storage.s3.bucket.name", node.bucket),
            ("rsm.config.storage.s3.region", node.region),
            ("rsm.config.storage.s3.endpoint.url", node.endpoint),
            ("rsm.config.storage.s3.path.style.access.enabled", node.path_style),
        )
    ),
    *(
        _row(key, value, "the argument storage decides it", BROKERS, node.is_tiered_on("gcs"))
        for key, value in (
            (
                "rsm.config.storage.backend.class",
                "io.aiven.kafka.tieredstorage.storage.gcs.GcsStorage",
            ),
            ("rsm.config.storage.gcs.bucket.name", node.bucket),
            ("rsm.config.storage.gcs.credentials.default", "true"),
            ("rsm.config.storage.gcs.endpoint.url", node.endpoint),
        )
    ),
)

MANAGED_SETTINGS: Final[tuple[ManagedSetting, ...]] = (
    *_IDENTITY,
    *_QUORUM,
    *_LISTENERS,
    *_TLS,
    *_AUTHORISATION,
    *_DURABILITY,
    *_INTERNAL_TOPICS,
    *_DISKLESS,
    *_CONTROL_PLANE,
    *_OBJECT_STORAGE,
    *_TIERED_STORAGE,
)


def managed_rows(key: str) -> tuple[ManagedSetting, ...]:
    """The rows about a setting; a few have one for each kind of object storage."""
    return tuple(row for row in MANAGED_SETTINGS if row.key == key)
