"""The rules of users and access rules: names, passwords, and Kafka's vocabulary of ACLs.

Arguments that are None are not known yet, or left out. Sources: `ResourceType`, `AclOperation` and
`AclEntry.supportedOperations` of Kafka 4.2.1, RFC 5802 for names, and `ScramMechanism`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.model_errors import suggestion

USER_TYPE: Final = "User"
ANYONE: Final = "*"
CLUSTER_NAME: Final = "kafka-cluster"
"""The one name a resource of type `cluster` has."""
RESERVED_PREFIX: Final = "inkless-"
"""`inkless-node` and `inkless-admin` may do everything; a user named so would be one of them."""

FEWEST_ITERATIONS: Final = 4096
MOST_ITERATIONS: Final = 16384
"""Brokers refuse SCRAM credentials outside of these."""

_CONFIGURABLE: Final = ("alter_configs", "describe_configs")
OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "topic": ("read", "write", "create", "describe", "delete", "alter", *_CONFIGURABLE, "all"),
    "group": ("read", "describe", "delete", *_CONFIGURABLE, "all"),
    "cluster": (
        "create",
        "cluster_action",
        *_CONFIGURABLE,
        "idempotent_write",
        "alter",
        "describe",
        "all",
    ),
    "transactional_id": ("describe", "write", "two_phase_commit", "all"),
    "delegation_token": ("describe", "all"),
    "user": ("create_tokens", "describe_tokens", "all"),
}
"""The operations that can be allowed or denied on each type of resource."""
PATTERN_TYPES: Final = ("literal", "prefixed")
PERMISSIONS: Final = ("allow", "deny")

_USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")
_TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


def user_name_problems(path: str, name: str) -> list[Problem]:
    """Whether a user can have this name."""
    if not _USER_NAME.fullmatch(name):
        rule = "a user's name is 1 to 128 letters, digits and . _ @ -, and begins with no sign"
        return [Problem(path, name, rule, 'choose a name like "orders-writer"')]
    if name.startswith(RESERVED_PREFIX) or name == "ANONYMOUS":
        rule = "is reserved: nodes and the administrator have names like it and may do everything"
        return [
            Problem(path, name, rule, f'choose a name that does not begin with "{RESERVED_PREFIX}"')
        ]
    return []


def iteration_problems(iterations: int, path: str = "iterations") -> list[Problem]:
    """Whether brokers take SCRAM credentials of so many iterations."""
    if FEWEST_ITERATIONS <= iterations <= MOST_ITERATIONS:
        return []
    rule = f"brokers take {FEWEST_ITERATIONS} to {MOST_ITERATIONS} iterations"
    return [Problem(path, iterations, rule, "leave it out for 8192")]


def access_rule_problems(known: Mapping[str, object]) -> list[Problem]:
    """Every rule that an access rule breaks, as far as its arguments are known.

    `known` maps names of arguments to values; what is absent is passed over.
    """

    def text(argument: str) -> str | None:
        value = known.get(argument)
        return value if isinstance(value, str) else None

    principal, host, resource_name = text("principal"), text("host"), text("resource_name")
    resource_type, pattern_type = text("resource_type"), text("pattern_type")
    operations = known.get("operations")
    problems = [] if principal is None else _principal_problems(principal)
    problems += [] if host is None else _host_problems(host)
    for path, word, words in (
        ("resource_type", resource_type, tuple(OPERATIONS)),
        ("pattern_type", pattern_type, PATTERN_TYPES),
        ("permission", text("permission"), PERMISSIONS),
    ):
        problems += _word_problems(path, word, words)
    if isinstance(operations, (list, tuple)):
        problems += _operation_problems(operations, resource_type)
    if resource_name is not None:
        problems += _resource_name_problems(resource_type, resource_name, pattern_type)
    return problems


def _principal_problems(principal: str) -> list[Problem]:
    kind, colon, name = principal.partition(":")
    if kind != USER_TYPE or not colon:
        rule = "a principal is written User:<name>"
        return [Problem("principal", principal, rule, f'use "User:{principal.split(":")[-1]}"')]
    if name == ANYONE:
        return []
    found = user_name_problems("principal", name)
    return [replace(problem, value=principal) for problem in found]


def _host_problems(host: str) -> list[Problem]:
    """Kafka compares a rule's host to a client's address as text; names and ranges never match."""
    if host == ANYONE:
        return []
    try:
        ip_address(host)
    except ValueError:
        rule = "Kafka compares a host with the client's address, so names and ranges never match"
        return [Problem("host", host, rule, 'use one IP address, or "*" for any')]
    return []


def _word_problems(path: str, word: str | None, words: Sequence[str]) -> list[Problem]:
    if word is None or word in words:
        return []
    rule = f"is not one of {', '.join(words)}"
    return [Problem(path, word, rule, suggestion(word.lower(), words, "word"))]


def _operation_problems(operations: Sequence[str], resource_type: str | None) -> list[Problem]:
    if not operations:
        return [Problem("operations", [], "must not be empty", "name one operation at least")]
    all_words = tuple(dict.fromkeys(word for words in OPERATIONS.values() for word in words))
    possible = OPERATIONS.get(resource_type or "", all_words)
    problems = []
    for index, operation in enumerate(operations):
        path = f"operations[{index}]"
        if operation in all_words and operation not in possible:
            rule = f"is not an operation on a {resource_type}"
            remedy = f"use any of {', '.join(possible)}"
            problems.append(Problem(path, operation, rule, remedy))
        elif operation in operations[:index]:
            problems.append(Problem(path, operation, "is named twice", "remove one"))
        else:
            problems += _word_problems(path, operation, all_words)
    return problems


def _resource_name_problems(
    resource_type: str | None, name: str, pattern_type: str | None
) -> list[Problem]:
    path = "resource_name"
    if not name:
        return [Problem(path, name, "must not be empty", 'use "*" for all')]
    if resource_type == "cluster" and name != CLUSTER_NAME:
        rule = f'the cluster is named "{CLUSTER_NAME}" in access rules'
        return [Problem(path, name, rule, f'use "{CLUSTER_NAME}"')]
    if name == ANYONE and pattern_type == "prefixed":
        rule = "with prefixed, * is a beginning like any other and matches nothing"
        return [Problem(path, name, rule, 'use pattern_type "literal" for all')]
    if resource_type == "topic" and name != ANYONE and not _TOPIC_NAME.fullmatch(name):
        rule = "no topic has a name like this, so the rule would never apply"
        remedy = 'give a topic\'s name, or its beginning and pattern_type "prefixed"'
        return [Problem(path, name, rule, remedy)]
    return []
