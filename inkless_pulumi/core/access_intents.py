"""Access by intent: what producing, consuming and administering takes, in Kafka's vocabulary.

Names may end in `*`, for all that begin so. Source: the operations that Kafka's brokers check, by
request (`KafkaApis` of 4.2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from inkless_pulumi.core.access import ANYONE, access_rule_problems
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.model_errors import suggestion

__all__ = ["INTENTS", "Grant", "intent_grants", "rule_problems"]

_RAW: Final = ("resource_type", "resource_name", "operations")
_BY_INTENT: Final = ("topic", "group", "transactional_id")
INTENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "produce": ("write", "describe"),
    "consume": ("read", "describe"),
    "admin": ("create", "delete", "alter", "alter_configs", "describe", "describe_configs"),
}
"""The operations on topics that each intent takes. An administrator of topics reads no records."""
_ON_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "consume": ("read", "describe"),
    "admin": ("delete", "describe"),
}
_ON_TRANSACTIONAL_IDS: Final = ("write", "describe")


@dataclass(frozen=True)
class Grant:
    """Operations on one resource, or on those whose names begin alike."""

    resource_type: str
    resource_name: str
    pattern_type: str
    operations: tuple[str, ...]


def intent_grants(
    intent: str, topic: str, group: str | None = None, transactional_id: str | None = None
) -> tuple[Grant, ...]:
    """What an intent takes.

    Args:
        intent: one of `INTENTS`.
        topic: name of the topic, or a beginning and `*`.
        group: likewise, of the consumer group.
        transactional_id: likewise, of a producer's transactions.
    """
    grants = [_grant("topic", topic, INTENTS[intent])]
    if group is not None:
        grants.append(_grant("group", group, _ON_GROUPS[intent]))
    if transactional_id is not None:
        grants.append(_grant("transactional_id", transactional_id, _ON_TRANSACTIONAL_IDS))
    return tuple(grants)


def _grant(resource_type: str, name: str, operations: tuple[str, ...]) -> Grant:
    if name.endswith("*") and name != ANYONE:
        return Grant(resource_type, name[:-1], "prefixed", operations)
    return Grant(resource_type, name, "literal", operations)


def rule_problems(known: Mapping[str, object]) -> list[Problem]:
    """Every rule that an access rule breaks, by intent or raw, as far as its arguments are known.

    `known` maps names of arguments to values; None is one that was left out, and what is absent is
    not known yet.
    """
    if known.get("intent") is None:
        return [*_missing(known), *access_rule_problems(known)]
    problems = [
        Problem(argument, known[argument], "does not go with intent", "leave one of them out")
        for argument in (*_RAW, "pattern_type")
        if known.get(argument) is not None
    ]
    return problems or [*_intent_problems(known), *_as_raw(known)]


def _missing(known: Mapping[str, object]) -> list[Problem]:
    """What a raw rule lacks, or has that only an intent has."""
    if "intent" not in known:
        return []
    foreign = [name for name in _BY_INTENT if known.get(name) is not None]
    if foreign:
        rule = f"needs an intent: {', '.join(INTENTS)}"
        return [Problem(foreign[0], known[foreign[0]], rule, "say what the principal intends")]
    return [
        Problem(argument, None, "is required", "give it a value, or use intent and topic instead")
        for argument in _RAW
        if argument in known and known[argument] is None
    ]


def _intent_problems(known: Mapping[str, object]) -> list[Problem]:
    intent = known["intent"]
    if not isinstance(intent, str) or intent not in INTENTS:
        rule = f"is not one of {', '.join(INTENTS)}"
        return [Problem("intent", intent, rule, suggestion(str(intent).lower(), INTENTS, "word"))]
    problems = []
    if "topic" in known and known["topic"] is None:
        remedy = 'name it, or end in * for all that begin so: "orders.*"'
        problems.append(Problem("topic", None, f"is what one may {intent} on", remedy))
    if intent == "consume" and "group" in known and known["group"] is None:
        rule = "is required: a consumer reads as a member of a group"
        problems.append(Problem("group", None, rule, 'name it, or end in *: "orders-service*"'))
    if intent == "produce" and known.get("group") is not None:
        rule = "has no meaning for a producer"
        problems.append(Problem("group", known["group"], rule, "leave it out"))
    if intent != "produce" and known.get("transactional_id") is not None:
        rule = "belongs to a producer"
        remedy = 'leave it out, or declare another rule with intent "produce"'
        problems.append(Problem("transactional_id", known["transactional_id"], rule, remedy))
    return problems


def _as_raw(known: Mapping[str, object]) -> list[Problem]:
    """Problems of principal and host, and of names by the rules of raw ones."""
    problems = access_rule_problems(
        {name: known[name] for name in ("principal", "host", "permission") if name in known}
    )
    for argument in _BY_INTENT:
        name = known.get(argument)
        if isinstance(name, str):
            grant = _grant(argument, name, ())
            raw = {
                "resource_type": argument,
                "resource_name": grant.resource_name,
                "pattern_type": grant.pattern_type,
            }
            problems += [
                Problem(argument, name, problem.rule, "give a name, or its beginning and *")
                for problem in access_rule_problems(raw)
            ]
    return problems
