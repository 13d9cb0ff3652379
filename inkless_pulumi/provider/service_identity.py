"""The ids that a service keeps for life: its cluster id and its controllers' directory ids."""

import base64
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from inkless_pulumi.core.errors import InklessError, Problem
from inkless_pulumi.core.service_rules import (
    check_cluster_type_change,
    check_topology_change,
    check_zones_change,
)
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.resource import Context, Created, WireModel

__all__ = ["ServiceIdentity", "kafka_uuid"]


class ServiceIdentityInputs(WireModel):
    """What identifies a service to its owner."""

    name: str
    """Name of the service, for people."""
    cluster_type: str
    """`inkless` or `classic`. Fixed at creation."""
    topology: str
    """`combined` or `dedicated`. Fixed at creation."""
    zones: list[str]
    """The zones of its nodes, in the order in which they take node ids. Fixed at creation."""
    controller_ids: list[int]
    """Node ids of the controllers that form the first quorum."""


class ServiceIdentityOutputs(WireModel):
    """What identifies a service to Kafka."""

    cluster_id: str
    """Kafka's cluster id, made once: 16 random bytes as URL-safe base64 without padding."""
    directory_ids: dict[str, str]
    """Directory id of each controller by its node id, with which the first quorum is formatted."""


class ServiceIdentity(resource.Resource[ServiceIdentityInputs, ServiceIdentityOutputs]):
    """Made in the plugin and kept in state; nothing in a cloud stands behind it."""

    token = "inkless:index:ServiceIdentity"
    inputs = ServiceIdentityInputs
    outputs = ServiceIdentityOutputs
    description: ClassVar[str] = (
        "The identity of a service: its Kafka cluster id and the directory ids of its "
        "controllers. It exists in state only, and must outlive every node.\n\n"
        "Import: `<cluster id>,<name>,<cluster type>,<topology>,<zone>+<zone>+<zone>,"
        "<node id>=<directory id>,…`"
    )
    stable_outputs = frozenset({"cluster_id"})

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse a change of what is fixed at creation, and node ids that can't be."""
        yield from _controller_problems(known.get("controller_ids"))
        for name, check_change in _FIXED.items():
            old, new = (olds or {}).get(name), known.get(name)
            if old is not None and new is not None:
                yield from check_change(old, new)

    def preview(
        self, known: Mapping[str, object], prior: ServiceIdentityOutputs | None
    ) -> Mapping[str, object]:
        """The directory ids change only with the controllers."""
        certain = dict(super().preview(known, prior))
        wanted = known.get("controller_ids")
        if prior is not None and isinstance(wanted, list):
            kept = _directory_ids(wanted, prior.directory_ids)
            if kept == prior.directory_ids:
                certain["directory_ids"] = kept
        return certain

    def create(
        self, inputs: ServiceIdentityInputs, context: Context
    ) -> Created[ServiceIdentityOutputs]:
        """Draw the ids."""
        outputs = ServiceIdentityOutputs(
            cluster_id=kafka_uuid(), directory_ids=_directory_ids(inputs.controller_ids, {})
        )
        return Created(outputs.cluster_id, outputs)

    def read(
        self,
        id: str,
        inputs: ServiceIdentityInputs | None,
        outputs: ServiceIdentityOutputs | None,
        context: Context,
    ) -> tuple[ServiceIdentityInputs, ServiceIdentityOutputs] | None:
        """Answer what state says; an import takes all of it from the id."""
        if inputs is not None and outputs is not None:
            return inputs, outputs
        return _from_import_id(id)

    def canonical_id(self, id: str, outputs: ServiceIdentityOutputs) -> str:
        """Record the cluster id alone."""
        return outputs.cluster_id

    def update(
        self,
        id: str,
        old_inputs: ServiceIdentityInputs,
        old_outputs: ServiceIdentityOutputs,
        inputs: ServiceIdentityInputs,
        context: Context,
    ) -> ServiceIdentityOutputs:
        """Draw directory ids for new controllers, and keep those of the others."""
        directory_ids = _directory_ids(inputs.controller_ids, old_outputs.directory_ids)
        return ServiceIdentityOutputs(cluster_id=id, directory_ids=directory_ids)

    def delete(
        self,
        id: str,
        inputs: ServiceIdentityInputs,
        outputs: ServiceIdentityOutputs,
        context: Context,
    ) -> None:
        """Nothing to remove but the state."""


_FIXED: Mapping[str, Callable[[Any, Any], list[Problem]]] = {
    "cluster_type": check_cluster_type_change,
    "topology": check_topology_change,
    "zones": check_zones_change,
}
"""What is fixed at creation, and the rule that says why."""


def kafka_uuid() -> str:
    """Draw an id as Kafka's own tools do.

    Never one that starts with `-`, which command lines take for an option (Kafka's Uuid.randomUuid
    excludes them for the same reason).
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _directory_ids(controllers: Iterable[int], existing: Mapping[str, str]) -> dict[str, str]:
    return {str(node): existing.get(str(node)) or kafka_uuid() for node in sorted(controllers)}


def _controller_problems(controllers: object) -> Iterable[Problem]:
    if not isinstance(controllers, list):
        return
    if not controllers:
        yield Problem("controller_ids", [], "is empty", "name the node ids of the controllers")
    for index, node in enumerate(controllers):
        path = f"controller_ids[{index}]"
        if node < 0:
            yield Problem(path, node, "is negative", "node ids count from 0 (Kafka's node.id)")
        if node in controllers[:index]:
            yield Problem(path, node, "is there twice", "give each controller its own node id")


def _from_import_id(text: str) -> tuple[ServiceIdentityInputs, ServiceIdentityOutputs]:
    try:
        cluster_id, name, cluster_type, topology, zones, *controllers = text.split(",")
        directories = dict(controller.split("=", 1) for controller in controllers)
        for drawn in (cluster_id, *directories.values()):
            if len(base64.urlsafe_b64decode(drawn + "==")) != 16:
                raise ValueError(drawn)
        if not directories:
            raise ValueError(text)
        inputs = ServiceIdentityInputs(
            name=name,
            cluster_type=cluster_type,
            topology=topology,
            zones=zones.split("+"),
            controller_ids=sorted(int(node) for node in directories),
        )
    except ValueError as malformed:
        raise InklessError(
            f"{text!r} does not say what to import. A service's ids live in Pulumi's state only, "
            "so an import must be given all of them, as "
            "<cluster id>,<name>,<cluster type>,<topology>,<zone>+<zone>+<zone>,"
            "<node id>=<directory id>,… The nodes have the ids: "
            "/etc/inkless/node.env holds INKLESS_CLUSTER_ID and INKLESS_INITIAL_CONTROLLERS."
        ) from malformed
    return inputs, ServiceIdentityOutputs(cluster_id=cluster_id, directory_ids=directories)
