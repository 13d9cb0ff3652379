"""What a preview plans: resources, each with what happens to it. Independent of how it was told."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Final

__all__ = [
    "Action",
    "Diagnostic",
    "Hidden",
    "Plan",
    "Resource",
    "State",
    "plain",
    "refusals",
    "same",
]


class Hidden(Enum):
    """A value that a preview does not show."""

    UNKNOWN = "known after the update"
    SECRET = "secret"

    def __str__(self) -> str:
        return f"({self.value})"


_UNKNOWN: Final = frozenset(
    (
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    )
)
"""What Pulumi's engine writes for a value it does not know yet: text, boolean, number, list, asset,
archive, object (`sdk/go/common/resource/plugin/rpc.go`)."""
_SECRET: Final = "[secret]"
_UNHANDLED: Final = re.compile(r"Traceback \(most recent|unhandled exception|exited with")
_STANDARD_ERROR: Final = re.compile(r"Traceback \(most recent call last\)")
_GONE: Final = re.compile(r"^Detected that .* exited prematurely")
_BROKEN_OFF: Final = re.compile(
    r"code = (Unavailable|Canceled)|connection refused|context canceled|error reading from server"
    r"|resource monitor shut down"
)
"""What the engine says of calls that were under way when the program ended and its plugins were
killed."""
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"


def plain(value: Any) -> Any:
    """A value from the wire, with `Hidden` in place of what is secret or not known yet."""
    if isinstance(value, str):
        if value in _UNKNOWN:
            return Hidden.UNKNOWN
        return Hidden.SECRET if value == _SECRET else value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET_SIGNATURE:
            return Hidden.SECRET
        return {str(name): plain(item) for name, item in value.items()}
    return value


def same(old: Any, new: Any) -> bool:
    """Whether a value stays: what will be known only later may change, two secrets may not."""
    return old is not Hidden.UNKNOWN and new is not Hidden.UNKNOWN and bool(old == new)


class Action(Enum):
    """What happens to a resource."""

    SAME = "same"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


class State:
    """A resource before or after the update."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """What the program declares."""
        return _properties(self._raw.get("inputs"))

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """What the provider answers."""
        return _properties(self._raw.get("outputs"))

    @property
    def id(self) -> str:
        """The provider's id; empty where it is not known."""
        found = plain(self._raw.get("id"))
        return found if isinstance(found, str) else ""

    @property
    def protected(self) -> bool:
        """Whether the engine refuses to delete or replace it."""
        return bool(self._raw.get("protect"))

    @property
    def retained(self) -> bool:
        """Whether it stays in the account when the program no longer has it."""
        return bool(self._raw.get("retainOnDelete"))

    @property
    def parent(self) -> str:
        """The parent's URN; empty where there is none."""
        return str(self._raw.get("parent") or "")


def _properties(raw: Any) -> Mapping[str, Any]:
    found = plain(raw)
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Resource:
    """A resource and what happens to it."""

    urn: str
    action: Action
    old: State | None = None
    new: State | None = None
    changed: tuple[str, ...] = ()
    """The paths of the properties that the provider says change, in the engine's order."""
    replaced_for: tuple[str, ...] = ()
    """Those of them that replace it. None for a replacement: something it depends on is replaced"""

    @property
    def type(self) -> str:
        """The type's token, `aws:ec2/instance:Instance`."""
        return self.urn.split("::")[2].rpartition("$")[2] if self.urn.count("::") > 2 else ""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def state(self) -> State:
        """As it will be; as it was, where it goes."""
        found = self.new or self.old
        return found if found is not None else State({})

    @property
    def parent(self) -> str:
        """The parent's URN."""
        return self.state.parent

    @property
    def goes(self) -> bool:
        """Whether what is there now is deleted, replaced or not."""
        return self.action in (Action.DELETE, Action.REPLACE)

    @property
    def retained(self) -> bool:
        """Whether it stays in the account although the program no longer has it."""
        return self.old is not None and self.old.retained

    @property
    def touched(self) -> bool:
        """Whether anything happens to it."""
        return self.action not in (Action.SAME, Action.READ)

    def before(self, name: str, default: Any = None) -> Any:
        """A property as it was declared."""
        return self.old.inputs.get(name, default) if self.old else default

    def after(self, name: str, default: Any = None) -> Any:
        """A property as it will be declared."""
        return self.new.inputs.get(name, default) if self.new else default

    def changes(self, name: str) -> bool:
        """Whether a declared property changes, or may once it is known."""
        return not same(self.before(name), self.after(name))


@dataclass(frozen=True)
class Diagnostic:
    """What the engine, a provider or the program said."""

    severity: str
    """`info`, `info#err` (standard error of the program), `warning` or `error`."""
    message: str
    urn: str = ""

    @property
    def crash(self) -> bool:
        """Whether it tells of a program that failed, instead of a declaration that is wrong."""
        if self.severity == "error":
            return bool(_UNHANDLED.search(self.message))
        return self.severity == "info#err" and bool(_STANDARD_ERROR.match(self.message))

    @property
    def plugin_gone(self) -> bool:
        """Whether it tells of a plugin that ended, by itself or killed by the engine."""
        return self.severity == "error" and bool(_GONE.search(self.message))


def refusals(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The errors that refuse something: no crash, and nothing that only followed from one."""
    said = tuple(diagnostics)
    crashed = any(one.crash for one in said)
    return tuple(
        one
        for one in said
        if one.severity == "error" and not one.crash and not one.plugin_gone
        if not (crashed and _BROKEN_OFF.search(one.message))
    )


@dataclass(frozen=True)
class Plan:
    """A preview, read."""

    resources: tuple[Resource, ...] = ()
    """By URN: where the engine does several things at a time, its own order is chance."""
    order: tuple[tuple[str, str], ...] = ()
    """Each step as operation and URN, in the order of the update."""
    diagnostics: tuple[Diagnostic, ...] = ()
    violations: tuple[Diagnostic, ...] = ()
    """Policies that are violated; mandatory ones are errors."""
    config: Mapping[str, str] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    """Why this is not a whole preview; empty for one that is."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Resources by operation, as the engine counted them."""

    @cached_property
    def _by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def _by_type(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Resource]:
        return {(resource.parent, resource.name): resource for resource in self.resources}

    def get(self, urn: str) -> Resource | None:
        """The resource of a URN."""
        return self._by_urn.get(urn)

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        for token in types:
            yield from self._by_type.get(token, ())

    def sibling(self, of: Resource, name: str) -> Resource | None:
        """The resource of a logical name under the same parent."""
        return self._by_name.get((of.parent, name))

    @property
    def touched(self) -> Iterable[Resource]:
        """What anything happens to."""
        return (resource for resource in self.resources if resource.touched)

    @property
    def unchanged_shown(self) -> bool:
        """Whether the preview tells of resources that stay as they are."""
        shown = sum(resource.action is Action.SAME for resource in self.resources)
        return shown >= self.counts.get("same", 0)

    @property
    def refusals(self) -> tuple[Diagnostic, ...]:
        """What a provider, a policy of the engine's or the program refuses."""
        return refusals(self.diagnostics)
