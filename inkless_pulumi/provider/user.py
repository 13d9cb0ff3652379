"""A user with a password (SCRAM).

The first password is drawn here and stored in the secret store before the cluster hears of it:
whatever interrupts the creation, the next run finds the password in the secret and sets that one. A
user that the cluster knows while the secret is empty was therefore made by someone else. How a
password follows another is in `user_password`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.access import iteration_problems, user_name_problems
from inkless_pulumi.core.errors import (
    ClusterError,
    DeclarationError,
    InklessError,
    Problem,
)
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
)
from inkless_pulumi.provider.kafka.model import Cluster, Mechanism
from inkless_pulumi.provider.resource import Context, Created, Incomplete, WireModel
from inkless_pulumi.provider.secret_stores import (
    SecretStore,
    SecretStoreInputs,
    occupied,
    open_secret_store,
    store_named_in,
)
from inkless_pulumi.provider.user_password import (
    FIRST_MECHANISM,
    UserPassword,
    has_passed,
    new_password,
    other_mechanism,
    remove_credential,
    rotate,
    set_credential,
    until,
)

__all__ = ["User", "UserInputs", "UserOutputs"]


class UserInputs(WireModel):
    """A user and where the password goes."""

    name: str
    """The user's name, by which clients log in; access rules call it `User:<name>`."""
    secret_id: str
    """Id of a secret of the user's own. It receives
    `{"username": …, "password": …, "mechanism": …}`."""
    secret_store: SecretStoreInputs
    """Where that secret is."""
    iterations: int = 8192
    """Rounds of the password's hash, from 4096 to 16384: more makes guessing, and each login, more
    expensive. Default: 8192."""
    rotation: str | None = None
    """Any text; another one gives the user a new password with the next update. Default: none."""
    overlap_hours: int = 24
    """How long the former password stays good after a rotation, in hours; it ends with the first
    update after that. 0 ends it at once. Default: 24."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class UserOutputs(WireModel):
    """Where the password is now, and how long the former one is good."""

    version_id: str
    """The version of the secret that holds the password."""
    mechanism: Mechanism = FIRST_MECHANISM
    """What the client property `sasl.mechanism` must be for it."""
    rotated_for: str = ""
    """The `rotation` that the password was made for."""
    former_until: str = ""
    """Until when the former password is good: RFC 3339, UTC. Empty when there is none."""


class User(resource.Resource[UserInputs, UserOutputs]):
    """See the module."""

    token = "inkless:index:User"
    inputs = UserInputs
    outputs = UserOutputs
    description: ClassVar[str] = (
        "A user that logs in with a password (SCRAM). The password is made during the deployment "
        "and kept in the secret store, as JSON with `username`, `password` and `mechanism` (the "
        "client property `sasl.mechanism`). A new user may do nothing; see AccessRule.\n\n"
        "Another `rotation` makes a new password, under the other of SCRAM-SHA-512 and "
        "SCRAM-SHA-256: Kafka keeps one password for each. The former one stays good until "
        "`former_until`, and is removed by the first update after that.\n\n"
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
        hours = known.get("overlap_hours")
        if isinstance(hours, int) and hours < 0:
            yield Problem("overlap_hours", hours, "is negative", "use 0 or more hours")
        yield from connection_problems(known)

    def stale(self, known: Mapping[str, object], outputs: UserOutputs) -> Iterable[str]:
        """A former password ends when its time is over."""
        if outputs.former_until and has_passed(outputs.former_until):
            yield "former_until"

    def preview(
        self, known: Mapping[str, object], prior: UserOutputs | None
    ) -> Mapping[str, object]:
        """Refuse what a rotation can't keep; without one, the password stays."""
        if prior is None:
            return {}
        if (known.get("rotation") or "") == prior.rotated_for:
            return {"mechanism": prior.mechanism, "rotated_for": prior.rotated_for}
        _refuse_third_password(known.get("rotation"), known.get("overlap_hours"), prior)
        return {"mechanism": other_mechanism(prior.mechanism)}

    def create(self, inputs: UserInputs, context: Context) -> Created[UserOutputs]:
        """Store a password, then tell the cluster."""
        cluster = self._open_cluster(inputs.connection, context)
        exists = inputs.name in cluster.users.describe([inputs.name])
        password, version = self._password(inputs, exists)
        outputs = UserOutputs(
            version_id=version, mechanism=password.mechanism, rotated_for=inputs.rotation or ""
        )
        made = Created(inputs.name, outputs)
        try:
            set_credential(cluster, password, inputs.iterations)
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
        credentials = cluster.users.describe([inputs.name]).get(inputs.name)
        if credentials is None:
            return None
        found = self._stored(inputs)
        if found is None:
            context.warn(
                f"The password of user {inputs.name} is lost: the secret {inputs.secret_id} does "
                "not hold it. The next update makes a new one."
            )
            # An empty id is what there really is; the difference leads to an update.
            lost = inputs.model_copy(update={"secret_id": ""})
            return lost, _with_version(outputs, "")
        password, version = found
        if password.mechanism not in credentials:
            return None
        actual = inputs.model_copy(update={"iterations": credentials[password.mechanism]})
        if outputs is None:
            return actual, UserOutputs(version_id=version, mechanism=password.mechanism)
        return actual, _with_version(outputs, version)

    def update(
        self,
        id: str,
        old_inputs: UserInputs,
        old_outputs: UserOutputs,
        inputs: UserInputs,
        context: Context,
    ) -> UserOutputs:
        """Hash the password anew, take it along to another secret, or let another follow it."""
        cluster, store = (
            self._open_cluster(inputs.connection, context),
            self._open_store(inputs.secret_store),
        )
        password, version = self._password(inputs, exists=True, moved_from=old_inputs)
        former_until = old_outputs.former_until
        is_rotation = (inputs.rotation or "") != old_outputs.rotated_for
        if is_rotation:
            _refuse_third_password(inputs.rotation, inputs.overlap_hours, old_outputs)
            if password.mechanism == old_outputs.mechanism:
                password, version = rotate(
                    cluster, store, inputs.secret_id, password, inputs.iterations
                )
            former_until = until(inputs.overlap_hours)
        else:
            set_credential(cluster, password, inputs.iterations)
        has_former = is_rotation or bool(former_until)
        if has_former and (not former_until or has_passed(former_until)):
            self._end_former(cluster, password)
            former_until = ""
        return UserOutputs(
            version_id=version,
            mechanism=password.mechanism,
            rotated_for=inputs.rotation or "",
            former_until=former_until,
        )

    def delete(self, id: str, inputs: UserInputs, outputs: UserOutputs, context: Context) -> None:
        """Remove the user; connections that are open stay open until they end by themselves."""
        cluster = self._open_cluster(inputs.connection, context)
        credentials = cluster.users.describe([inputs.name]).get(inputs.name, {})
        remove_credential(cluster, inputs.name, *credentials)

    def _end_former(self, cluster: Cluster, password: UserPassword) -> None:
        former = other_mechanism(password.mechanism)
        if former in cluster.users.describe([password.user]).get(password.user, {}):
            remove_credential(cluster, password.user, former)

    def _stored(self, inputs: UserInputs) -> tuple[UserPassword, str] | None:
        """The password and the version of the secret that holds it; None: it holds none."""
        stored = self._open_store(inputs.secret_store).find(inputs.secret_id)
        password = UserPassword.read(stored, inputs.name) if stored else None
        return (password, stored.version_id) if stored and password else None

    def _password(
        self,
        inputs: UserInputs,
        exists: bool,
        moved_from: UserInputs | None = None,
    ) -> tuple[UserPassword, str]:
        """Give the password and the version of the secret that holds it; make one if need be."""
        store = self._open_store(inputs.secret_store)
        if store.find(inputs.secret_id) is not None:
            found = self._stored(inputs)
            if found is None:
                raise occupied(inputs.secret_id, f"the password of user {inputs.name}")
            return found
        if exists and moved_from is None:
            raise ClusterError(
                f"User {inputs.name} exists already, and was not made by this resource: the secret "
                f"{inputs.secret_id} has no password. Choose another name; or, if nobody uses that "
                "user, remove it with kafka-configs.sh and run the update again."
            )
        earlier = self._stored(moved_from) if moved_from and moved_from.secret_id else None
        password = earlier[0] if earlier else new_password(inputs.name, FIRST_MECHANISM)
        return password, store.write(inputs.secret_id, password.text())


def _refuse_third_password(rotation: object, overlap_hours: object, prior: UserOutputs) -> None:
    """A user has two passwords at most; the one before last may have been promised to somebody.

    Raises:
        DeclarationError: its time is not over, and the rotation is not said to be urgent.
    """
    if overlap_hours and prior.former_until and not has_passed(prior.former_until):
        rule = f"the password before is good until {prior.former_until}, and a user has two at most"
        remedy = "rotate after that; or, if one is known to others, set overlap_hours = 0: all "
        remedy += "but the new password then end at once"
        raise DeclarationError([Problem("rotation", rotation, rule, remedy)])


def _with_version(outputs: UserOutputs | None, version: str) -> UserOutputs:
    if outputs is None:
        return UserOutputs(version_id=version)
    return outputs.model_copy(update={"version_id": version})


def _to_import(id: str) -> UserInputs:
    name, _, secret_id = id.partition(",")
    connection = connection_for_import(f"user {name}")
    return UserInputs(
        name=name,
        secret_id=secret_id,
        secret_store=store_named_in(secret_id),
        connection=connection,
    )
