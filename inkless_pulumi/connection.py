"""How a program says which cluster it means."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import SecretStoreArgs

__all__ = ["ConnectionArgs", "SecretStoreArgs"]


class ConnectionArgs(TypedDict):
    """How to reach a cluster as its administrator.

    A service has it as an output; another stack passes that output on, or writes it down. Nothing
    is contacted at preview. What it tells of the service is known at the first preview, before
    there is anything to reach.
    """

    bootstrap_servers: pulumi.Input[str]
    """Brokers to connect to first, `host:port` joined by commas: the mutual-TLS listener's."""
    identity_secret_id: pulumi.Input[str]
    """Id of the secret with the administrator's private key and certificate chain, in PEM. Before
    these, it has the authorities to trust, or the authority is the end of the chain."""
    secret_store: pulumi.Input[SecretStoreArgs]
    """Where that secret is."""
    ca_certificate: NotRequired[pulumi.Input[str]]
    """PEM of the CA that signed the brokers' certificates. Default: what the secret trusts."""
    proxy: NotRequired[pulumi.Input[str]]
    """A SOCKS5 proxy (`socks5://host:port`) through which brokers are reached. Default: none."""
    image: NotRequired[pulumi.Input[str]]
    """The brokers' image, named in errors about what the brokers can't do. Default: unknown."""
    broker_count: NotRequired[pulumi.Input[int]]
    """How many brokers there are; a topic with more replicas is refused. Default: unknown."""
    diskless: NotRequired[pulumi.Input[bool]]
    """Whether there are diskless topics; one is refused where there are none. Default: unknown."""
    switch_to_diskless: NotRequired[pulumi.Input[bool]]
    """Whether classic topics may become diskless. Default: they may not."""
    reassignment_throttle: NotRequired[pulumi.Input[str]]
    """The most that a broker sends, and receives, of replicas that move to other brokers, in a
    second: a size like `50MiB`. Default: `32MiB`."""
