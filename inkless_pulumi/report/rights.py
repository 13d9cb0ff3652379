"""Rights as sets that can be compared: what policies, access rules and firewall rules allow.

A right covers another when whoever has the first has the second as well. So a rule that is written
in another way, or moved to another resource, is no difference, and one that became wider is.
Denials are rights to refuse: one that goes widens, one that comes narrows.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, Protocol, Self, TypeVar

__all__ = ["Opening", "Permission", "Right", "difference", "permissions"]

_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")


class Right(Protocol):
    """Something that somebody may do."""

    @property
    def allows(self) -> bool:
        """Whether it allows; else it denies."""

    @property
    def to_everybody(self) -> bool:
        """Whether it allows everybody, wherever they are."""

    @property
    def broad(self) -> bool:
        """Whether it may cover more than itself, with conditions or without."""

    @property
    def unconditional(self) -> Self:
        """The same without its condition, which covers it."""

    def covers(self, other: Self) -> bool:
        """Whether the other follows from it."""


R = TypeVar("R", bound=Right)


@dataclass(frozen=True, order=True)
class Permission:
    """A line of a policy or of Kafka's access control: who may do what with which."""

    principal: str
    action: str
    resource: str
    effect: str = "Allow"
    condition: str = ""
    """As canonical JSON; empty for none."""

    @property
    def allows(self) -> bool:
        """Whether it allows; else it denies."""
        return self.effect == "Allow"

    @property
    def to_everybody(self) -> bool:
        """Whether it allows everybody, wherever they are."""
        return self.allows and not self.condition and self.principal in ("*", "AWS:*", "User:*")

    @property
    def broad(self) -> bool:
        """Whether it may cover more than itself, with conditions or without."""
        return "*" in (whole := self.action + self.resource + self.principal) or "?" in whole

    @property
    def unconditional(self) -> "Permission":
        """The same without its condition, which covers it."""
        return replace(self, condition="") if self.condition else self

    def covers(self, other: "Permission") -> bool:
        """Whether the other follows from it."""
        return (
            self.effect == other.effect
            and self.condition in ("", other.condition)
            and (self.principal in ("*", "User:*") or self.principal == other.principal)
            and _matches(self.action.lower(), other.action.lower())
            and _matches(self.resource, other.resource)
        )


@lru_cache(maxsize=10_000)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = (re.escape(part).replace(r"\?", ".") for part in glob.split("*"))
    return re.compile(".*".join(parts), re.DOTALL)


def _matches(glob: str, text: str) -> bool:
    """Whether a pattern covers a name or another pattern. "Everything but" covers itself only."""
    if glob == text or glob == "*":
        return True
    if glob.startswith("not:") or text.startswith("not:"):
        return False
    return ("*" in glob or "?" in glob) and _pattern(glob).fullmatch(text) is not None


def permissions(document: Any, principal: str, resource: str = "*") -> frozenset[Permission] | None:
    """What an IAM policy document allows and denies.

    Args:
        document: the document, as JSON text or read already.
        principal: who has the permissions of a statement that names nobody.
        resource: what a statement without a resource is about.

    Returns: None for what is no policy document, or not known yet.
    """
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return None
    if not isinstance(document, Mapping) or "Statement" not in document:
        return None
    statements = document["Statement"]
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(one, Mapping) for one in statements):
        return None
    return frozenset(
        permission
        for statement in statements
        for permission in _of_statement(statement, principal, resource)
    )


def _of_statement(
    statement: Mapping[str, Any], principal: str, resource: str
) -> Iterator[Permission]:
    condition = statement.get("Condition")
    text = json.dumps(condition, sort_keys=True) if condition else ""
    for who in _principals(statement, principal):
        for action in _named(statement, "Action", "*"):
            for which in _named(statement, "Resource", resource):
                yield Permission(who, action, which, str(statement.get("Effect", "Allow")), text)


def _principals(statement: Mapping[str, Any], default: str) -> Iterator[str]:
    for key, prefix in (("Principal", ""), ("NotPrincipal", "not:")):
        given = statement.get(key)
        if given is None:
            continue
        if isinstance(given, Mapping):
            for kind, names in sorted(given.items()):
                for name in _texts(names):
                    everybody = name == "*" and kind == "AWS"
                    yield f"{prefix}*" if everybody else f"{prefix}{kind}:{name}"
        else:
            yield f"{prefix}{given}"
        return
    yield default


def _named(statement: Mapping[str, Any], key: str, default: str) -> Iterator[str]:
    if key in statement:
        yield from _texts(statement[key])
    elif f"Not{key}" in statement:
        yield "not:" + ",".join(sorted(_texts(statement[f"Not{key}"])))
    else:
        yield default


def _texts(value: Any) -> Iterable[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@dataclass(frozen=True, order=True)
class Opening:
    """A firewall rule: who may send what to whom."""

    source: str
    """A range of addresses, or a group."""
    protocol: str
    """`tcp`, `udp`, …; `-1` for all."""
    first_port: int
    last_port: int
    target: str
    incoming: bool = True

    @property
    def allows(self) -> bool:
        """A firewall rule always allows."""
        return True

    @property
    def to_everybody(self) -> bool:
        """Whether anybody on the internet may come in."""
        return self.incoming and self.source in _EVERYWHERE

    @property
    def ports(self) -> str:
        """Protocol and ports as one says them."""
        if self.protocol == "-1":
            return "everything"
        if self.first_port == self.last_port:
            return f"{self.protocol} {self.first_port}"
        if (self.first_port, self.last_port) in ((-1, -1), (0, 65535)):
            return f"all of {self.protocol}"
        return f"{self.protocol} {self.first_port} to {self.last_port}"

    @property
    def broad(self) -> bool:
        """Whether it may cover more than itself: ranges always may."""
        return True

    @property
    def unconditional(self) -> "Opening":
        """A firewall rule has no condition."""
        return self

    def covers(self, other: "Opening") -> bool:
        """Whether the other follows from it."""
        return (
            self.target == other.target
            and self.incoming == other.incoming
            and self.protocol in ("-1", other.protocol)
            and (self.protocol == "-1" or self._spans(other))
            and _contains(self.source, other.source)
        )

    def _spans(self, other: "Opening") -> bool:
        everything = self.first_port == -1
        return everything or (
            self.first_port <= other.first_port and other.last_port <= self.last_port
        )


def _contains(wide: str, narrow: str) -> bool:
    one, other = _network(wide), _network(narrow)
    if one is None or other is None:
        return wide == narrow
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return other.subnet_of(one)
    if isinstance(one, IPv6Network) and isinstance(other, IPv6Network):
        return other.subnet_of(one)
    return False


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def difference(old: Collection[R], new: Collection[R]) -> tuple[list[R], list[R]]:
    """What comes and what goes: rights on one side that nothing on the other covers."""
    return _uncovered(new, old), _uncovered(old, new)


def _uncovered(rights: Collection[R], by: Collection[R]) -> list[R]:
    known = set(by)
    # Thousands of rules that name one thing each are looked up, and not compared with one another.
    broad = [other for other in known if other.broad]
    return [
        right
        for right in rights
        if right not in known
        and right.unconditional not in known
        and not any(other.covers(right) for other in broad)
    ]
