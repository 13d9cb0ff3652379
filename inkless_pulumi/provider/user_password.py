"""A user's password: how it stands in the secret store, and how one follows another.

Kafka keeps one SCRAM credential of a user for each mechanism. A rotation therefore gives the new
password to the mechanism that is free, and the former password stays good under its own until the
time that was set. The user stays the same principal: rules, quotas and groups are not touched. Who
reads the secret gets name, password and mechanism together.

The order makes it safe to be interrupted: the cluster knows the new password before the secret has
it, and the secret has it before state knows. A run that finds the secret's mechanism to be another
than the recorded one finds the rotation done.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.model import Cluster, Mechanism, ScramCredential
from inkless_pulumi.provider.password import random_password
from inkless_pulumi.provider.secret_stores import SecretStore, StoredSecret

__all__ = [
    "FIRST_MECHANISM",
    "UserPassword",
    "has_passed",
    "new_password",
    "other_mechanism",
    "remove_credential",
    "rotate",
    "set_credential",
    "until",
]

FIRST_MECHANISM: Final[Mechanism] = "SCRAM-SHA-512"
_MECHANISMS: Final[tuple[Mechanism, ...]] = get_args(Mechanism)
_LENGTH = 32


@dataclass(frozen=True)
class UserPassword:
    """What a user's secret says."""

    user: str
    password: str = field(repr=False)
    mechanism: Mechanism

    def text(self) -> str:
        """The secret's value."""
        values = {"username": self.user, "password": self.password, "mechanism": self.mechanism}
        return json.dumps(values)

    @classmethod
    def read(cls, stored: StoredSecret, user: str) -> "UserPassword | None":
        """Read it out of a secret; None: it holds something else."""
        try:
            value = json.loads(stored.value)
        except ValueError:
            return None
        if not isinstance(value, dict) or value.get("username") != user:
            return None
        password, mechanism = value.get("password"), value.get("mechanism", FIRST_MECHANISM)
        if not isinstance(password, str) or not password or mechanism not in _MECHANISMS:
            return None
        return cls(user, password, mechanism)


def new_password(user: str, mechanism: Mechanism) -> UserPassword:
    """Draw one."""
    return UserPassword(user, random_password(_LENGTH), mechanism)


def other_mechanism(mechanism: Mechanism) -> Mechanism:
    """The one that is free, or that the former password is good under."""
    return next(other for other in _MECHANISMS if other != mechanism)


def rotate(
    cluster: Cluster, store: SecretStore, secret_id: str, current: UserPassword, iterations: int
) -> tuple[UserPassword, str]:
    """Give the user another password beside the current one.

    Returns:
        The new password, and the version of the secret that holds it.
    """
    following = new_password(current.user, other_mechanism(current.mechanism))
    if following.mechanism in cluster.users.describe([current.user]).get(current.user, {}):
        # Of an interrupted rotation. What every broker forgot, each is seen to learn anew.
        remove_credential(cluster, current.user, following.mechanism)
    set_credential(cluster, following, iterations)
    return following, store.write(secret_id, following.text())


def set_credential(cluster: Cluster, password: UserPassword, iterations: int) -> None:
    """Tell the cluster. Raises ClusterError where it refuses."""
    credential = ScramCredential(password.user, password.password, iterations, password.mechanism)
    refusal = cluster.users.alter([credential])[password.user]
    if refusal is not None:
        raise ClusterError(f"User {password.user} was refused. Kafka: {refusal}")


def remove_credential(cluster: Cluster, user: str, *mechanisms: Mechanism) -> None:
    """Remove what a user logs in with by these mechanisms; connections that are open stay open."""
    for mechanism in mechanisms:  # Kafka takes one change of a user in a request
        refusal = cluster.users.alter([], [(user, mechanism)])[user]
        if refusal is not None:
            raise ClusterError(f"User {user} could not be removed. Kafka: {refusal}")


def until(hours: float) -> str:
    """So many hours from now, as RFC 3339 in UTC; empty for none."""
    if not hours:
        return ""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def has_passed(moment: str) -> bool:
    """Whether a moment, as `until` writes it, is over."""
    return datetime.fromisoformat(moment) <= datetime.now(UTC)
