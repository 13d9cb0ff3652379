"""The nodes of each service in a plan: what happens to each of them, in which order, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from inkless_pulumi.report.findings import code, listed, value_text
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource

__all__ = ["INSTANCE", "Node", "Service", "services"]

GATE: Final = "inkless:index:NodeReady"
GUARD: Final = "inkless:index:NodeStop"
ORDER: Final = "inkless:index:RollingOrder"
INSTANCE: Final = "aws:ec2/instance:Instance"
_IMAGE: Final = "inkless:index:BrokerImage"
_MACHINE_IMAGE: Final = "inkless:index:MachineImage"
_MACHINE_WORDS: Final[Mapping[str, str]] = {
    "instanceType": "the machine type",
    "ami": "the machine image (AMI)",
    "iamInstanceProfile": "the instance profile",
    "metadataOptions": "the metadata options",
    "primaryNetworkInterface": "the network interface",
}
_ARGUMENTS: Final[Mapping[str, str]] = {
    "heapMib": "heap_mib",
    "tieredStorage": "tiered_storage",
    "keyPrefix": "key_prefix",
    "architecture": "architecture",
    "databaseMaxConnectionsPerNode": "database_max_connections_per_node",
    "machineImageRenewal": "machine_image_renewal",
    "topology": "topology",
}
"""Arguments of a service that nodes are told, and that show in none of their properties."""

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
    """Whether nodes are kept from being stopped while that makes a topic unavailable."""
    others: tuple[str, ...] = field(default=())
    """URNs that change with the nodes and say nothing more: gates, attachments, orders."""

    def having(self, fate: Fate) -> list[Node]:
        """The nodes of a fate."""
        return [node for node in self.nodes if node.fate == fate]

    @property
    def on_shortage(self) -> str:
        """What the update does about topics that it would make unavailable."""
        if not self.guarded:
            return "accept"
        given = self.component.after("onShortage") if self.component else None
        return given if isinstance(given, str) else "refuse"


def services(plan: Plan) -> list[Service]:
    """The services of a plan, by name."""
    gates: dict[str, list[Resource]] = {}
    for gate in plan.of_type(GATE):
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
    return Service(
        urn=urn,
        name=urn.rpartition("::")[2],
        component=component if component and component.type.startswith("inkless:") else None,
        nodes=tuple(nodes),
        order_known=known,
        guarded=any(guard.parent == urn for guard in plan.of_type(GUARD)),
        others=tuple(_others(plan, urn, nodes)),
    )


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
    for shared in plan.of_type(ORDER, _IMAGE, _MACHINE_IMAGE):
        if shared.parent == urn:
            yield shared.urn
    for node in nodes:
        yield node.gate.urn
        if node.machine is not None and node.machine.touched:
            yield node.machine.urn
        for part in ("attachment", "stop", "certificate"):
            found = _part(plan, node.gate, part)
            if found is not None and found.touched:
                yield found.urn


def _part(plan: Plan, gate: Resource, part: str = "") -> Resource | None:
    """What belongs to a node: its logical name is the gate's with another ending."""
    base = gate.name.removesuffix("-ready")
    return plan.sibling(gate, f"{base}-{part}" if part else base)


def _node(plan: Plan, component: Resource | None, gate: Resource) -> Node:
    machine = _part(plan, gate)
    fate = _fate(gate, machine)
    settings = _setting_changes(gate)
    interface = _part(plan, gate, "interface")
    moved = interface is not None and interface.action is Action.REPLACE
    reasons = tuple(_reasons(plan, component, gate, machine, settings)) if _rolls(fate) else ()
    return Node(
        name=str(gate.state.inputs.get("name", gate.name)),
        zone=_zone(plan, gate),
        roles=tuple(str(role) for role in gate.state.inputs.get("roles") or ()),
        fate=fate,
        reasons=("its address is replaced",) if moved and _rolls(fate) else reasons,
        with_others=fate == "replaced" and (moved or not (machine and machine.replaced_for)),
        gate=gate,
        machine=machine,
        configuration=_configuration(gate, old=True) or _configuration(gate, old=False),
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
    volume = _part(plan, gate, "data")
    zone = volume.state.inputs.get("availabilityZone") if volume is not None else None
    return zone if isinstance(zone, str) else ""


def _configuration(gate: Resource, *, old: bool) -> Mapping[str, Any]:
    found = (gate.before if old else gate.after)("configuration")
    return found if isinstance(found, Mapping) else {}


def _setting_changes(gate: Resource) -> dict[str, str]:
    """The settings that change, each with a clause that says how."""
    old, new = _configuration(gate, old=True), _configuration(gate, old=False)
    if not old or not new:
        return {}
    return {
        name: f"{code(name)} changes from {value_text(old.get(name))} to "
        f"{value_text(new.get(name))}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    }


def _reasons(
    plan: Plan,
    component: Resource | None,
    gate: Resource,
    machine: Resource | None,
    settings: Mapping[str, str],
) -> Iterator[str]:
    """Why a node changes, each a clause."""
    told = list(settings.values()) or list(_declared_settings(component, gate))
    told += _machine_reasons(machine)
    told += _image_reasons(plan, gate)
    certificate = _part(plan, gate, "certificate")
    if certificate is not None and certificate.touched:
        told.append("its certificate is renewed")
    told += _argument_reasons(component)
    if not told and machine is not None and "userDataBase64" in machine.replaced_for:
        told.append("what it is told at boot changes")
    yield from told


def _declared_settings(component: Resource | None, gate: Resource) -> Iterator[str]:
    """What is declared of the settings, where the nodes' own are not known yet."""
    if component is None or gate.after("configuration") is not Hidden.UNKNOWN:
        return
    old, new = component.before("settings") or {}, component.after("settings") or {}
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                before, after = (value_text(found.get(name)) for found in (old, new))
                yield f"{code(name)} changes from {before} to {after}"


def _machine_reasons(machine: Resource | None) -> Iterator[str]:
    if machine is None or machine.old is None or machine.new is None:
        return
    for name, words in _MACHINE_WORDS.items():
        old, new = machine.before(name), machine.after(name)
        if old != new:
            plain = not isinstance(old, dict) and not isinstance(new, dict)
            how = f" from {value_text(old)} to {value_text(new)}" if plain else ""
            yield f"{words} changes{how}"


def _image_reasons(plan: Plan, gate: Resource) -> Iterator[str]:
    if not gate.changes("image"):
        return
    for image in plan.of_type(_IMAGE):
        if image.parent == gate.parent and image.touched:
            upstream = image.before("upstream"), image.after("upstream")
            if upstream[0] != upstream[1]:
                yield f"the image is built on {code(upstream[1])} instead of {code(upstream[0])}"
            else:
                parts = listed(path.partition("[")[0] for path in image.changed)
                yield f"the image is built anew ({parts} of it changes)"
            return
    yield "the image changes"


def _argument_reasons(component: Resource | None) -> Iterator[str]:
    if component is None or component.old is None:
        return
    for wire, name in _ARGUMENTS.items():
        old, new = component.before(wire), component.after(wire)
        if old != new:
            yield f"{code(name)} changes from {value_text(old)} to {value_text(new)}"
