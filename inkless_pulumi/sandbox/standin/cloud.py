"""What a cloud's stand-in is made of: its table, its behaviours, its functions, its settings."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from inkless_pulumi.sandbox.standin.behaviour import Behaviour, Properties, Site
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.table import TypeTable

Function = Callable[[Site, Properties], Properties]
"""A data source: from its arguments to its result. Raises `CloudError`."""


class Cloud(ABC):
    """One cloud, as the servicer needs it."""

    package: str
    title: str
    table: TypeTable
    behaviours: Mapping[str, Behaviour]
    functions: Mapping[str, Function]

    @abstractmethod
    def check_config(self, config: Mapping[str, Any]) -> Iterator[Failure]:
        """What is wrong with the provider's settings."""

    @abstractmethod
    def configure(self, config: Mapping[str, Any]) -> Site:
        """Where a plugin instance with these (valid) settings works."""

    @abstractmethod
    def tags_all(self, site: Site, tags: Any) -> Any:
        """The tags a resource ends up with: the provider's defaults under its own."""
