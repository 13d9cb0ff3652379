"""What every child of a component shares: its name's beginning, its parent and its tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi

Needed = pulumi.Input[pulumi.Resource | None]
"""What a child depends on; an output of None stands for nothing."""


@dataclass(frozen=True)
class Scope:
    """The surroundings of a component's children.

    Logical names begin with the component's, so that two instances never collide; physical names
    are left to Pulumi, which makes them of the logical ones.
    """

    name: str
    parent: pulumi.Resource
    deletion_protection: bool = True
    """Whether what holds data refuses to be deleted or replaced."""
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def named(self, part: str) -> str:
        """The logical name of a part."""
        return f"{self.name}-{part}"

    def tagged(self, part: str) -> dict[str, pulumi.Input[str]]:
        """The tags of a part: where it belongs and what it is, under the user's own."""
        return {"Name": self.named(part), "inkless:service": self.name, **self.tags}

    def options(self, depends_on: Sequence[Needed] = (), **more: Any) -> pulumi.ResourceOptions:
        """The options of a child."""
        needed = cast("list[pulumi.Input[pulumi.Resource]]", list(depends_on))
        return pulumi.ResourceOptions(parent=self.parent, depends_on=needed, **more)

    def keeping_data(self, **more: Any) -> pulumi.ResourceOptions:
        """The options of a child that must not be lost by mistake.

        Never `protect=False`: that would undo the protection the whole component may be under.
        """
        protect = True if self.deletion_protection else None
        return pulumi.ResourceOptions(parent=self.parent, protect=protect, **more)


def wire_names(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties with their names as Pulumi shows them to policies and other languages."""
    return {_wire_name(name): value for name, value in properties.items()}


def _wire_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
