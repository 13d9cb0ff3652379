"""Kafka's access rules as permissions that can be compared."""

from collections.abc import Mapping
from typing import Any, Final

from inkless_pulumi.report.plan import Hidden, State
from inkless_pulumi.report.rights import Permission

__all__ = ["ACCESS_RULE", "acl_permissions"]

ACCESS_RULE: Final = "inkless:index:AccessRule"


def acl_permissions(state: State) -> frozenset[Permission] | None:
    """What an access rule allows or denies. None: not all of it is known yet."""
    inputs = state.inputs
    needed = [inputs.get(name) for name in ("principal", "resourceType", "resourceName")]
    operations = inputs.get("operations")
    if not isinstance(operations, list) or any(
        not isinstance(value, str) for value in (*needed, *operations)
    ):
        return None
    principal, resource_type, resource_name = (str(value) for value in needed)
    host = _text(inputs, "host", "*")
    effect = "Deny" if _text(inputs, "permission", "allow") == "deny" else "Allow"
    prefixed = _text(inputs, "patternType", "literal") == "prefixed"
    resource = f"{resource_type}:{resource_name}{'*' if prefixed else ''}"
    return frozenset(
        Permission(
            principal,
            "*" if operation == "all" else operation,
            resource,
            effect,
            "" if host == "*" else host,
        )
        for operation in operations
    )


def _text(inputs: Mapping[str, Any], name: str, default: str) -> str:
    given = inputs.get(name)
    return default if given is None or isinstance(given, Hidden) else str(given)
