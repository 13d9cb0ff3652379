"""How much users and clients may take of a cluster.

A quota has no owner: it is what is set on a user, a client id, or both. A resource owns the limits
that it sets, so there should be one resource an entity.
"""

import time
from collections.abc import Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.access import ANYONE
from inkless_pulumi.core.errors import ClusterError, InklessError, Problem
from inkless_pulumi.core.quotas import RATES, quota_problems, rate
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_for_import,
    connection_problems,
)
from inkless_pulumi.provider.kafka.model import Cluster, QuotaEntity
from inkless_pulumi.provider.resource import (
    Context,
    Created,
    Incomplete,
    SettingText,
    WireModel,
)

__all__ = ["Quota", "QuotaInputs", "QuotaOutputs"]

_VISIBLE_SECONDS = 10.0
_PAUSE = 0.05


class QuotaInputs(WireModel):
    """Limits of a user, a client id, or a user's client id."""

    user: str | None = None
    """The user's name; `*`: each user without a quota of their own."""
    client_id: str | None = None
    """The client id; `*`: each client id without a quota of its own."""
    producer_byte_rate: SettingText | None = None
    """What may be written a second, on each broker: bytes, or a size like `10MiB`."""
    consumer_byte_rate: SettingText | None = None
    """What may be read a second, on each broker: bytes, or a size like `10MiB`."""
    request_percentage: float | None = None
    """Share of a broker's request threads, in percent of one thread."""
    controller_mutation_rate: float | None = None
    """Partitions that may be created or deleted a second (KIP-599)."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class QuotaOutputs(WireModel):
    """Nothing: the inputs say it all."""


class Quota(resource.Resource[QuotaInputs, QuotaOutputs]):
    """See the module."""

    token = "inkless:index:Quota"
    inputs = QuotaInputs
    outputs = QuotaOutputs
    description: ClassVar[str] = (
        "How much a user, a client id, or a user's client id may take of the cluster. Brokers slow "
        "down who takes more.\n\n"
        "Import: `user=<name>`, `client_id=<name>`, or both joined by a semicolon, with the "
        "environment variable `INKLESS_CONNECTION` set to the service's connection as JSON."
    )

    def __init__(self, open_cluster: OpenCluster = CONNECTIONS.cluster) -> None:
        self._open_cluster = open_cluster

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what limits nobody or nothing."""
        yield from quota_problems(known)
        yield from connection_problems(known)

    def create(self, inputs: QuotaInputs, context: Context) -> Created[QuotaOutputs]:
        """Set the limits."""
        made = Created(_id(inputs), QuotaOutputs())
        cluster = self._open_cluster(inputs.connection, context)
        _set(cluster, inputs, _limits(inputs))
        try:
            _await(cluster, inputs, context)
        except InklessError as reason:
            raise Incomplete(str(reason), id=made.id, outputs=made.outputs) from reason
        return made

    def read(
        self,
        id: str,
        inputs: QuotaInputs | None,
        outputs: QuotaOutputs | None,
        context: Context,
    ) -> tuple[QuotaInputs, QuotaOutputs] | None:
        """Look the limits up."""
        quota = inputs or _to_import(id)
        found = self._open_cluster(quota.connection, context).quotas.describe(_entity(quota))
        declared = _limits(quota)
        actual: dict[str, object] = {}
        for name in RATES:
            spelt = getattr(quota, name)
            same = name in found and declared.get(name) == found[name]
            actual[name] = spelt if same else _as_text(name, found.get(name))
        if all(value is None for value in actual.values()):
            return None
        return quota.model_copy(update=actual), QuotaOutputs()

    def update(
        self,
        id: str,
        old_inputs: QuotaInputs,
        old_outputs: QuotaOutputs,
        inputs: QuotaInputs,
        context: Context,
    ) -> QuotaOutputs:
        """Set what is declared now, and remove what no longer is."""
        cluster = self._open_cluster(inputs.connection, context)
        dropped = dict.fromkeys(_limits(old_inputs))
        if _entity(old_inputs) == _entity(inputs):
            _set(cluster, inputs, {**dropped, **_limits(inputs)})
        else:
            _set(cluster, inputs, _limits(inputs))
            _set(cluster, old_inputs, dropped)
        _await(cluster, inputs, context)
        return QuotaOutputs()

    def delete(self, id: str, inputs: QuotaInputs, outputs: QuotaOutputs, context: Context) -> None:
        """Remove the limits."""
        cluster = self._open_cluster(inputs.connection, context)
        _set(cluster, inputs, dict.fromkeys(_limits(inputs)))


def _limits(inputs: QuotaInputs) -> dict[str, float]:
    given = {name: getattr(inputs, name) for name in RATES}
    limits = {name: rate(name, value) for name, value in given.items() if value is not None}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _as_text(name: str, limit: float | None) -> str | float | None:
    """A limit as an input of this name has it."""
    if limit is None or not name.endswith("_byte_rate"):
        return limit
    return str(int(limit)) if limit.is_integer() else str(limit)


def _entity(inputs: QuotaInputs) -> QuotaEntity:
    named = (("user", inputs.user), ("client-id", inputs.client_id))
    return tuple((kind, None if name == ANYONE else name) for kind, name in named if name)


def _set(cluster: Cluster, inputs: QuotaInputs, changes: Mapping[str, float | None]) -> None:
    refusal = cluster.quotas.alter(_entity(inputs), changes)
    if refusal is not None:
        raise ClusterError(f"The quota of {_id(inputs)} was refused. Kafka: {refusal}")


def _await(cluster: Cluster, inputs: QuotaInputs, context: Context) -> None:
    """Wait until the brokers show what was set: they learn a moment after the controller."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    wanted = _limits(inputs)
    while not wanted.items() <= dict(cluster.quotas.describe(_entity(inputs))).items():
        if time.monotonic() > deadline:
            raise ClusterError(
                f"The quota of {_id(inputs)} does not show after {_VISIBLE_SECONDS:g} s. Look at "
                "the brokers, then run the update again."
            )
        context.pause(_PAUSE)


def _id(inputs: QuotaInputs) -> str:
    named = (("user", inputs.user), ("client_id", inputs.client_id))
    return ";".join(f"{kind}={name}" for kind, name in named if name)


def _to_import(id: str) -> QuotaInputs:
    given: dict[str, object] = {}
    for part in id.split(";"):
        kind, equals, name = part.partition("=")
        if kind not in ("user", "client_id") or not equals or not name:
            raise InklessError(
                f"{id!r} is not the id of a quota. Import by user=<name>, client_id=<name>, or "
                "both joined by a semicolon."
            )
        given[kind] = name
    given["connection"] = connection_for_import(f"the quota of {id}")
    return QuotaInputs.model_validate(given)
