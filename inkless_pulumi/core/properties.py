"""The `server.properties` of a node: the managed settings of its role, then the user's overrides.

Nothing in it is secret: the database password is a reference into a file that exists only in the
node's memory, and everything else is an address, a name or a figure.
"""

from collections.abc import Mapping

from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan, NodePlan
from inkless_pulumi.core.dynamic_settings import static_settings
from inkless_pulumi.core.managed_settings import MANAGED_SETTINGS
from inkless_pulumi.core.managed_values import NodeContext

__all__ = ["ClusterFacts", "render_properties", "server_properties"]


def server_properties(plan: ClusterPlan, node: NodePlan, facts: ClusterFacts) -> dict[str, str]:
    """Every line of a node's `server.properties`, by key, in the order it is written.

    Managed settings come in the order of their table, further overrides after them by name, so that
    the same declaration gives the same text. The roles share the overrides: Kafka ignores what a
    role has no use for, and a controller judges new topics by several of the brokers' settings.
    What running nodes take is not in the file; see `dynamic_settings`.
    """
    context = NodeContext(plan, node, facts)
    properties = {}
    for row in MANAGED_SETTINGS:
        value = row.on(context)
        if value is not None:
            properties[row.key] = value
    properties.update(static_settings(plan.declaration.settings))
    return properties


def render_properties(properties: Mapping[str, str]) -> str:
    """The mapping as text that Java's `Properties.load` reads back to the same mapping."""
    lines = (f"{_escape_key(key)}={_escape_value(value)}\n" for key, value in properties.items())
    return "".join(lines)


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def _escape_key(key: str) -> str:
    return "".join(f"\\{char}" if char in " =:#!" else _escape(char) for char in key)


def _escape_value(value: str) -> str:
    text = "".join(_escape(char) for char in value)
    return f"\\{text}" if text.startswith(" ") else text


def _escape(char: str) -> str:
    """Properties files are Latin-1; anything outside of ASCII is written as UTF-16 code units."""
    if char in _ESCAPES:
        return _ESCAPES[char]
    if " " <= char <= "~":
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
