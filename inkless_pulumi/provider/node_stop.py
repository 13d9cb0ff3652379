"""Before a node is stopped: it may be stopped only when nothing becomes unavailable by it.

A broker that leaves for good is drained of its replicas first.

The engine deletes this resource right before it deletes the node's machine, whether the machine is
replaced or leaves for good. So the wait is its deletion; making it does nothing. What is decided is
in `inkless_pulumi.provider.availability`.
"""

from collections.abc import Callable
from typing import ClassVar, Literal, TypeVar

from pydantic import Field

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed, NotReady
from inkless_pulumi.provider.availability import MayStop, MustNot, may_stop
from inkless_pulumi.provider.cluster_view import ClusterView, look_at
from inkless_pulumi.provider.declared_services import (
    DECLARED,
    DeclaredService,
    DeclaredServices,
)
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenCluster,
    OpenNode,
)
from inkless_pulumi.provider.kafka.model import Unreachable
from inkless_pulumi.provider.moving import drain
from inkless_pulumi.provider.readiness import Node, Waiting
from inkless_pulumi.provider.recorded import Recorded
from inkless_pulumi.provider.resource import Context, Created, WireModel
from inkless_pulumi.provider.waiting import wait_for

__all__ = ["NodeStop", "NodeStopInputs", "NodeStopOutputs"]

T = TypeVar("T")

Look = ClusterView | Waiting | MayStop


class NodeStopInputs(WireModel):
    """The node, and how to look at the cluster."""

    service: str
    """The service's cluster id."""
    node_id: int
    """Kafka's `node.id`."""
    name: str
    """The node's name, for example `node-1`."""
    roles: list[Literal["broker", "controller"]]
    """`broker`, `controller`, or both."""
    instance_id: str
    """Id of the machine. Before it is replaced, this resource is."""
    connection: ConnectionInputs
    """How to reach the cluster."""
    timeout_seconds: int = Field(default=600, gt=0)
    """How long to wait, in seconds. The resource's custom timeouts go before it. Default: 600."""


class NodeStopOutputs(WireModel):
    """Nothing: it acts when it is deleted."""


class NodeStop(Recorded[NodeStopInputs, NodeStopOutputs]):
    """A guard; see the module."""

    token = "inkless:index:NodeStop"
    inputs = NodeStopInputs
    outputs = NodeStopOutputs
    replace_on = frozenset({"instance_id"})
    delete_before_replace = True
    description: ClassVar[str] = (
        "Guards a running node: deleting it, which the engine does before it replaces or deletes "
        "the node's machine, waits until the node may be stopped without making anything "
        "unavailable, as the RollingOrder of the service has it. From a broker that leaves for "
        "good all replicas are moved away before. When the service is deleted as a whole it does "
        "nothing.\n\n"
        "It can't be imported: there is nothing behind it but the wait."
    )

    def __init__(
        self,
        open_node: OpenNode = CONNECTIONS.node,
        open_cluster: OpenCluster = CONNECTIONS.cluster,
        declared: DeclaredServices = DECLARED,
    ) -> None:
        self._open_node = open_node
        self._open_cluster = open_cluster
        self._declared = declared

    def create(self, inputs: NodeStopInputs, context: Context) -> Created[NodeStopOutputs]:
        """Do nothing."""
        return Created(inputs.name, NodeStopOutputs())

    def delete(
        self, id: str, inputs: NodeStopInputs, outputs: NodeStopOutputs, context: Context
    ) -> None:
        """Wait until the node may be stopped, unless the service goes as a whole.

        A broker that leaves for good is drained before.
        """
        declared = self._declared.of(inputs.service)
        if declared is None:
            if self._declared.goes(inputs.service):
                return
            raise NotReady(_not_declared(inputs.name))
        if "broker" in inputs.roles and inputs.node_id not in declared.nodes:
            self._drain(inputs, declared, context)
        self._wait(inputs, declared, context)

    def _drain(self, inputs: NodeStopInputs, declared: DeclaredService, context: Context) -> None:
        self._await_brokers(inputs, context)
        cluster = self._open_cluster(inputs.connection, context)
        drain(
            cluster,
            inputs.node_id,
            declared.nodes,
            throttle=declared.throttle,
            patience=context.timeout or float(inputs.timeout_seconds),
            context=context,
        )

    def _await_brokers(self, inputs: NodeStopInputs, context: Context) -> None:
        """Wait until a broker answers: where all of them start anew that takes its time."""

        def look() -> ClusterView | Waiting:
            seen = self._look(inputs, context)
            if isinstance(seen, MayStop):
                return Waiting(("no broker runs that could take over its replicas",))
            return seen

        _wait_for(look, inputs, context)

    def _wait(self, inputs: NodeStopInputs, declared: DeclaredService, context: Context) -> None:
        node = Node(inputs.node_id, inputs.name, frozenset(inputs.roles), "")

        def look() -> MayStop | Waiting:
            seen = self._look(inputs, context)
            if not isinstance(seen, ClusterView):
                return seen
            verdict = may_stop(seen, node, declared.on_shortage)
            if isinstance(verdict, MustNot):
                raise NotReady(_refused(node, verdict))
            return verdict

        verdict = _wait_for(look, inputs, context)
        if verdict.unavailable:
            context.warn(
                f"Unavailable until {inputs.name} is back, as was accepted: "
                f"{', '.join(verdict.unavailable)}"
            )

    def _look(self, inputs: NodeStopInputs, context: Context) -> Look:
        servers = inputs.connection.bootstrap_servers
        try:
            with self._open_node(inputs.connection, servers, context) as cluster:
                return look_at(cluster)
        except Unreachable as unreachable:
            if all(finding.vacant for finding in unreachable.findings):
                return MayStop()  # no broker runs: nobody would miss this one
            return Waiting((str(unreachable),))
        except (ClusterError, ConnectionFailed) as error:
            return Waiting((str(error),))


def _wait_for(look: Callable[[], T | Waiting], inputs: NodeStopInputs, context: Context) -> T:
    """Look until nothing is in the way; errors as of `wait_for`, and nothing was stopped then."""
    seconds = context.timeout or float(inputs.timeout_seconds)
    return wait_for(
        look,
        seconds,
        context,
        meanwhile=f"{inputs.name} must not stop yet",
        given_up=lambda missing: _given_up(inputs.name, missing, seconds),
    )


def _not_declared(name: str) -> str:
    return (
        f"{name} was not stopped: the update names single resources (--target) and the service's "
        "RollingOrder is not among them, so that nobody can tell whether the node is replaced or "
        "leaves. Run the update without --target, or name the RollingOrder as well. Where a "
        "service was taken out of the program and its removal was interrupted, go on with `pulumi "
        "destroy --target` of what is left of it. Nothing was changed on this node."
    )


def _refused(node: Node, verdict: MustNot) -> str:
    return (
        f"{node.name} was not stopped: {', '.join(verdict.topics)} would be unavailable without "
        "it, having no more replicas than min.insync.replicas asks for (or one). Give them more "
        'replicas, or accept it: on_shortage="accept". Nothing was changed on this node or the '
        "nodes after it."
    )


def _given_up(name: str, missing: str, seconds: float) -> str:
    return (
        f"{name} was not stopped, as after {seconds:g} s it still must not be: {missing}. Nothing "
        "was changed on this node or the nodes after it. Correct what is wrong, and run the update "
        "again: it goes on from here."
    )
