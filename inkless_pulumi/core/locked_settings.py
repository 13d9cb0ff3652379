"""The settings that nobody may override although no row manages them, and the prefixed families.

A family is a set of keys that Kafka passes on to a plugin or a listener under a prefix and never
checks. Each is decided here: which of its keys a user may set, and that all others are refused.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from inkless_pulumi.core.catalogue import Setting, broker_settings


@dataclass(frozen=True)
class Lock:
    """Keys that are refused, and why."""

    pattern: re.Pattern[str]
    reason: str
    remedy: str


def _lock(pattern: str, reason: str, remedy: str = "leave it out") -> Lock:
    return Lock(re.compile(pattern), reason, remedy)


_TLS = "TLS and who is trusted are managed, so that no listener can be weakened by accident"
_CREDENTIALS = (
    "nodes use their own identity, and a credential here would be readable in the rendered files"
)
_TOPIC_KIND = "whether a topic is diskless or tiered is said by the topic's own resource"
_USE_TOPIC = "declare a DisklessTopic, or a ClassicTopic with remote.storage.enable"
_ONE_DATABASE = "separate pools for reading and writing need credentials that are not managed"

LOCKS: Final = (
    _lock(r"ssl\..*|security\..*|sasl\..*|principal\.builder\.class", _TLS),
    _lock(r"delegation\.token\..*", "delegation tokens need a secret that is not managed"),
    _lock(r"broker\.id", "a node's id is its node.id"),
    _lock(r"log\.dir|metadata\.log\.dir", "data lies on the data volume"),
    _lock(
        r"controller\.quorum\.voters", "the quorum is dynamic; its voters are in the metadata log"
    ),
    _lock(r"early\.start\.listeners", "listeners are managed"),
    _lock(
        r"log\.diskless\.enable|diskless\.force\..*|classic\.remote\.storage\.force\..*",
        _TOPIC_KIND,
        _USE_TOPIC,
    ),
    _lock(
        r"diskless\.(storage\.system|managed\.rf)\.enable",
        "the argument cluster_type decides it",
        "set cluster_type",
    ),
    _lock(
        r"diskless\.allow\.from\.classic\.enable",
        "the argument switch_to_diskless decides it",
        "set switch_to_diskless",
    ),
    _lock(
        r"remote\.log\.(storage\.system\.enable|(storage|metadata)\.manager\..*)",
        "the argument tiered_storage decides it",
        "set tiered_storage",
    ),
    _lock(
        r"inkless\.control\.plane\.(read|write)\..*",
        _ONE_DATABASE,
        "raise database_max_connections_per_node instead",
    ),
    _lock(
        r"inkless\.storage\.(aws\.(access\.key\.id|secret\.access\.key|session\.token"
        r"|credentials\..*)|gcs\.credentials\..*|azure\.(account\.key|sas\.token|connection\.string))",
        _CREDENTIALS,
    ),
    _lock(
        r"inkless\.storage\.aws\.certificate\.check\.enabled",
        "the object store's certificate is always verified",
    ),
)
"""In this order; the first that matches gives the reason."""

LOADABLE_CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "replica.selector.class": ("org.apache.kafka.common.replica.RackAwareReplicaSelector",),
}
"""The classes that an image surely has, for settings that name one; a node that can't load a class
does not start."""

_LISTENER_KEYS: Final = (
    "connections.max.reauth.ms",
    "max.connection.creation.rate",
    "max.connections",
)


@dataclass(frozen=True)
class Family:
    """A prefixed family of settings."""

    prefix: str
    settings: dict[str, Setting]
    """What a user may set, by full name; all else in the family is refused."""
    needs_tiered_storage: bool = False


def _named(*settings: Setting) -> dict[str, Setting]:
    return {setting.name: setting for setting in settings}


FAMILIES: Final = (
    Family(
        "listener.name.",
        _named(
            *(
                replace(broker_settings()[key], name=f"listener.name.{listener}.{key}")
                for listener in ("client", "mtls")
                for key in _LISTENER_KEYS
            )
        ),
    ),
    Family(
        "rsm.config.",
        _named(Setting("rsm.config.chunk.size", "int", min=1, max=1073741823)),
        needs_tiered_storage=True,
    ),
    Family(
        "rlmm.config.",
        _named(
            Setting("rlmm.config.remote.log.metadata.topic.num.partitions", "int", min=1),
            Setting("rlmm.config.remote.log.metadata.topic.retention.ms", "long", min=-1),
        ),
        needs_tiered_storage=True,
    ),
)
