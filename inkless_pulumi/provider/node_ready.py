"""The gate after a node: it opens when the node serves again and the cluster is whole.

In a program each node depends on the gate of the node before it, so that nodes are changed one at a
time. What makes a node ready is in `inkless_pulumi.provider.readiness`; here it is looked at.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import Field

from inkless_pulumi.core import ports
from inkless_pulumi.core.errors import ClusterError, ConnectionFailed, NotReady, Problem
from inkless_pulumi.provider.declared_services import DECLARED, DeclaredServices
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenNode,
)
from inkless_pulumi.provider.kafka.model import (
    BrokerState,
    Cluster,
    DisklessWrite,
    QuorumState,
    Unreachable,
)
from inkless_pulumi.provider.node_log import NodeLogInputs, end_of_log, last_line
from inkless_pulumi.provider.readiness import (
    Node,
    Observation,
    decide,
    only_the_write_is_missing,
    under_replicated,
)
from inkless_pulumi.provider.recorded import Recorded
from inkless_pulumi.provider.resource import Context, Created, Incomplete, WireModel
from inkless_pulumi.provider.waiting import wait_for

__all__ = ["NodeReady", "NodeReadyInputs", "NodeReadyOutputs"]

_LOG_AFTER_SECONDS = 30.0
"""A node that takes longer may have a reason; the log tells it long before the wait is over."""
_CLOCKS_APART_SECONDS = 10.0
"""Older lines of the stream are of the machine that was there before."""


class NodeReadyInputs(WireModel):
    """The node, what it runs, and how to look at the cluster."""

    service: str | None = None
    """The service's cluster id, as its RollingOrder has it: of several nodes that a roll found down
    the last is waited for. Default: none, each is waited for."""
    node_id: int
    """Kafka's `node.id`."""
    name: str
    """The node's name, for example `node-1`."""
    roles: list[Literal["broker", "controller"]]
    """`broker`, `controller`, or both."""
    address: str
    """The node's address, `host` or `host:port`. Default port: 9094, the mutual-TLS listener."""
    instance_id: str
    """Id of the machine. Another machine is waited for."""
    configuration: dict[str, str] = Field(default_factory=dict)
    """The node's Kafka settings, so that previews show what changes. A change is waited for."""
    image: str
    """The image that the node runs. Another image is waited for."""
    connection: ConnectionInputs
    """How to reach the cluster."""
    log: NodeLogInputs | None = None
    """Where the node's log is; its end is part of the error when the node does not start. Default:
    not told."""
    wait_at_creation: bool = True
    """Whether creating the resource waits. The first controllers of a new cluster can't become
    ready alone: a quorum needs the majority of them. Updates always wait. Default: true."""
    timeout_seconds: int = 600
    """How long to wait, in seconds. The resource's custom timeouts go before it. Default: 600."""


class NodeReadyOutputs(WireModel):
    """Nothing: that the resource is there says it all."""


class NodeReady(Recorded[NodeReadyInputs, NodeReadyOutputs]):
    """A gate; see the module."""

    token = "inkless:index:NodeReady"
    inputs = NodeReadyInputs
    outputs = NodeReadyOutputs
    description: ClassVar[str] = (
        "Waits until a node serves and the cluster is whole again: the node answers and is "
        "registered, every controller has caught up, every partition it holds is in sync, none "
        "lacks replicas, and diskless topics take a record through it. What depends on it is "
        "touched only then. Deleting it does nothing.\n\n"
        "It can't be imported: there is nothing behind it but the wait."
    )

    def __init__(
        self, open_node: OpenNode = CONNECTIONS.node, declared: DeclaredServices = DECLARED
    ) -> None:
        self._open_node = open_node
        self._declared = declared

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what can't be waited for."""
        roles = known.get("roles")
        if roles is not None and not roles:
            yield Problem("roles", roles, "is empty", 'give ["broker"], ["controller"] or both')
        seconds = known.get("timeout_seconds")
        if isinstance(seconds, int) and seconds <= 0:
            yield Problem("timeout_seconds", seconds, "is no time to wait", "use 1 or more")
        yield from super().check(known, olds)

    def create(self, inputs: NodeReadyInputs, context: Context) -> Created[NodeReadyOutputs]:
        """Wait, unless told not to; a wait in vain is recorded and goes on with the next update."""
        if inputs.wait_at_creation:
            self._wait(inputs.name, inputs, context)
        return Created(inputs.name, NodeReadyOutputs())

    def update(
        self,
        id: str,
        old_inputs: NodeReadyInputs,
        old_outputs: NodeReadyOutputs,
        inputs: NodeReadyInputs,
        context: Context,
    ) -> NodeReadyOutputs:
        """Wait, unless the node is one of several that were found down: the last waits for all."""
        if inputs.service is None or not self._declared.more_are_down(
            inputs.service, inputs.node_id
        ):
            self._wait(id, inputs, context)
        return NodeReadyOutputs()

    def _wait(self, id: str, inputs: NodeReadyInputs, context: Context) -> None:
        seconds = context.timeout or float(inputs.timeout_seconds)
        node = _node(inputs)
        watch = _Watch(node, inputs.connection, context, self._open_node)
        started = time.time() - _CLOCKS_APART_SECONDS

        def log(waited: float) -> str:
            if inputs.log is None or waited < _LOG_AFTER_SECONDS:
                return ""
            line = last_line(inputs.log, since=started)
            return f"; its log: {line}" if line else ""

        try:
            wait_for(
                lambda: decide(watch.look(), node),
                seconds,
                context,
                meanwhile=f"waiting for {node.name}",
                given_up=lambda missing: _given_up(node, missing, seconds),
                besides=log,
            )
            context.progress(f"{node.name} is ready")
        except NotReady as reason:
            told = f"{reason}\n{end_of_log(inputs.log)}" if inputs.log else str(reason)
            raise Incomplete(told, id=id, outputs=NodeReadyOutputs()) from reason


@dataclass
class _Watch:
    """Looks at the cluster on behalf of one wait."""

    node: Node
    connection: ConnectionInputs
    context: Context
    open_node: OpenNode
    leader: int | None = None
    since: int = 0

    def look(self) -> Observation:
        """See what there is to see, through the node itself where it can be asked.

        Each look connects anew: what a killed node answered once says nothing about the next.
        """
        way = self.node.address if self.node.is_broker else self.connection.bootstrap_servers
        try:
            with self.open_node(self.connection, way, self.context) as cluster:
                seen = self._observe(cluster)
                if self.node.is_broker and only_the_write_is_missing(seen, self.node):
                    return replace(seen, diskless=self._write(cluster, seen))
                return seen
        except Unreachable as unreachable:
            said = "; ".join(f"{f.address}: {f}" for f in unreachable.findings)
            if self.node.is_broker:
                return Observation(own_listener=str(unreachable.findings[0]))
            return Observation(cluster=f"no broker answers ({said})")
        except (ClusterError, ConnectionFailed) as error:
            return Observation(cluster=str(error))

    def _observe(self, cluster: Cluster) -> Observation:
        brokers = cluster.nodes.brokers()
        ask = self.node.node_id if _serves(self.node, brokers) else None
        if ask is not None:
            brokers = cluster.nodes.brokers(ask)
        partitions = cluster.nodes.partitions(ask)
        short = sorted({partition.topic for partition in under_replicated(partitions)})
        seen = Observation(
            brokers=brokers,
            configuration=self._configuration(cluster, ask),
            partitions=partitions,
            min_in_sync=cluster.nodes.min_in_sync(short) if short else {},
        )
        try:
            quorum = cluster.nodes.quorum()
        except ClusterError:
            return seen
        self._start(quorum)
        return replace(seen, quorum=quorum, watched_since=self.since)

    def _write(self, cluster: Cluster, seen: Observation) -> DisklessWrite:
        if not cluster.diskless.in_use(sorted({part.topic for part in seen.partitions})):
            return DisklessWrite(None, "no topic is diskless")
        self.context.progress(f"{self.node.name}: writing a record to a diskless topic")
        outcome = cluster.diskless.write(self.node.node_id)
        if outcome.taken is None:
            self.context.warn(f"{self.node.name} was not tried with a record: {outcome.reason}")
        return outcome

    def _configuration(self, cluster: Cluster, ask: int | None) -> Mapping[str, str]:
        names = list(self.node.configuration)
        if ask is None or not names or not self.node.is_broker:
            return {}
        return cluster.settings.read_at_start(ask, names)

    def _start(self, quorum: QuorumState) -> None:
        """Begin to count anew under an active controller whose clock is another."""
        if quorum.leader != self.leader:
            self.leader, self.since = quorum.leader, quorum.now


def _serves(node: Node, brokers: Iterable[BrokerState]) -> bool:
    """Whether the node can be asked by its id: a fenced one is not told to clients."""
    return any(broker.node_id == node.node_id and not broker.fenced for broker in brokers)


def _node(inputs: NodeReadyInputs) -> Node:
    has_port = ":" in inputs.address
    address = inputs.address if has_port else f"{inputs.address}:{ports.MTLS}"
    return Node(inputs.node_id, inputs.name, frozenset(inputs.roles), address, inputs.configuration)


def _given_up(node: Node, missing: str, seconds: float) -> str:
    return (
        f"{node.name} is not ready after {seconds:g} s: {missing}. The nodes after it were not "
        "touched. Look at the node's log, correct what is wrong, and run the update again: it goes "
        "on from here."
    )
