"""The settings of one node as a broker sees them, for the rules between settings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from inkless_pulumi.core.catalogue import broker_settings, setting_path
from inkless_pulumi.core.errors import Problem


@dataclass(frozen=True)
class Configuration:
    """The settings of one node as the broker would see them."""

    properties: Mapping[str, str]
    zones: tuple[str, ...] = ()
    heap_mib: int | None = None
    """The heap of a broker; None: not known, or no broker."""

    def text(self, name: str) -> str | None:
        """The value as text: the one set, or Kafka's default, or None."""
        if name in self.properties:
            return self.properties[name]
        return broker_settings()[name].default_text

    def number(self, name: str) -> float:
        """The value of a setting that has a number; one without default and value counts as 0."""
        return float(self.text(name) or 0)

    def is_on(self, name: str) -> bool:
        """Whether a boolean is true."""
        return (self.text(name) or "false").lower() == "true"

    def has(self, name: str) -> bool:
        """Whether the setting is in the file, rather than left to its default."""
        return name in self.properties

    def problem(self, name: str, rule: str, remedy: str) -> Problem:
        """A problem at a setting, with the value it has now."""
        return Problem(setting_path(name), self.text(name), rule, remedy)


Rule = Callable[[Configuration], Iterable[Problem]]
"""A rule between settings: what one configuration breaks of it, nothing where it is kept."""
