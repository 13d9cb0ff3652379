"""What Kafka itself takes: a bare kafka-python program that makes the requests of a topic set.

    python -m benchmarks.topics_floor <servers> <CA> <identity> <operation> <count>

It shares no code with the package, does each thing in the plainest way, and waits as the package
does until the broker shows what was asked for.
"""

import ssl
import sys
import time

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    ResourcePattern,
    ResourceType,
)
from kafka.admin._topics import NewTopic

_AT_ONCE = 500
_SIDE_BY_SIDE = 4
"""So many of the eight resources that the engine has in progress share a request; measured."""


def main() -> None:
    """Run one operation."""
    servers, ca, identity, operation, count = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(identity)
    admin = KafkaAdminClient(
        bootstrap_servers=servers, security_protocol="SSL", ssl_context=context
    )
    names = [f"floor.{number}" for number in range(int(count))]
    try:
        _OPERATIONS[operation](admin, names)
    finally:
        admin.close()


def _create(admin: KafkaAdminClient, names: list[str]) -> None:
    for part in _parts(names):
        settings = {"retention.ms": "604800000"}
        topics = [NewTopic(name, 1, 1, topic_configs=settings) for name in part]
        admin.create_topics(topics)
    _await(admin, names, present=True)


def _create_few_at_a_time(admin: KafkaAdminClient, names: list[str]) -> None:
    for first in range(0, len(names), _SIDE_BY_SIDE):
        part = names[first : first + _SIDE_BY_SIDE]
        admin.create_topics([NewTopic(name, 1, 1) for name in part])
        _await(admin, part, present=True)


def _add(admin: KafkaAdminClient, names: list[str]) -> None:
    admin.create_topics([NewTopic("floor.added", 1, 1)])
    _await(admin, ["floor.added"], present=True)


def _look(admin: KafkaAdminClient, names: list[str]) -> None:
    admin.describe_topics(names)
    for part in _parts(names):
        admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in part])


def _change(admin: KafkaAdminClient, names: list[str]) -> None:
    _look(admin, names)
    for part in _parts(names):
        wanted = [
            ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "86400000"})
            for name in part
        ]
        admin.alter_configs(wanted, raise_on_unknown=False)
    _look(admin, names)


def _delete(admin: KafkaAdminClient, names: list[str]) -> None:
    for part in _parts(names):
        admin.delete_topics(part)
    _await(admin, names, present=False)


def _delete_all(admin: KafkaAdminClient, names: list[str]) -> None:
    _delete(admin, [*names, "floor.added"])


def _rules(admin: KafkaAdminClient, names: list[str]) -> None:
    for part in _parts(names):
        admin.create_acls(
            [
                ACL(
                    principal=f"User:{name}",
                    host="*",
                    operation=operation,
                    permission_type=ACLPermissionType.ALLOW,
                    resource_pattern=ResourcePattern(ResourceType.TOPIC, name),
                )
                for name in part
                for operation in (ACLOperation.WRITE, ACLOperation.DESCRIBE)
            ]
        )


def _parts(names: list[str]) -> list[list[str]]:
    return [names[first : first + _AT_ONCE] for first in range(0, len(names), _AT_ONCE)]


def _await(admin: KafkaAdminClient, names: list[str], *, present: bool) -> None:
    wanted = set(names)
    while wanted:
        shown = set(admin.list_topics())
        wanted = wanted - shown if present else wanted & shown
        if wanted:
            time.sleep(0.02)


_OPERATIONS = {
    "create": _create,
    "create few at a time": _create_few_at_a_time,
    "look": _look,
    "change": _change,
    "add": _add,
    "delete": _delete,
    "delete all": _delete_all,
    "rules": _rules,
}

if __name__ == "__main__":
    main()
