"""Checks of what a report says of nodes: which come, go, roll and why, and what they take."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from inkless_pulumi.report.document import FindingDocument
from proofs.claims.observed import Machine, Update
from proofs.claims.sentences import Unclear, key_of, match

__all__ = [
    "added",
    "applied",
    "created",
    "deleted",
    "finalised",
    "grown",
    "nodes_told",
    "removed",
    "replaced",
]

_INSTANCE: Final = "aws:ec2/instance:Instance"
_GATE: Final = "inkless:index:NodeReady"
_NODE: Final = re.compile(r"([\w-]+) \(([\w-]+)\)")
_VOLUME: Final = "aws:ebs/volume:Volume kafka-{}-data"


def nodes_told(finding: FindingDocument) -> dict[str, str]:
    """The nodes that a finding names, each with its zone."""
    return dict(_NODE.findall(" ".join((finding.title, *finding.details))))


# --- nodes that come and go ----------------------------------------------------------------------


def created(finding: FindingDocument, update: Update) -> Iterator[str]:
    """A service with exactly these nodes is there, and was not."""
    count = int(match(r".* is created, with (\d+) nodes?: .*", finding.title)[1])
    told = dict(_NODE.findall(finding.title))
    seen = {name: machine.zone for name, machine in update.after.machines.items()}
    if told != seen or count != len(seen):
        yield f"the nodes are {seen}, and {told} were said to be made"
    if update.before.machines:
        yield f"it is no new service: {sorted(update.before.machines)} were there"


def deleted(finding: FindingDocument, update: Update) -> Iterator[str]:
    """No node is left."""
    count = int(match(r"The service \S+ is removed, with (\d+) nodes?", finding.title)[1])
    if count != len(update.before.machines):
        yield f"there were {len(update.before.machines)} nodes"
    if update.after.machines:
        yield f"{sorted(update.after.machines)} are still there"


def added(finding: FindingDocument, update: Update) -> Iterator[str]:
    """These nodes came, and where it is said, no other was touched."""
    said = match(
        r"(\d+) nodes? (?:is|are) added: (.+?)(; the nodes that are there are not touched)?",
        finding.title,
    )
    before, after = update.before.machines, update.after.machines
    seen = {name: after[name].zone for name in after.keys() - before.keys()}
    told = dict(_NODE.findall(said[2]))
    if told != seen or int(said[1]) != len(seen):
        yield f"the nodes {seen} came, and {told} were said to"
    touched = sorted(name for name in before if before[name] != after.get(name))
    if said[3] and touched:
        yield f"{touched} were touched"


def removed(finding: FindingDocument, update: Update) -> Iterator[str]:
    """These nodes went with their volumes, and every topic has the replicas that it had."""
    said = match(r"(\d+) nodes? (?:is|are) removed: (.+)", finding.title)
    (drained,) = finding.details
    match(r"Each is drained of its replicas before its machine and its volume go", drained)
    before, after = update.before, update.after
    seen = {
        name: before.machines[name].zone for name in before.machines.keys() - after.machines.keys()
    }
    told = dict(_NODE.findall(said[2]))
    if told != seen or int(said[1]) != len(seen):
        yield f"the nodes {seen} went, and {told} were said to"
    for name in seen:
        if _VOLUME.format(name) in after.account:
            yield f"the volume of {name} is still there"
    for name, topic in before.topics.items():
        left = after.topics.get(name)
        if left is None or left.replication_factor != topic.replication_factor:
            yield f"{name} was {topic}, and is {left}"
        elif not left.has_leaders:
            yield f"{name} has partitions that nobody leads"


# --- rolls ---------------------------------------------------------------------------------------


def replaced(finding: FindingDocument, update: Update) -> Iterator[str]:
    """These nodes are on other machines, for these reasons, one after the other."""
    said = match(
        r"(\d+) nodes? (?:is|are) replaced, one at a time, (?:\S+ \(\S+\) first, )?because (.+); "
        r"about .* min",
        finding.title,
    )
    before, after = update.before.machines, update.after.machines
    told = list(nodes_told(finding))
    moved = [name for name in after if name in before and _id(before[name]) != _id(after[name])]
    if sorted(told) != sorted(moved) or int(said[1]) != len(moved):
        yield f"{sorted(moved)} are on other machines, and {sorted(told)} were said to be"
    for name in moved:
        old, new = before[name], after[name]
        if (old.address, old.volume_id) != (new.address, new.volume_id):
            yield f"{name}: address and volume were said to stay: {old} became {new}"
    yield from _reasons(said[2], told, update)
    yield from _rolled(finding, update, moved)


def _id(machine: Machine) -> str:
    return machine.instance_id


def _rolled(finding: FindingDocument, update: Update, moved: list[str]) -> Iterator[str]:
    """One at a time, in the order that was told."""
    machines = {f"{_INSTANCE} kafka-{name}": name for name in moved}
    gates = {f"{_GATE} kafka-{name}-ready": name for name in moved}
    order: list[str] = []
    down = ""
    for operation, key in update.watched.steps:
        if operation == "delete-replaced" and key in machines:
            if down:
                yield f"{machines[key]} was stopped while {down} was not back"
            down = machines[key]
            order.append(down)
        elif operation == "update" and gates.get(key) == down:
            down = ""
    if update.watched.most_down > 1:
        yield f"{update.watched.most_down} brokers were down at the same time"
    details = " ".join(finding.details)
    if "In this order" in details and order != list(nodes_told(finding)):
        yield f"they were replaced in the order {order}"
    last = update.before.active_controller
    if "the active controller comes last of the controllers" in details:
        order = [name for name in order if name in update.before.controllers]
    if "the active controller comes last" in details and order[-1:] != [last]:
        yield f"they were replaced in the order {order}, and {last} was the active controller"


# --- why they roll -------------------------------------------------------------------------------


def _reasons(text: str, nodes: list[str], update: Update) -> Iterator[str]:
    """Each reason, of those that are joined in a sentence."""
    rest = text
    while rest:
        for pattern, check in _REASONS:
            # A clause ends where the next begins: no value has "and" between blanks in it.
            if found := re.match(rf"{pattern}(?: and |$)", rest):
                yield from check(found, nodes, update)
                rest = rest[found.end() :]
                break
        else:
            raise Unclear(f"no reason that is known: {rest}")


def _sides(node: str, update: Update) -> tuple[Machine, Machine] | None:
    before, after = update.before.machines.get(node), update.after.machines.get(node)
    return (before, after) if before is not None and after is not None else None


def _changed(found: re.Match[str], nodes: list[str], update: Update) -> Iterator[str]:
    """A setting, the heap or the machine type went from one value to another."""
    name, old, new = found.groups()
    for node in nodes:
        if name == "the machine type":
            records = (side.account for side in (update.before, update.after))
            key = f"{_INSTANCE} kafka-{node}"
            seen = [record[key].inputs["instanceType"] for record in records if key in record]
        else:
            machines = _sides(node, update) or ()
            seen = [
                str(one.heap_mib) if name == "heap_mib" else one.settings.get(name)
                for one in machines
            ]
        # What is not set has a default of its own, which the report does not tell.
        if seen[1:] != [new] or (old != "unset" and seen[:1] != [old]) or seen[0] == seen[1]:
            yield f"{node}: {name} went from {seen[:1]} to {seen[1:]}, not from {old} to {new}"


def _other_image(found: re.Match[str], nodes: list[str], update: Update) -> Iterator[str]:
    """Another image was made of another one; its tag begins with the version of Kafka."""
    for node in nodes:
        if (sides := _sides(node, update)) is None:
            continue
        if sides[0].image == sides[1].image:
            yield f"{node} still has the image {sides[0].image}"
        for machine, upstream in zip(sides, (found[2], found[1]), strict=True):
            tag = upstream.rpartition(":")[2]
            if not re.match(rf"{re.escape(machine.kafka)}(?![\d.])", tag):
                yield f"{node} runs Kafka {machine.kafka}, and {upstream} was told"


def _rebuilt_image(_found: re.Match[str], nodes: list[str], update: Update) -> Iterator[str]:
    for node in nodes:
        if (sides := _sides(node, update)) is None:
            continue
        if sides[0].image == sides[1].image:
            yield f"{node} still has the image {sides[0].image}"
        if sides[0].kafka != sides[1].kafka:
            yield f"{node} ran Kafka {sides[0].kafka}, and now {sides[1].kafka}"


def _certificate(_found: re.Match[str], nodes: list[str], update: Update) -> Iterator[str]:
    yield from _shown(nodes, update, other_authority=False)


def _authority(_found: re.Match[str], nodes: list[str], update: Update) -> Iterator[str]:
    yield from _shown(nodes, update, other_authority=True)


def _shown(nodes: list[str], update: Update, *, other_authority: bool) -> Iterator[str]:
    """Every node shows another certificate, which the same CA signed, or another one."""
    for node in nodes:
        if (sides := _sides(node, update)) is None:
            continue
        if sides[0].certificate == sides[1].certificate:
            yield f"{node} still shows the same certificate"
        if (sides[0].authority != sides[1].authority) is not other_authority:
            yield f"{node}: signed by {sides[0].authority}, then by {sides[1].authority}"


_Reason = Callable[[re.Match[str], list[str], Update], Iterator[str]]
_REASONS: Final[tuple[tuple[str, _Reason], ...]] = (
    (r"the image is built on (\S+) instead of (\S+)", _other_image),
    (r"the image is built anew \(.+? of it changes?\)", _rebuilt_image),
    (r"its certificate is renewed", _certificate),
    (r"the CA is renewed, and the former one is trusted meanwhile", _authority),
    (r"(the machine type|[\w.-]+) changes from (\S+) to (\S+)", _changed),
)


# --- what running nodes take ---------------------------------------------------------------------


def applied(finding: FindingDocument, update: Update) -> Iterator[str]:
    """The brokers have these settings, without a restart."""
    for line in finding.details:
        name, *told = match(r"(\S+) changes from (.+) to (.+)", line).groups()
        sides = (update.before, update.after)
        seen = [side.settings.get(name, "unset") for side in sides]
        if seen != told:
            yield f"{name} went from {seen[0]} to {seen[1]}, not from {told[0]} to {told[1]}"


def grown(finding: FindingDocument, update: Update) -> Iterator[str]:
    """These volumes are larger."""
    said = match(r"(\d+) data volumes? grows? from (\d+) to (\d+) GiB while .*", finding.title)
    if int(said[1]) != len(finding.resources):
        yield f"{len(finding.resources)} volumes are named"
    for urn in finding.resources:
        sides = (side.account.get(key_of(urn)) for side in (update.before, update.after))
        seen = [int(side.inputs["size"]) if side else None for side in sides]
        if seen != [int(said[2]), int(said[3])]:
            yield f"{key_of(urn)} went from {seen[0]} to {seen[1]} GiB"


def finalised(finding: FindingDocument, update: Update) -> Iterator[str]:
    """Every node runs the version, and what only it can do is finalised."""
    said = match(
        r"Once every node runs (\S+), the cluster's feature level is finalised: there is no way "
        r"back to (\S+) from then on",
        finding.title,
    )
    before, after = update.before, update.after
    if not before.feature_level < after.feature_level:
        yield f"the feature level was {before.feature_level}, and is {after.feature_level}"
    for side, version in ((before, said[2]), (after, said[1])):
        ran = {machine.kafka for machine in side.machines.values()}
        if ran != {version.partition("-")[0]}:
            yield f"the nodes ran Kafka {sorted(ran)}, and {version} was told"
