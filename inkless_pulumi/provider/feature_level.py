"""The feature level of a cluster, raised when every node runs the version that it is for."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.errors import ClusterError, Problem
from inkless_pulumi.core.upgrade import upgrade_notes, version_change_problems
from inkless_pulumi.provider.declared_services import DECLARED, DeclaredServices
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
)
from inkless_pulumi.provider.recorded import Recorded
from inkless_pulumi.provider.resource import Context, Created, WireModel

__all__ = ["FeatureLevel", "FeatureLevelInputs", "FeatureLevelOutputs"]


class FeatureLevelInputs(WireModel):
    """The version that every node runs."""

    service: str
    """The service's cluster id."""
    version: str
    """The version, `<Kafka version>-<Inkless increment>`."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class FeatureLevelOutputs(WireModel):
    """What was finalised."""

    metadata_version: int
    """The finalised level of Kafka's feature `metadata.version`."""


class FeatureLevel(Recorded[FeatureLevelInputs, FeatureLevelOutputs]):
    """A feature level; see the module."""

    token = "inkless:index:FeatureLevel"
    inputs = FeatureLevelInputs
    outputs = FeatureLevelOutputs
    description: ClassVar[str] = (
        "Finalises Kafka's `metadata.version` for the version that all nodes run: let it depend on "
        "all their gates. A version that can't read what was finalised is refused at preview. "
        "Deleting it changes nothing; let it depend on all guards of the nodes as well, so that it "
        "goes before them and tells them that the service goes as a whole.\n\nIt can't be "
        "imported; declare it, and a level that is finalised stays."
    )

    def __init__(
        self,
        open_cluster: OpenCluster = CONNECTIONS.cluster,
        declared: DeclaredServices = DECLARED,
    ) -> None:
        self._open_cluster = open_cluster
        self._declared = declared

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse a version that can't follow the finalised one."""
        yield from super().check(known, olds)
        for before, wanted in _versions(known, olds):
            yield from version_change_problems(before, wanted)

    def warnings(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[str]:
        """Tell what an upgrade does."""
        for before, wanted in _versions(known, olds):
            yield from upgrade_notes(before, wanted)

    def create(self, inputs: FeatureLevelInputs, context: Context) -> Created[FeatureLevelOutputs]:
        """Finalise what the nodes support."""
        return Created(inputs.service, self._finalise(inputs, context))

    def update(
        self,
        id: str,
        old_inputs: FeatureLevelInputs,
        old_outputs: FeatureLevelOutputs,
        inputs: FeatureLevelInputs,
        context: Context,
    ) -> FeatureLevelOutputs:
        """Finalise what the nodes support by now."""
        if inputs.version == old_inputs.version:
            return old_outputs
        return self._finalise(inputs, context)

    def delete(
        self, id: str, inputs: FeatureLevelInputs, outputs: FeatureLevelOutputs, context: Context
    ) -> None:
        """Tell the guards of the nodes, which go after it."""
        self._declared.remove(inputs.service)

    def _finalise(self, inputs: FeatureLevelInputs, context: Context) -> FeatureLevelOutputs:
        cluster = self._open_cluster(inputs.connection, context)
        finalised, supported = cluster.features.metadata_version()
        if supported > finalised:
            context.progress(f"metadata.version {finalised} becomes {supported}")
            refused = cluster.features.finalise(supported)
            if refused is not None:
                raise ClusterError(
                    f"metadata.version {supported} could not be finalised: a node of an older "
                    f"version may still be registered. Kafka: {refused}"
                )
        return FeatureLevelOutputs(metadata_version=max(finalised, supported))


def _versions(
    known: Mapping[str, object], olds: Mapping[str, object] | None
) -> Iterable[tuple[str, str]]:
    """The finalised version and the wanted one, where both are known."""
    before, wanted = (olds or {}).get("version"), known.get("version")
    if isinstance(before, str) and isinstance(wanted, str):
        yield before, wanted
