"""A check for each rule of a report: does the claim hold?"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.document import FindingDocument
from inkless_pulumi.report.quantities import bytes_text, duration_text, number
from tests.claims.observed import Machine, Observed, Update
from tests.claims.sentences import Unclear, key_of, match

__all__ = ["CHECKS", "Unclear", "names_told"]

Check = Callable[[FindingDocument, Update], Iterator[str]]
_INSTANCE: Final = "aws:ec2/instance:Instance"
_GATE: Final = "inkless:index:NodeReady"
_NODE: Final = re.compile(r"([\w-]+) \(([\w-]+)\)")


def names_told(finding: FindingDocument) -> list[str]:
    """What a finding names: nodes with their zones, or what begins each line of its details."""
    if finding.rule.startswith(("nodes-", "service-")):
        text = " ".join((finding.title, *finding.details))
        return list(dict.fromkeys(name for name, _ in _NODE.findall(text)))
    if finding.rule == "partitions-added":
        return re.split(r", | and ", finding.title.rpartition(": ")[2])
    if finding.rule == "settings-applied":
        return [line.partition(" changes from ")[0] for line in finding.details]
    return [line.partition(": ")[0] for line in finding.details if ": " in line]


# --- nodes ---------------------------------------------------------------------------------------


def _created(finding: FindingDocument, update: Update) -> Iterator[str]:
    count = int(match(r".* is created, with (\d+) nodes?: .*", finding.title)[1])
    told = dict(_NODE.findall(finding.title))
    seen = {name: machine.zone for name, machine in update.after.machines.items()}
    if told != seen or count != len(seen):
        yield f"the nodes are {seen}, and {told} were said to be made"
    if update.before.machines:
        yield f"it is no new service: {sorted(update.before.machines)} were there"


def _deleted(finding: FindingDocument, update: Update) -> Iterator[str]:
    count = int(match(r"The service \S+ is removed, with (\d+) nodes?", finding.title)[1])
    if count != len(update.before.machines):
        yield f"there were {len(update.before.machines)} nodes"
    if update.after.machines:
        yield f"{sorted(update.after.machines)} are still there"


def _replaced(finding: FindingDocument, update: Update) -> Iterator[str]:
    said = match(
        r"(\d+) nodes? (?:is|are) replaced, one at a time, (?:\S+ \(\S+\) first, )?because (.+); "
        r"about .* min",
        finding.title,
    )
    before, after = update.before.machines, update.after.machines
    told = names_told(finding)
    moved = [name for name in after if _id(before.get(name)) != _id(after[name])]
    if sorted(told) != sorted(moved) or int(said[1]) != len(moved):
        yield f"{sorted(moved)} are on other machines, and {sorted(told)} were said to be"
    for name in moved:
        old, new = before.get(name), after[name]
        if old is None or (old.address, old.volume_id) != (new.address, new.volume_id):
            yield f"{name}: address and volume were said to stay: {old} became {new}"
    for reason in said[2].split(", "):
        yield from _reason(reason, told, update)
    yield from _rolled(finding, update, moved)


def _id(machine: Machine | None) -> str:
    return machine.instance_id if machine else ""


def _reason(reason: str, nodes: list[str], update: Update) -> Iterator[str]:
    name, old, new = match(r"(.+) changes from (.+) to (.+)", reason).groups()
    for node in nodes:
        machines = [side.machines.get(node) for side in (update.before, update.after)]
        if name == "the machine type":
            records = (side.account for side in (update.before, update.after))
            key = f"{_INSTANCE} kafka-{node}"
            seen = [record[key].inputs["instanceType"] for record in records if key in record]
        else:
            seen = [machine.settings.get(name) for machine in machines if machine]
        # What is not set has Kafka's own default, which the report does not tell.
        if seen[1:] != [new] or (old != "unset" and seen[:1] != [old]):
            yield f"{node}: {name} went from {seen[:1]} to {seen[1:]}, not from {old} to {new}"


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
    if "In this order" in details and order != names_told(finding):
        yield f"they were replaced in the order {order}"
    last = update.before.active_controller
    if "the active controller comes last" in details and order[-1:] != [last]:
        yield f"they were replaced in the order {order}, and {last} was the active controller"


def _unavailable(finding: FindingDocument, update: Update) -> Iterator[str]:
    for name in names_told(finding):
        if name not in update.watched.unavailable:
            yield f"{name} was said to be unavailable for a time, and was not"


def _applied(finding: FindingDocument, update: Update) -> Iterator[str]:
    for line in finding.details:
        name, *told = match(r"(\S+) changes from (.+) to (.+)", line).groups()
        sides = (update.before, update.after)
        seen = [side.settings.get(name, "unset") for side in sides]
        if seen != told:
            yield f"{name} went from {seen[0]} to {seen[1]}, not from {told[0]} to {told[1]}"


def _grown(finding: FindingDocument, update: Update) -> Iterator[str]:
    said = match(r"(\d+) data volumes? grows? from (\d+) to (\d+) GiB while .*", finding.title)
    if int(said[1]) != len(finding.resources):
        yield f"{len(finding.resources)} volumes are named"
    for urn in finding.resources:
        sides = (side.account.get(key_of(urn)) for side in (update.before, update.after))
        seen = [int(side.inputs["size"]) if side else None for side in sides]
        if seen != [int(said[2]), int(said[3])]:
            yield f"{key_of(urn)} went from {seen[0]} to {seen[1]} GiB"


# --- topics --------------------------------------------------------------------------------------


def _topics_created(finding: FindingDocument, update: Update) -> Iterator[str]:
    kind = match(r"[\d,]+ (\w+) topics? (?:is|are) created: .*", finding.title)[1]
    for line in finding.details:
        name, partitions = match(r"(\S+): (\d+) partitions", line).groups()
        seen = update.after.topics.get(name)
        if name in update.before.topics or seen is None:
            yield f"{name} was not made"
        elif seen.partitions != int(partitions) or _kind(seen.settings) != kind:
            yield f"{name} is {_kind(seen.settings)} and has {seen.partitions} partitions"


def _kind(settings: Mapping[str, str]) -> str:
    return "diskless" if settings.get("diskless.enable") == "true" else "classic"


def _topics_deleted(finding: FindingDocument, update: Update) -> Iterator[str]:
    for line in finding.details:
        name, kind, partitions = match(r"(\S+): (\w+), (\d+) partitions", line).groups()
        was = update.before.topics.get(name)
        if was is None or (_kind(was.settings), was.partitions) != (kind, int(partitions)):
            yield f"{name} was {was}"
        if name in update.after.topics:
            yield f"{name} is still there"


def _topics_changed(finding: FindingDocument, update: Update) -> Iterator[str]:
    for line in finding.details:
        name, changes = match(r"(\S+?): (.+)", line).groups()
        for change in changes.split("; "):
            what, *told = match(r"(.+) from (.+) to (.+)", change).groups()
            seen = [_of_topic(side, name, what) for side in (update.before, update.after)]
            if seen != [_plain(what, text) for text in told]:
                yield f"{name}: {what} went from {seen[0]} to {seen[1]}, not {change}"


def _of_topic(observed: Observed, topic: str, what: str) -> Any:
    if what == "deletion protection":
        return "true" if topic in observed.protected else "false"
    found = observed.topics[topic]
    if what == "partitions":
        return found.partitions
    if what == "replicas":
        return found.replication_factor
    return _plain(what, found.settings.get(what, "unset"))


def _plain(what: str, text: str) -> Any:
    """A value in its base unit, where it is a number."""
    found = number(text, what)
    return text if found is None else found


def _retention(finding: FindingDocument, update: Update) -> Iterator[str]:
    for line in finding.details:
        said = match(
            r"(\S+): (retention\.\w+) shrinks from (.+?)( \(Kafka's default\))? to (.+?): .*", line
        )
        text = duration_text if said[2] == "retention.ms" else bytes_text
        for side, told in ((update.before, said[3]), (update.after, said[5])):
            value = side.topics[said[1]].settings.get(said[2])
            if text(int(value)) != told if value is not None else not said[4]:
                yield f"{said[1]}: {said[2]} is {value}, and {told} was told"


def _partitions(finding: FindingDocument, update: Update) -> Iterator[str]:
    for name in names_told(finding):
        sides = (update.before.topics[name], update.after.topics[name])
        if sides[1].partitions <= sides[0].partitions:
            yield f"{name} has {sides[1].partitions} partitions, and had {sides[0].partitions}"


# --- users ---------------------------------------------------------------------------------------


def _users_created(finding: FindingDocument, update: Update) -> Iterator[str]:
    for name in finding.title.rpartition(": ")[2].split(", "):
        if name in update.before.users or not update.after.users.get(name):
            yield f"{name} was not made"


def _rotated(finding: FindingDocument, update: Update) -> Iterator[str]:
    said = match(r"(\S+) gets a new password; the former one is good for (\d+) .*", finding.title)
    before, after = (side.users.get(said[1], frozenset()) for side in (update.before, update.after))
    if not after - before:
        yield f"{said[1]} has no new password: {sorted(after)}"
    if int(said[2]) and not before <= after:
        yield f"{said[1]} has lost the former password: {sorted(after)}"


# --- the account ---------------------------------------------------------------------------------


def _made(finding: FindingDocument, update: Update) -> Iterator[str]:
    for key in map(key_of, finding.resources):
        if _there(update.before, key) or not _there(update.after, key):
            yield f"{key} was not made"


def _gone(finding: FindingDocument, update: Update) -> Iterator[str]:
    for key in map(key_of, finding.resources):
        if not _there(update.before, key) or _there(update.after, key):
            yield f"{key} was not deleted"


def _there(observed: Observed, key: str) -> bool:
    return key in (observed.account if key.startswith("aws:") else observed.recorded)


def _updated(finding: FindingDocument, update: Update) -> Iterator[str]:
    for key in map(key_of, finding.resources):
        if not _there(update.before, key) or not _there(update.after, key):
            yield f"{key} was not updated in place"
        elif key.startswith("aws:"):
            before, after = (side.account[key] for side in (update.before, update.after))
            if before.id != after.id or before.inputs == after.inputs:
                yield f"{key} was not updated in place"


def _unprotected(finding: FindingDocument, update: Update) -> Iterator[str]:
    count = int(match(r"([\d,]+) things? that .*", finding.title)[1].replace(",", ""))
    bare = update.before.protected - update.after.protected
    if count != len(bare):
        yield f"{sorted(bare)} lost their protection: {finding.title}"


def _covered_elsewhere(_finding: FindingDocument, _update: Update) -> Iterator[str]:
    """What it says is held against everything that is seen, in `comparison` or in `access`."""
    yield from ()


CHECKS: Final[Mapping[str, Check]] = {
    "service-created": _created,
    "service-deleted": _deleted,
    "nodes-replaced": _replaced,
    "topic-unavailable": _unavailable,
    "settings-applied": _applied,
    "volumes-grow": _grown,
    "topic-created": _topics_created,
    "topic-deleted": _topics_deleted,
    "topic-changed": _topics_changed,
    "retention-shrinks": _retention,
    "partitions-added": _partitions,
    "user-created": _users_created,
    "password-rotates": _rotated,
    "protection-removed": _unprotected,
    "connection-changes": _covered_elsewhere,
    "cost": _covered_elsewhere,
    "kafka-of-new-service": _covered_elsewhere,
    "kafka-widens": _covered_elsewhere,
    "kafka-narrows": _covered_elsewhere,
    "kafka-of-gone-service": _covered_elsewhere,
    "policy-of-new-service": _made,
    "firewall-of-new-service": _made,
    "policy-of-gone-service": _gone,
    "firewall-of-gone-service": _gone,
    "others-created": _made,
    "others-updated": _updated,
    "others-deleted": _gone,
    "bucket-deleted": _gone,
    "database-deleted": _gone,
    "data-volume-deleted": _gone,
    "encryption-key-deleted": _gone,
    "secret-deleted": _gone,
    "log-group-deleted": _gone,
    "image-repository-deleted": _gone,
    "service-identity-deleted": _gone,
    "user-deleted": _gone,
}
