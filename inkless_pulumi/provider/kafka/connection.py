"""How a resource says which cluster it means, and the connections of this process.

Connections are kept per cluster and identity: a thousand topics use one. Nothing is contacted until
a request is made, so never at preview.
"""

import json
import os
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from inkless_pulumi.core.errors import ConnectionFailed, Problem
from inkless_pulumi.core.reassignment_throttle import throttle_problems
from inkless_pulumi.provider.kafka.gathering import GatheringLines
from inkless_pulumi.provider.kafka.model import Cluster
from inkless_pulumi.provider.resource import Context, SettingText, WireModel
from inkless_pulumi.provider.secret_stores import (
    SecretStore,
    SecretStoreInputs,
    open_secret_store,
)

if TYPE_CHECKING:
    from inkless_pulumi.provider.kafka.client import Limits, SharedClient, Target

__all__ = [
    "CONNECTIONS",
    "ConnectionInputs",
    "Connections",
    "OpenCluster",
    "OpenNode",
    "ServiceFacts",
    "connection_for_import",
    "connection_problems",
    "servers",
    "service_facts",
]

_IMPORT_VARIABLE = "INKLESS_CONNECTION"
_LOOK = 5.0
_PROXY_SCHEMES = ("socks5", "socks5h")


class ConnectionInputs(WireModel):
    """How to reach a cluster as its administrator."""

    bootstrap_servers: str
    """Brokers to connect to first, `host:port` joined by commas: the mutual-TLS listener's."""
    identity_secret_id: str
    """Id of the secret with the administrator's private key and certificate chain, in PEM. Before
    these, it has the authorities to trust, or the authority is the end of the chain."""
    secret_store: SecretStoreInputs
    """Where that secret is."""
    ca_certificate: str | None = None
    """PEM of the CA that signed the brokers' certificates. Default: what the secret trusts."""
    proxy: str | None = None
    """A SOCKS5 proxy (`socks5://host:port`) through which brokers are reached. Default: none."""
    image: str | None = None
    """The brokers' image, named in errors about what the brokers can't do. Default: unknown."""
    broker_count: int | None = None
    """How many brokers there are; a topic with more replicas is refused. Default: unknown."""
    diskless: bool | None = None
    """Whether there are diskless topics; one is refused where there are none. Default: unknown."""
    switch_to_diskless: bool | None = None
    """Whether classic topics may become diskless. Default: they may not."""
    reassignment_throttle: SettingText | None = None
    """The most that a broker sends, and receives, of replicas that move to other brokers, in a
    second: a size like `50MiB`. Default: `32MiB`."""

    repeated = False
    incidental: ClassVar[frozenset[str]] = frozenset(
        {"image", "broker_count", "diskless", "switch_to_diskless", "reassignment_throttle"}
    )


@dataclass(frozen=True)
class ServiceFacts:
    """What the argument `connection` tells of the service; None: nothing, or it is unknown yet."""

    brokers: int | None
    diskless: bool | None
    switch_to_diskless: bool | None
    reassignment_throttle: str | None


def service_facts(known: Mapping[str, object]) -> ServiceFacts:
    """What a connection tells of its service, even while it is not known yet how to reach it."""
    whole = known.get("connection")

    def fact(name: str) -> Any:
        if isinstance(whole, ConnectionInputs):
            return getattr(whole, name)
        return known.get(f"connection.{name}")

    return ServiceFacts(
        fact("broker_count"),
        fact("diskless"),
        fact("switch_to_diskless"),
        fact("reassignment_throttle"),
    )


OpenCluster = Callable[[ConnectionInputs, Context], Cluster]
"""Gives a resource the cluster it speaks of; nothing is contacted until a request is made."""
OpenNode = Callable[[ConnectionInputs, str, Context], AbstractContextManager[Cluster]]
"""Gives a cluster as reached through some servers alone; see `Connections.node`."""


def servers(bootstrap_servers: str) -> tuple[str, ...]:
    """The addresses in a list joined by commas."""
    addresses = (address.strip() for address in bootstrap_servers.split(","))
    return tuple(address for address in addresses if address)


def connection_problems(known: Mapping[str, object]) -> Iterable[Problem]:
    """Find what is wrong with the argument `connection`, when it is known."""
    connection = known.get("connection")
    if not isinstance(connection, ConnectionInputs):
        return
    given = connection.bootstrap_servers
    if not servers(given) or not all(_is_address(address) for address in servers(given)):
        yield Problem(
            "connection.bootstrap_servers",
            given,
            "is not a list of addresses",
            "give host:port, or several joined by commas",
        )
    proxy = connection.proxy
    if proxy is not None and not _is_proxy(proxy):
        yield Problem(
            "connection.proxy",
            None,  # it may hold a password
            "is not the URL of a SOCKS5 proxy",
            "use socks5://host:port, or socks5h://host:port for the proxy to resolve names",
        )
    throttle = connection.reassignment_throttle
    if throttle is not None:
        yield from throttle_problems(throttle, "connection.reassignment_throttle")


def _is_address(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65536


def _is_proxy(url: str) -> bool:
    way = urlsplit(url)
    return way.scheme in _PROXY_SCHEMES and bool(way.hostname)


def connection_for_import(
    what: str, environment: Mapping[str, str] = os.environ
) -> ConnectionInputs:
    """The connection for an import, which comes without arguments.

    Args:
        what: is imported, for the error.
        environment: holds the connection as JSON, with the wire's names, as a stack prints it.

    Raises:
        ConnectionFailed: it is not given, or is not a connection.
    """
    text = environment.get(_IMPORT_VARIABLE)
    remedy = (
        f"set {_IMPORT_VARIABLE} to the service's connection as JSON, for example "
        f'{_IMPORT_VARIABLE}="$(pulumi stack output connection --json)"'
    )
    if not text:
        raise ConnectionFailed(f"To import {what} a connection to its cluster is needed; {remedy}.")
    try:
        return ConnectionInputs.model_validate(json.loads(text))
    except (ValidationError, ValueError) as invalid:
        places = ", ".join(_places(invalid)) or "it is not JSON"
        raise ConnectionFailed(
            f"{_IMPORT_VARIABLE} is not a connection ({places}); {remedy}."
        ) from None


def _places(invalid: Exception) -> Iterable[str]:
    if isinstance(invalid, ValidationError):
        for error in invalid.errors(include_input=False, include_url=False):
            yield f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


class Connections:
    """The connections of this process; safe to use from several threads."""

    def __init__(
        self,
        open_store: Callable[[SecretStoreInputs], SecretStore] = open_secret_store,
        limits: "Limits | None" = None,
    ) -> None:
        self._open_store = open_store
        self._limits = limits
        self._lock = threading.Lock()
        self._clients: dict[ConnectionInputs, tuple[SharedClient, GatheringLines]] = {}

    def cluster(self, inputs: ConnectionInputs, context: Context) -> Cluster:
        """Give the cluster of a connection, over the client that all its users share."""
        key = inputs.model_copy(update=dict.fromkeys(inputs.incidental))
        with self._lock:
            if key not in self._clients:
                client = self._client(inputs, inputs.bootstrap_servers, self._limits)
                self._clients[key] = (client, GatheringLines())
            client, lines = self._clients[key]
        return _cluster(client, lines, context)

    @contextmanager
    def node(
        self,
        inputs: ConnectionInputs,
        bootstrap_servers: str,
        context: Context,
    ) -> Iterator[Cluster]:
        """Give the cluster as reached through these servers alone, for a short look.

        Such a client finds the rest of the cluster by itself, but it gets nowhere unless one of the
        very processes behind the addresses answers first. Where nothing listens it says so at once:
        a server that starts is looked at often.

        Raises:
            ConnectionFailed: nothing listens at any of them.
        """
        from inkless_pulumi.provider.kafka.client import Limits

        limits = Limits(connect=_LOOK, attempt=_LOOK, operation=_LOOK, request=_LOOK)
        client = self._client(inputs, bootstrap_servers, limits)
        client.glance()
        try:
            yield _cluster(client, GatheringLines(), context)
        finally:
            client.close()

    def close(self) -> None:
        """Close all connections; they open again when used again."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client, _ in clients:
            client.close()

    def _client(
        self,
        inputs: ConnectionInputs,
        bootstrap_servers: str,
        limits: "Limits | None",
    ) -> "SharedClient":
        from inkless_pulumi.provider.kafka.client import Limits, SharedClient

        return SharedClient(self._target(inputs, bootstrap_servers), limits or Limits())

    def _target(self, inputs: ConnectionInputs, bootstrap_servers: str) -> "Target":
        from inkless_pulumi.provider.kafka.client import Target

        return Target(
            servers=servers(bootstrap_servers),
            context=lambda: self._tls(inputs),
            identity=f"the administrator (secret {inputs.identity_secret_id})",
            proxy=inputs.proxy,
        )

    def _tls(self, inputs: ConnectionInputs) -> ssl.SSLContext:
        from inkless_pulumi.provider.kafka.tls import client_context

        identity = self._open_store(inputs.secret_store).read(inputs.identity_secret_id)
        try:
            return client_context(inputs.ca_certificate, identity)
        except ValueError as error:
            raise ConnectionFailed(
                f"No connection can be made with the secret {inputs.identity_secret_id}: {error}."
            ) from error


def _cluster(client: "SharedClient", lines: GatheringLines, context: Context) -> Cluster:
    from inkless_pulumi.provider.kafka.client import Session
    from inkless_pulumi.provider.kafka.cluster import KafkaCluster

    return KafkaCluster(Session(client, context.pause), lines)


CONNECTIONS = Connections()
"""Of the plugin's process. They end with it."""
