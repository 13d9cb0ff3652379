"""The nodes of each service in a plan: what happens to each of them, in which order, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from inkless_pulumi.report.findings import code
from inkless_pulumi.report.node_reasons import (
    AUTHORITY,
    IMAGE,
    configuration_of,
    part_of,
    reasons_of,
    setting_changes,
)
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource

__all__ = ["INSTANCE", "Node", "Service", "services"]

GATE: Final = "inkless:index:NodeReady"
GUARD: Final = "inkless:index:NodeStop"
ORDER: Final = "inkless:index:RollingOrder"
REGISTRATION: Final = "inkless:index:BrokerRegistration"
SETTINGS: Final = "inkless:index:ClusterSettings"
LEVEL: Final = "inkless:index:FeatureLevel"
INSTANCE: Final = "aws:ec2/instance:Instance"
_MACHINE_IMAGE: Final = "inkless:index:MachineImage"
Fate = Literal["replaced", "created", "deleted", "settled", "same"]
"""What happens to a node; `settled` is a change that it takes without a restart."""


@dataclass(frozen=True)
class Node:
    """A node, its machine and its gate."""

    name: str
    zone: str
    roles: tuple[str, ...]
    fate: Fate
    reasons: tuple[str, ...]
    with_others: bool
    """Whether the machine goes because something goes that it depends on, and so do the others'."""
    gate: Resource
    machine: Resource | None
    configuration: Mapping[str, Any]
    """Its settings as they are, or will be where the node is new; empty where not known."""
    settings: tuple[str, ...] = ()
    """Names of the settings that change."""

    @property
    def is_broker(self) -> bool:
        """Whether it holds topics."""
        return "broker" in self.roles

    @property
    def label(self) -> str:
        """Name and zone, within a sentence."""
        return f"{code(self.name)} ({code(self.zone)})" if self.zone else code(self.name)


@dataclass(frozen=True)
class Service:
    """A service: a component, or the stack where nodes stand without one."""

    urn: str
    name: str
    component: Resource | None
    nodes: tuple[Node, ...]
    """In the order of the update."""
    order_known: bool
    """Whether that order is decided already."""
    guarded: bool
    """Whether nodes are stopped only when nothing becomes unavailable by it."""
    order: Resource | None
    """Decides the rolling order."""
    drained: bool = False
    """Whether brokers that leave are drained of their replicas and unregistered."""
    settings: Resource | None = None
    """Settings of all brokers that are kept in the cluster, not in their files."""
    level: Resource | None = None
    """What finalises the feature level of the version that all nodes run."""
    emptied: frozenset[str] = frozenset()
    """URNs of the volumes and keys of brokers that leave, drained: nothing is lost with them."""
    others: tuple[str, ...] = field(default=())
    """URNs that change with the nodes and say nothing more: gates, attachments, orders."""

    def configuration(self, node: Node, *, old: bool) -> Mapping[str, Any]:
        """All settings that a node has, from its file and from the cluster, before or after."""
        cluster = {}
        if self.settings is not None:
            found = (self.settings.before if old else self.settings.after)("settings")
            cluster = found if isinstance(found, dict) else {}
        own = configuration_of(node.gate, old=old)
        return {**own, **cluster} if own or cluster else {}

    def having(self, fate: Fate) -> list[Node]:
        """The nodes of a fate."""
        return [node for node in self.nodes if node.fate == fate]

    @property
    def on_shortage(self) -> str:
        """What the update does about topics that it would make unavailable."""
        if not self.guarded:
            return "accept"
        given = self.order.after("onShortage") if self.order else None
        return given if isinstance(given, str) else "refuse"


def services(plan: Plan) -> list[Service]:
    """The services of a plan, by name."""
    gates: dict[str, list[Resource]] = {}
    places = {urn: place for place, (_, urn) in enumerate(plan.order)}
    for gate in sorted(plan.of_type(GATE), key=lambda gate: places.get(gate.urn, len(places))):
        gates.setdefault(gate.parent, []).append(gate)
    found = [_service(plan, urn, owned) for urn, owned in gates.items()]
    return sorted(found, key=lambda service: (service.name, service.urn))


def _service(plan: Plan, urn: str, gates: list[Resource]) -> Service:
    component = plan.get(urn)
    nodes = [_node(plan, component, gate) for gate in gates]
    order, known = _order(plan, urn)
    if order:
        places = {node_id: place for place, node_id in enumerate(order)}
        nodes.sort(key=lambda node: places.get(_node_id(node.gate), len(places)))
    elif not known:
        nodes.sort(key=lambda node: _node_id(node.gate))
    drained = any(entry.parent == urn for entry in plan.of_type(REGISTRATION))
    emptied = frozenset(_emptied(plan, nodes)) if drained else frozenset()
    return Service(
        urn=urn,
        name=urn.rpartition("::")[2],
        component=component if component and component.type.startswith("inkless:") else None,
        nodes=tuple(nodes),
        order_known=known,
        guarded=any(guard.parent == urn for guard in plan.of_type(GUARD)),
        order=_only(plan, urn, ORDER),
        drained=drained,
        settings=_only(plan, urn, SETTINGS),
        level=_only(plan, urn, LEVEL),
        emptied=emptied,
        others=(*_others(plan, urn, nodes), *sorted(emptied)),
    )


def _emptied(plan: Plan, nodes: list[Node]) -> Iterator[str]:
    """What brokers leave behind empty; where no node stays, none is drained."""
    if all(node.fate == "deleted" for node in nodes):
        return
    for node in nodes:
        for part in ("data", "key"):
            found = part_of(plan, node.gate, part)
            if node.fate == "deleted" and found is not None and found.goes:
                yield found.urn


def _only(plan: Plan, urn: str, token: str) -> Resource | None:
    return next((found for found in plan.of_type(token) if found.parent == urn), None)


def _node_id(gate: Resource) -> int:
    found = gate.state.inputs.get("nodeId", 0)
    return int(found) if isinstance(found, int | float) else 0


def _order(plan: Plan, urn: str) -> tuple[list[int], bool]:
    """The rolling order where a resource decides it, and whether it is decided."""
    for order in plan.of_type(ORDER):
        if order.parent == urn and order.new is not None:
            decided = order.new.outputs.get("order")
            if isinstance(decided, list) and Hidden.UNKNOWN not in decided:
                return [int(node_id) for node_id in decided], True
            return [], False
    return [], True


def _others(plan: Plan, urn: str, nodes: list[Node]) -> Iterator[str]:
    for shared in plan.of_type(ORDER, SETTINGS, LEVEL, IMAGE, _MACHINE_IMAGE, AUTHORITY):
        if shared.parent == urn and shared.touched:
            yield shared.urn
    ids = {_node_id(node.gate) for node in nodes}
    for entry in plan.of_type(REGISTRATION):
        if entry.parent == urn and entry.touched and _node_id(entry) in ids:
            yield entry.urn
    for node in nodes:
        yield node.gate.urn
        if node.machine is not None and node.machine.touched:
            yield node.machine.urn
        for part in ("attachment", "stop", "certificate"):
            found = part_of(plan, node.gate, part)
            if found is not None and found.touched:
                yield found.urn


def _node(plan: Plan, component: Resource | None, gate: Resource) -> Node:
    machine = part_of(plan, gate)
    fate = _fate(gate, machine)
    settings = setting_changes(gate)
    interface = part_of(plan, gate, "interface")
    moved = interface is not None and interface.action is Action.REPLACE
    reasons = tuple(reasons_of(plan, component, gate, machine, settings)) if _rolls(fate) else ()
    return Node(
        name=str(gate.state.inputs.get("name", gate.name)),
        zone=_zone(plan, gate),
        roles=tuple(str(role) for role in gate.state.inputs.get("roles") or ()),
        fate=fate,
        reasons=("the addresses of nodes are replaced",) if moved and _rolls(fate) else reasons,
        with_others=fate == "replaced" and (moved or not (machine and machine.replaced_for)),
        gate=gate,
        machine=machine,
        configuration=configuration_of(gate, old=True) or configuration_of(gate, old=False),
        settings=tuple(settings),
    )


def _rolls(fate: Fate) -> bool:
    return fate in ("replaced", "settled")


def _fate(gate: Resource, machine: Resource | None) -> Fate:
    action = machine.action if machine is not None else gate.action
    if action is Action.REPLACE:
        return "replaced"
    if action is Action.CREATE:
        return "created"
    if action is Action.DELETE or gate.action is Action.DELETE:
        return "deleted"
    return "settled" if gate.touched and gate.changes("configuration") else "same"


def _zone(plan: Plan, gate: Resource) -> str:
    """The zone of a node's data, which is the node's for life."""
    volume = part_of(plan, gate, "data")
    zone = volume.state.inputs.get("availabilityZone") if volume is not None else None
    return zone if isinstance(zone, str) else ""
