"""A user with a password (SCRAM-SHA-512).

The password is drawn here and stored in the secret store before the cluster hears of it: whatever
interrupts the creation, the next run finds the password in the secret and sets that one. A user
that the cluster knows while the secret is empty was therefore made by someone else.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.access import iteration_problems, user_name_problems
from inkless_pulumi.core.errors import ClusterError, InklessError, Problem, SecretStoreError
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
)
from inkless_pulumi.provider.kafka.model import Cluster, Refusal, ScramCredential
from inkless_pulumi.provider.password import random_password
from inkless_pulumi.provider.resource import Context, Created, Incomplete, WireModel
from inkless_pulumi.provider.secret_stores import (
    SecretStore,
    SecretStoreInputs,
    StoredSecret,
    open_secret_store,
    store_named_in,
)

__all__ = ["User", "UserInputs", "UserOutputs"]

_PASSWORD_LENGTH = 32


class UserInputs(WireModel):
    """A user and where the password goes."""

    name: str
    """The user's name, by which clients log in; access rules call it `User:<name>`."""
    secret_id: str
    """Id of a secret of the user's own. It receives `{"username": …, "password": …}`."""
    secret_store: SecretStoreInputs
    """Where that secret is."""
    iterations: int = 8192
    """Rounds of the password's hash, from 4096 to 16384: more makes guessing, and each login, more
    expensive. Default: 8192."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class UserOutputs(WireModel):
    """Where the password is now."""

    version_id: str
    """The version of the secret that holds the password."""


class User(resource.Resource[UserInputs, UserOutputs]):
    """See the module."""

    token = "inkless:index:User"
    inputs = UserInputs
    outputs = UserOutputs
    description: ClassVar[str] = (
        "A user that logs in with a password (SCRAM-SHA-512). The password is made during the "
        "deployment and kept in the secret store, as JSON with `username` and `password`. A new "
        "user may do nothing; see AccessRule.\n\n"
        "Deleting the resource removes the user; the stored password stays until its secret is "
        "deleted.\n\n"
        "Import: `<name>,<full ARN of the secret>`, with the environment variable "
        "`INKLESS_CONNECTION` set to the service's connection as JSON."
    )

    def __init__(
        self,
        open_cluster: OpenCluster = CONNECTIONS.cluster,
        open_store: Callable[[SecretStoreInputs], SecretStore] = open_secret_store,
    ) -> None:
        self._open_cluster = open_cluster
        self._open_store = open_store

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse names and iterations that Kafka can't take, and renaming."""
        name, old_name = known.get("name"), (olds or {}).get("name")
        if isinstance(name, str):
            yield from user_name_problems("name", name)
        if name is not None and old_name is not None and name != old_name:
            yield Problem(
                "name",
                name,
                f"was {old_name!r}, and a user can't be renamed",
                f"keep {old_name!r}, or declare a new user with a secret of its own beside it",
            )
        iterations = known.get("iterations")
        if isinstance(iterations, int):
            yield from iteration_problems(iterations)
        yield from connection_problems(known)

    def create(self, inputs: UserInputs, context: Context) -> Created[UserOutputs]:
        """Store a password, then tell the cluster."""
        cluster = self._open_cluster(inputs.connection, context)
        exists = inputs.name in cluster.users.describe([inputs.name])
        password, version = self._password(inputs, exists)
        made = Created(inputs.name, UserOutputs(version_id=version))
        try:
            _set(cluster, inputs, password)
        except InklessError as reason:
            raise Incomplete(str(reason), id=made.id, outputs=made.outputs) from reason
        return made

    def read(
        self,
        id: str,
        inputs: UserInputs | None,
        outputs: UserOutputs | None,
        context: Context,
    ) -> tuple[UserInputs, UserOutputs] | None:
        """Look the user up in the cluster and the password up in the store."""
        inputs = inputs or _to_import(id)
        cluster = self._open_cluster(inputs.connection, context)
        iterations = cluster.users.describe([inputs.name]).get(inputs.name)
        if iterations is None:
            return None
        stored = self._open_store(inputs.secret_store).find(inputs.secret_id)
        if stored is None or _password_in(stored, inputs) is None:
            context.warn(
                f"The password of user {inputs.name} is lost: the secret {inputs.secret_id} does "
                "not hold it. The next update makes a new one."
            )
            # An empty id is what there really is; the difference leads to an update.
            lost = inputs.model_copy(update={"secret_id": "", "iterations": iterations})
            return lost, UserOutputs(version_id="")
        actual = inputs.model_copy(update={"iterations": iterations})
        return actual, UserOutputs(version_id=stored.version_id)

    def update(
        self,
        id: str,
        old_inputs: UserInputs,
        old_outputs: UserOutputs,
        inputs: UserInputs,
        context: Context,
    ) -> UserOutputs:
        """Hash the password anew, or take it along to another secret."""
        password, version = self._password(inputs, exists=True, moved_from=old_inputs)
        _set(self._open_cluster(inputs.connection, context), inputs, password)
        return UserOutputs(version_id=version)

    def delete(self, id: str, inputs: UserInputs, outputs: UserOutputs, context: Context) -> None:
        """Remove the user; connections that are open stay open until they end by themselves."""
        cluster = self._open_cluster(inputs.connection, context)
        refusal = cluster.users.alter([], [inputs.name])[inputs.name]
        if refusal is not None:
            raise ClusterError(f"User {inputs.name} could not be removed. Kafka: {refusal}")

    def _password(
        self,
        inputs: UserInputs,
        exists: bool,
        moved_from: UserInputs | None = None,
    ) -> tuple[str, str]:
        """Give the password and the version of the secret that holds it; make one if need be."""
        store = self._open_store(inputs.secret_store)
        stored = store.find(inputs.secret_id)
        if stored is not None:
            password = _password_in(stored, inputs)
            if password is None:
                raise SecretStoreError(
                    f"The secret {inputs.secret_id} holds something else than the password of "
                    f"user {inputs.name}; it is left as it is. Give the user a secret of its own."
                )
            return password, stored.version_id
        if exists and moved_from is None:
            raise ClusterError(
                f"User {inputs.name} exists already, and was not made by this resource: the secret "
                f"{inputs.secret_id} has no password. Choose another name; or, if nobody uses that "
                "user, remove it with kafka-configs.sh and run the update again."
            )
        password = self._earlier_password(moved_from) or random_password(_PASSWORD_LENGTH)
        value = json.dumps({"username": inputs.name, "password": password})
        return password, store.write(inputs.secret_id, value)

    def _earlier_password(self, inputs: UserInputs | None) -> str | None:
        if inputs is None or not inputs.secret_id:
            return None
        stored = self._open_store(inputs.secret_store).find(inputs.secret_id)
        return _password_in(stored, inputs) if stored is not None else None


def _to_import(id: str) -> UserInputs:
    name, _, secret_id = id.partition(",")
    connection = connection_for_import(f"user {name}")
    return UserInputs(
        name=name,
        secret_id=secret_id,
        secret_store=store_named_in(secret_id),
        connection=connection,
    )


def _password_in(stored: StoredSecret, inputs: UserInputs) -> str | None:
    """Read the user's password out of a secret; None: it holds something else."""
    try:
        value = json.loads(stored.value)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("username") != inputs.name:
        return None
    password = value.get("password")
    return password if isinstance(password, str) and password else None


def _set(cluster: Cluster, inputs: UserInputs, password: str) -> None:
    credential = ScramCredential(inputs.name, password, inputs.iterations)
    refusal: Refusal | None = cluster.users.alter([credential])[inputs.name]
    if refusal is not None:
        raise ClusterError(f"User {inputs.name} was refused. Kafka: {refusal}")
