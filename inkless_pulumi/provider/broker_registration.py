"""A broker's place on the cluster's books, which is given up after its machine has gone.

Kafka keeps a broker that has left for good registered, as it might come back. Nothing is to be done
while it is there, and unregistering it alive would harm: it could not even stop in good order.
"""

from typing import ClassVar

from inkless_pulumi.provider.declared_services import DECLARED, DeclaredServices
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
)
from inkless_pulumi.provider.readiness import Waiting
from inkless_pulumi.provider.recorded import Recorded
from inkless_pulumi.provider.resource import Context, Created, WireModel
from inkless_pulumi.provider.waiting import wait_for

__all__ = ["BrokerRegistration", "BrokerRegistrationInputs", "BrokerRegistrationOutputs"]

_GONE_SECONDS = 120.0
"""A broker that stopped is fenced at once, and one that was killed after its session: 9 s."""


class BrokerRegistrationInputs(WireModel):
    """The broker, and how to reach the cluster."""

    service: str
    """The service's cluster id."""
    node_id: int
    """Kafka's `node.id`."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class BrokerRegistrationOutputs(WireModel):
    """Nothing: it acts when it is deleted."""


class BrokerRegistration(Recorded[BrokerRegistrationInputs, BrokerRegistrationOutputs]):
    """A registration; see the module."""

    token = "inkless:index:BrokerRegistration"
    inputs = BrokerRegistrationInputs
    outputs = BrokerRegistrationOutputs
    description: ClassVar[str] = (
        "A broker's place on the cluster's books. The broker registers by itself; deleting this "
        "resource unregisters it, after its machine has gone. When the service is deleted as a "
        "whole it does nothing.\n\nIt can't be imported: there is nothing to look up but the id."
    )

    def __init__(
        self, open_cluster: OpenCluster = CONNECTIONS.cluster, declared: DeclaredServices = DECLARED
    ) -> None:
        self._open_cluster = open_cluster
        self._declared = declared

    def create(
        self, inputs: BrokerRegistrationInputs, context: Context
    ) -> Created[BrokerRegistrationOutputs]:
        """Do nothing: the broker registers when it starts."""
        return Created(f"node-{inputs.node_id}", BrokerRegistrationOutputs())

    def delete(
        self,
        id: str,
        inputs: BrokerRegistrationInputs,
        outputs: BrokerRegistrationOutputs,
        context: Context,
    ) -> None:
        """Unregister the broker, unless the service goes as a whole."""
        declared = self._declared.of(inputs.service)
        if declared and inputs.node_id not in declared.nodes:
            self._unregister(inputs, context)

    def _unregister(self, inputs: BrokerRegistrationInputs, context: Context) -> None:
        cluster, node_id = self._open_cluster(inputs.connection, context), inputs.node_id

        def look() -> Waiting | None:
            serves = any(b.node_id == node_id and not b.fenced for b in cluster.nodes.brokers())
            return Waiting(("it still serves",)) if serves else None

        wait_for(
            look,
            _GONE_SECONDS,
            context,
            meanwhile=f"waiting until broker {node_id} has stopped",
            given_up=lambda _: (
                f"Broker {node_id} still serves, and was not unregistered. Its machine should have "
                "gone: see to that, then run the update again."
            ),
        )
        cluster.nodes.unregister(node_id)
