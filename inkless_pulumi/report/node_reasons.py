"""Why a node changes: its settings, its machine, its image, its certificate, or what it is told."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.findings import code, listed, value_text
from inkless_pulumi.report.plan import Hidden, Plan, Resource

__all__ = ["AUTHORITY", "IMAGE", "configuration_of", "part_of", "reasons_of", "setting_changes"]

IMAGE: Final = "inkless:index:BrokerImage"
AUTHORITY: Final = "inkless:index:CertificateAuthority"
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
    "switchToDiskless": "switch_to_diskless",
    "keyPrefix": "key_prefix",
    "architecture": "architecture",
    "databaseMaxConnectionsPerNode": "database_max_connections_per_node",
    "machineImageRenewal": "machine_image_renewal",
    "topology": "topology",
}
"""Arguments of a service that nodes are told, and that show in none of their properties."""


def part_of(plan: Plan, gate: Resource, part: str = "") -> Resource | None:
    """What belongs to a node: its logical name is the gate's with another ending."""
    base = gate.name.removesuffix("-ready")
    return plan.sibling(gate, f"{base}-{part}" if part else base)


def configuration_of(gate: Resource, *, old: bool) -> Mapping[str, Any]:
    """The settings of a node as its gate has them; empty where they are not known."""
    found = (gate.before if old else gate.after)("configuration")
    return found if isinstance(found, Mapping) else {}


def reasons_of(
    plan: Plan,
    component: Resource | None,
    gate: Resource,
    machine: Resource | None,
    settings: Mapping[str, str],
) -> Iterator[str]:
    """Why a node changes, each a clause: what is declared, then what follows from it."""
    told = list(_argument_reasons(component))
    told += list(settings.values()) or list(_declared_settings(component, gate))
    told += _machine_reasons(machine)
    told += _image_reasons(plan, gate)
    certificate = part_of(plan, gate, "certificate")
    if any(one.parent == gate.parent and one.touched for one in plan.of_type(AUTHORITY)):
        told.append("the CA is renewed, and the former one is trusted meanwhile")
    elif certificate is not None and certificate.touched:
        told.append("its certificate is renewed")
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
    for image in plan.of_type(IMAGE):
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


def setting_changes(gate: Resource) -> dict[str, str]:
    """The settings that change, each with a clause that says how."""
    old, new = configuration_of(gate, old=True), configuration_of(gate, old=False)
    if not old or not new:
        return {}
    return {
        name: f"{code(name)} changes from {value_text(old.get(name))} to "
        f"{value_text(new.get(name))}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    }
