"""Users that log in with a password."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource, SecretStoreArgs
from inkless_pulumi.connection import ConnectionArgs

__all__ = ["User", "UserArgs"]


class UserArgs(TypedDict):
    """Arguments of User."""

    name: pulumi.Input[str]
    """The user's name, by which clients log in; access rules call it `User:<name>`. It can't be
    changed later."""
    secret_id: pulumi.Input[str]
    """Id of a secret of the user's own. It receives
    `{"username": …, "password": …, "mechanism": …}`."""
    secret_store: pulumi.Input[SecretStoreArgs]
    """Where that secret is."""
    iterations: NotRequired[pulumi.Input[int]]
    """Rounds of the password's hash, from 4096 to 16384: more makes guessing, and each login, more
    expensive. Default: 8192."""
    rotation: NotRequired[pulumi.Input[str]]
    """Any text; another one gives the user a new password with the next update. Default: none."""
    overlap_hours: NotRequired[pulumi.Input[int]]
    """How long the former password stays good after a rotation, in hours; it ends with the first
    update after that. 0 ends it at once. Default: 24."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class User(InklessResource):
    """A user that logs in with a password (SCRAM).

    The password is made during the deployment and kept in the secret store, nowhere else. A new
    user may do nothing; see AccessRule. Deleting the resource removes the user; the stored password
    stays until its secret is deleted.

    Another `rotation` makes a new password, under the other of SCRAM-SHA-512 and SCRAM-SHA-256:
    Kafka keeps one password for each. The secret names the one to use. The former password stays
    good until `former_until`, and is removed by the first update after that.
    """

    name: pulumi.Output[str]
    """The user's name."""
    secret_id: pulumi.Output[str]
    """Id of the secret with the password."""
    version_id: pulumi.Output[str]
    """The version of the secret that holds the password."""
    mechanism: pulumi.Output[str]
    """What the client property `sasl.mechanism` must be for it."""
    rotated_for: pulumi.Output[str]
    """The `rotation` that the password was made for."""
    former_until: pulumi.Output[str]
    """Until when the former password is good: RFC 3339, UTC. Empty when there is none."""

    _token = "inkless:index:User"
    _args = UserArgs

    def __init__(
        self,
        resource_name: str,
        args: UserArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
