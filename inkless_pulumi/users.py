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
    """Id of a secret of the user's own. It receives `{"username": …, "password": …}`."""
    secret_store: pulumi.Input[SecretStoreArgs]
    """Where that secret is."""
    iterations: NotRequired[pulumi.Input[int]]
    """Rounds of the password's hash, from 4096 to 16384: more makes guessing, and each login, more
    expensive. Default: 8192."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class User(InklessResource):
    """A user that logs in with a password (SCRAM-SHA-512).

    The password is made during the deployment and kept in the secret store, nowhere else. A new
    user may do nothing; see AccessRule. Deleting the resource removes the user; the stored password
    stays until its secret is deleted.
    """

    name: pulumi.Output[str]
    """The user's name."""
    secret_id: pulumi.Output[str]
    """Id of the secret with the password."""
    version_id: pulumi.Output[str]
    """The version of the secret that holds the password."""

    _token = "inkless:index:User"
    _args = UserArgs

    def __init__(
        self,
        resource_name: str,
        args: UserArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)
