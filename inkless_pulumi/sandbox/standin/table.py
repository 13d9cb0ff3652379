"""The table of resource types a stand-in knows: its inputs, and how the cloud treats each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

WireType = str | list[Any] | dict[str, str]
"""A wire type: `string`, `integer`, `number`, `boolean`, `any`, `["array", T]`, `["map", T]`
or `{"ref": name of a nested object}`."""


@dataclass(frozen=True)
class ObjectShape:
    """A nested object: the wire type of each property, and which must be given."""

    properties: Mapping[str, WireType]
    required: frozenset[str]


@dataclass(frozen=True)
class ResourceType:
    """One resource type. Paths are in wire names, `[*]` standing for any element of an array."""

    token: str
    inputs: Mapping[str, WireType]
    outputs: frozenset[str]
    required: frozenset[str]
    replace_on_changes: frozenset[str]
    replace_on_count_change: frozenset[str]
    enums: Mapping[str, list[Any]]
    computed: frozenset[str]
    computed_if_unset: frozenset[str]
    nested_computed: frozenset[str]
    sensitive: frozenset[str]
    constraints: tuple[Mapping[str, Any], ...]

    @property
    def write_only(self) -> frozenset[str]:
        """Inputs the cloud takes and never gives back; no plugin keeps them in its outputs."""
        return frozenset(name for name in self.sensitive if name.endswith("Wo"))

    @property
    def has_tags(self) -> bool:
        """Whether the type is tagged, and so shows `tagsAll`."""
        return "tagsAll" in self.outputs


class TypeTable:
    """All types of a cloud, read from the package's data."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.version: str = document["version"]
        self.provider_inputs: Mapping[str, Any] = document["provider"]
        self.nested = {
            name: ObjectShape(entry["properties"], frozenset(entry["required"]))
            for name, entry in document["nested"].items()
        }
        self._resources: Mapping[str, Any] = document["resources"]

    @classmethod
    def load(cls, file_name: str) -> "TypeTable":
        """Read a table from `sandbox/data`."""
        source = files("inkless_pulumi.sandbox").joinpath("data", file_name)
        return cls(json.loads(source.read_text(encoding="utf-8")))

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The tokens of all known types."""
        return frozenset(self._resources)

    def get(self, token: str) -> ResourceType | None:
        """A type by its token; None when it is not known."""
        entry = self._resources.get(token)
        if entry is None:
            return None
        return ResourceType(
            token=token,
            inputs=entry["inputs"],
            outputs=frozenset(entry["outputs"]),
            required=frozenset(entry.get("required", ())),
            replace_on_changes=frozenset(entry.get("replaceOnChanges", ())),
            replace_on_count_change=frozenset(entry.get("replaceOnCountChange", ())),
            enums=entry.get("enums", {}),
            computed=frozenset(entry.get("computed", ())) - {"id"},
            computed_if_unset=frozenset(entry.get("computedIfUnset", ())),
            nested_computed=frozenset(entry.get("nestedComputed", ())),
            sensitive=frozenset(entry.get("sensitive", ())),
            constraints=tuple(entry.get("constraints", ())),
        )
