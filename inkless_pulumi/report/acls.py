"""Kafka's access rules as permissions that can be compared."""

from collections.abc import Mapping
from typing import Any, Final

from inkless_pulumi.core.access_intents import INTENTS, Grant, intent_grants
from inkless_pulumi.report.plan import Hidden, State
from inkless_pulumi.report.rights import Permission

__all__ = ["ACCESS_RULE", "acl_permissions"]

ACCESS_RULE: Final = "inkless:index:AccessRule"


def acl_permissions(state: State) -> frozenset[Permission] | None:
    """What an access rule allows or denies. None: not all of it is known yet."""
    inputs = state.inputs
    if inputs.get("intent") is not None:
        return _of_intent(inputs)
    needed = [inputs.get(name) for name in ("principal", "resourceType", "resourceName")]
    operations = inputs.get("operations")
    if not isinstance(operations, list) or any(
        not isinstance(value, str) for value in (*needed, *operations)
    ):
        return None
    _, resource_type, resource_name = (str(value) for value in needed)
    pattern_type = _text(inputs, "patternType", "literal")
    return _permissions(inputs, Grant(resource_type, resource_name, pattern_type, (*operations,)))


def _of_intent(inputs: Mapping[str, Any]) -> frozenset[Permission] | None:
    """What producing, consuming or administering takes."""
    given = [inputs.get(name) for name in ("intent", "topic", "group", "transactionalId")]
    intent, topic, group, transactional_id = given
    if (
        any(isinstance(value, Hidden) for value in (*given, inputs.get("principal")))
        or intent not in INTENTS
        or not isinstance(topic, str)
    ):
        return None
    grants = intent_grants(str(intent), topic, group, transactional_id)
    return frozenset(right for grant in grants for right in _permissions(inputs, grant))


def _permissions(inputs: Mapping[str, Any], grant: Grant) -> frozenset[Permission]:
    host = _text(inputs, "host", "*")
    effect = "Deny" if _text(inputs, "permission", "allow") == "deny" else "Allow"
    beginning = "*" if grant.pattern_type == "prefixed" else ""
    return frozenset(
        Permission(
            str(inputs.get("principal")),
            "*" if operation == "all" else operation,
            f"{grant.resource_type}:{grant.resource_name}{beginning}",
            effect,
            "" if host == "*" else host,
        )
        for operation in grant.operations
    )


def _text(inputs: Mapping[str, Any], name: str, default: str) -> str:
    given = inputs.get(name)
    return default if given is None or isinstance(given, Hidden) else str(given)
