"""The cluster of a service, as its administrator sees it from this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from inkless_pulumi.provider.kafka.connection import ConnectionInputs, Connections
from inkless_pulumi.provider.kafka.model import Cluster
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.secret_stores import StoredSecret
from inkless_pulumi.sandbox import lifecycle
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack

__all__ = ["Place", "administered"]


class Place(Protocol):
    """A service that was deployed into a sandbox, with its connection among the stack's outputs."""

    @property
    def home(self) -> Home:
        """The sandbox's."""

    @property
    def stack(self) -> PulumiStack:
        """The stack that has the service."""


@contextmanager
def administered(place: Place) -> Iterator[Cluster]:
    """The cluster, over the connection that the stack's topics use."""
    connections = Connections(lambda _: _Secrets(place.home))
    connection = ConnectionInputs.model_validate(place.stack.outputs()["connection"])
    try:
        yield connections.cluster(connection, Context(name="proof", urn=""))
    finally:
        connections.close()


class _Secrets:
    """The sandbox's secrets, for this process."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def read(self, secret_id: str) -> str:
        """The value."""
        return lifecycle.read_secret(self._home, secret_id)

    def find(self, secret_id: str) -> StoredSecret | None:
        """The value and its version."""
        return StoredSecret(self.read(secret_id), "")

    def write(self, secret_id: str, value: str) -> str:
        """Refused: a proof changes nothing."""
        raise NotImplementedError
