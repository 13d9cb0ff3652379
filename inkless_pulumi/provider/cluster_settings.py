"""Settings of all brokers that take effect without a restart."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.dynamic_settings import is_dynamic
from inkless_pulumi.core.errors import ClusterError, Problem
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.declared_services import DECLARED, DeclaredServices
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    connection_problems,
)
from inkless_pulumi.provider.kafka.model import Cluster
from inkless_pulumi.provider.resource import Context, Created, WireModel

__all__ = ["ClusterSettings", "ClusterSettingsInputs", "ClusterSettingsOutputs"]


class ClusterSettingsInputs(WireModel):
    """The settings, and whose."""

    service: str
    """The service's cluster id."""
    settings: dict[str, str]
    """Broker settings by Kafka's names, those only that a running broker takes for all alike.
    What is not named is left as it is."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class ClusterSettingsOutputs(WireModel):
    """Nothing beyond the inputs."""


class ClusterSettings(resource.Resource[ClusterSettingsInputs, ClusterSettingsOutputs]):
    """Cluster-wide settings; see the module."""

    token = "inkless:index:ClusterSettings"
    inputs = ClusterSettingsInputs
    outputs = ClusterSettingsOutputs
    description: ClassVar[str] = (
        "Settings of all brokers that are kept in the cluster's metadata: a change reaches running "
        "brokers, and no node is restarted.\n\nIt can't be imported; declare it, and what is set "
        "already stays."
    )

    def __init__(
        self, open_cluster: OpenCluster = CONNECTIONS.cluster, declared: DeclaredServices = DECLARED
    ) -> None:
        self._open_cluster = open_cluster
        self._declared = declared

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse settings that need a restart."""
        yield from connection_problems(known)
        settings = known.get("settings")
        for name, value in settings.items() if isinstance(settings, dict) else ():
            if not is_dynamic(name):
                rule = "is no setting that all brokers take while they run"
                yield Problem(f'settings["{name}"]', value, rule, "set it on the service")

    def create(
        self, inputs: ClusterSettingsInputs, context: Context
    ) -> Created[ClusterSettingsOutputs]:
        """Set what is not as declared."""
        self._apply(inputs, (), context)
        return Created(inputs.service, ClusterSettingsOutputs())

    def read(
        self,
        id: str,
        inputs: ClusterSettingsInputs | None,
        outputs: ClusterSettingsOutputs | None,
        context: Context,
    ) -> tuple[ClusterSettingsInputs, ClusterSettingsOutputs] | None:
        """Look up the declared settings; others are not this resource's."""
        if inputs is None:
            return None
        found = self._open_cluster(inputs.connection, context).settings.describe()
        settings = {name: found[name] for name in inputs.settings if name in found}
        return inputs.model_copy(update={"settings": settings}), ClusterSettingsOutputs()

    def update(
        self,
        id: str,
        old_inputs: ClusterSettingsInputs,
        old_outputs: ClusterSettingsOutputs,
        inputs: ClusterSettingsInputs,
        context: Context,
    ) -> ClusterSettingsOutputs:
        """Set what is not as declared, and unset what is not declared any more."""
        self._apply(inputs, old_inputs.settings, context)
        return ClusterSettingsOutputs()

    def delete(
        self,
        id: str,
        inputs: ClusterSettingsInputs,
        outputs: ClusterSettingsOutputs,
        context: Context,
    ) -> None:
        """Unset them, unless the service goes as a whole."""
        if self._declared.of(inputs.service):
            self._apply(inputs.model_copy(update={"settings": {}}), inputs.settings, context)

    def _apply(
        self, inputs: ClusterSettingsInputs, before: Iterable[str], context: Context
    ) -> None:
        cluster: Cluster = self._open_cluster(inputs.connection, context)
        found = cluster.settings.describe()
        changes: dict[str, str | None] = {
            name: value for name, value in inputs.settings.items() if found.get(name) != value
        }
        changes |= {name: None for name in before if name not in inputs.settings and name in found}
        if not changes:
            return
        refused = cluster.settings.alter(changes)
        if refused is not None:
            raise ClusterError(f"Settings ({', '.join(changes)}) were refused. Kafka: {refused}")
        context.progress(f"every broker has {', '.join(changes)}")
