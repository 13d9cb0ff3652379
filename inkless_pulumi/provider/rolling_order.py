"""The order in which nodes are changed, decided when a change begins.

Fixed in a program, the order would be wrong as soon as the active controller is another, and fatal
when a node in the middle of it is down: the first one would be stopped beside it.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed, Problem, SecretStoreError
from inkless_pulumi.core.upgrade import is_downgrade
from inkless_pulumi.provider.availability import Shortage
from inkless_pulumi.provider.cluster_view import ClusterView, look_at, serves
from inkless_pulumi.provider.declared_services import (
    DECLARED,
    DeclaredService,
    DeclaredServices,
)
from inkless_pulumi.provider.kafka.connection import (
    CONNECTIONS,
    ConnectionInputs,
    OpenNode,
    service_facts,
)
from inkless_pulumi.provider.readiness import Node
from inkless_pulumi.provider.recorded import Recorded
from inkless_pulumi.provider.resource import Context, Created, WireModel

__all__ = ["RollingOrder", "RollingOrderInputs", "RollingOrderOutputs", "rolling_order"]


class RollingOrderInputs(WireModel):
    """The nodes, and what they run."""

    service: str
    """The service's cluster id."""
    controllers: list[int]
    """The node ids of the controllers, in the order of their creation."""
    brokers: list[int]
    """The node ids of the brokers, likewise. A node may be both."""
    runs: dict[str, str]
    """By node id, a text that changes with whatever the node's machine is made of. A change is a
    roll, whose order is decided anew."""
    version: str
    """The version that the nodes run, `<Kafka version>-<increment>`."""
    on_shortage: Shortage = "refuse"
    """What to do about topics that have no more replicas than `min.insync.replicas` asks for, or
    one, which are unavailable while a node is down: `refuse` to stop it; `wait` until they were
    given more; `accept` it. It holds for the very update that declares it. Default: `refuse`."""
    connection: ConnectionInputs
    """How to reach the cluster."""


class RollingOrderOutputs(WireModel):
    """The order."""

    order: list[int]
    """Node ids: the first is changed first."""
    at_creation: bool
    """Whether it is the order of creation, because nothing was ever changed."""


class RollingOrder(Recorded[RollingOrderInputs, RollingOrderOutputs]):
    """An order; see the module."""

    token = "inkless:index:RollingOrder"
    inputs = RollingOrderInputs
    outputs = RollingOrderOutputs
    description: ClassVar[str] = (
        "The order in which the nodes of a service are changed: nodes that do not serve first, "
        "controllers before brokers (after them in a downgrade), the active controller last among "
        "the controllers. It is decided whenever what the nodes run changes.\n\n"
        "It can't be imported: there is nothing behind it but the decision."
    )

    def __init__(
        self, open_node: OpenNode = CONNECTIONS.node, declared: DeclaredServices = DECLARED
    ) -> None:
        self._open_node = open_node
        self._declared = declared

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Note what is declared, for the nodes that are stopped later in the same run."""
        service, nodes = known.get("service"), _ids(known, "controllers") | _ids(known, "brokers")
        if isinstance(service, str):
            throttle = service_facts(known).reassignment_throttle
            shortage = cast("Shortage", known.get("on_shortage", "refuse"))
            self._declared.declare(service, DeclaredService(nodes, throttle, shortage))
        return ()

    def create(self, inputs: RollingOrderInputs, context: Context) -> Created[RollingOrderOutputs]:
        """Take the order of creation: there is no cluster yet."""
        order = _of_creation(inputs)
        return Created(inputs.service, RollingOrderOutputs(order=order, at_creation=True))

    def update(
        self,
        id: str,
        old_inputs: RollingOrderInputs,
        old_outputs: RollingOrderOutputs,
        inputs: RollingOrderInputs,
        context: Context,
    ) -> RollingOrderOutputs:
        """Decide, with a look at the cluster."""
        servers = inputs.connection.bootstrap_servers
        try:
            with self._open_node(inputs.connection, servers, context) as cluster:
                seen = look_at(cluster)
        except (ClusterError, ConnectionFailed, SecretStoreError) as reason:
            context.warn(f"Nodes are changed in the order of their creation. {reason}")
            # None serves, as far as can be told. Guards, where there are any, see for themselves.
            self._declared.find_down(inputs.service, _of_creation(inputs))
            return RollingOrderOutputs(order=_of_creation(inputs), at_creation=False)
        nodes, known = _nodes(inputs), {*old_inputs.controllers, *old_inputs.brokers}
        order = rolling_order(
            nodes,
            known=known,
            seen=seen,
            downgrade=is_downgrade(old_inputs.version, inputs.version),
        )
        down = {node.node_id for node in nodes if not serves(seen, node)} & known
        self._declared.find_down(inputs.service, [node for node in order if node in down])
        context.progress(f"nodes are changed in the order {', '.join(map(str, order))}")
        return RollingOrderOutputs(order=order, at_creation=False)


def rolling_order(
    nodes: Iterable[Node], *, known: Iterable[int], seen: ClusterView, downgrade: bool
) -> list[int]:
    """Decide the order in which nodes are changed.

    1. Nodes that do not serve come first: changing one takes nothing away, and may give it back.
       While it is down no other node could be spared. Several are changed without a wait between
       them, as one alone may be no quorum; the last of them is waited for.
    2. Then controllers, and after them brokers, so that no broker ever runs a newer version than
       the active controller; in a downgrade the other way round, for the same reason. A node that
       is both is a controller here.
    3. The active controller is the last of the controllers: each change of it is an election, and
       the roll so has one.
    4. New nodes come last, after a cluster that is whole again.

    Otherwise it is the order of creation.

    Args:
        nodes: all nodes in the order of creation.
        known: ids of the nodes that were there before.
        seen: the cluster at this moment.
        downgrade: the nodes are about to run an older version.
    """
    there = frozenset(known)
    active = seen.quorum.leader if seen.quorum else None

    def rank(node: Node) -> tuple[bool, bool, bool, bool]:
        return (
            node.node_id not in there,
            serves(seen, node),
            node.is_controller == downgrade,
            node.node_id == active,
        )

    return [node.node_id for node in sorted(nodes, key=rank)]


def _nodes(inputs: RollingOrderInputs) -> list[Node]:
    roles = {"controller": frozenset(inputs.controllers), "broker": frozenset(inputs.brokers)}
    return [
        Node(
            node_id=node_id,
            name=f"node-{node_id}",
            roles=frozenset(role for role, ids in roles.items() if node_id in ids),
            address="",
        )
        for node_id in _of_creation(inputs)
    ]


def _of_creation(inputs: RollingOrderInputs) -> list[int]:
    return list(dict.fromkeys([*inputs.controllers, *inputs.brokers]))


def _ids(known: Mapping[str, object], name: str) -> frozenset[int]:
    given = known.get(name)
    return frozenset(given) if isinstance(given, list) else frozenset()
