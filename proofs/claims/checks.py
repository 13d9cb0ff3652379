"""A check for each rule of a report: does the claim hold?"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.document import FindingDocument
from inkless_pulumi.report.quantities import bytes_text, duration_text, number
from proofs.claims import node_checks
from proofs.claims.account_access import (
    like_other_roles,
    unclaimed_openings,
    unclaimed_permissions,
)
from proofs.claims.observed import Observed, Update
from proofs.claims.sentences import Unclear, key_of, match

__all__ = ["CHECKS", "Unclear", "names_told"]

Check = Callable[[FindingDocument, Update], Iterator[str]]


def names_told(finding: FindingDocument) -> list[str]:
    """What a finding names: nodes with their zones, or what begins each line of its details."""
    if finding.rule.startswith(("nodes-", "service-")):
        return list(node_checks.nodes_told(finding))
    if finding.rule == "partitions-added":
        return re.split(r", | and ", finding.title.rpartition(": ")[2])
    if finding.rule == "settings-applied":
        return [line.partition(" changes from ")[0] for line in finding.details]
    return [line.partition(": ")[0] for line in finding.details if ": " in line]


# --- topics --------------------------------------------------------------------------------------


def _unavailable(finding: FindingDocument, update: Update) -> Iterator[str]:
    for name in names_told(finding):
        if name not in update.watched.unavailable:
            yield f"{name} was said to be unavailable for a time, and was not"


def _topics_created(finding: FindingDocument, update: Update) -> Iterator[str]:
    kind = match(r"[\d,]+ (\w+) topics? (?:is|are) created: .*", finding.title)[1]
    for line in finding.details:
        name, partitions = match(r"(\S+): (\d+) partitions?", line).groups()
        seen = update.after.topics.get(name)
        if name in update.before.topics or seen is None:
            yield f"{name} was not made"
        elif seen.partitions != int(partitions) or _kind(seen.settings) != kind:
            yield f"{name} is {_kind(seen.settings)} and has {seen.partitions} partitions"


def _kind(settings: Mapping[str, str]) -> str:
    return "diskless" if settings.get("diskless.enable") == "true" else "classic"


def _topics_deleted(finding: FindingDocument, update: Update) -> Iterator[str]:
    for line in finding.details:
        name, kind, partitions = match(r"(\S+): (\w+), (\d+) partitions?", line).groups()
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
    "service-created": node_checks.created,
    "service-deleted": node_checks.deleted,
    "nodes-replaced": node_checks.replaced,
    "nodes-added": node_checks.added,
    "nodes-removed": node_checks.removed,
    "feature-level-finalised": node_checks.finalised,
    "topic-unavailable": _unavailable,
    "settings-applied": node_checks.applied,
    "volumes-grow": node_checks.grown,
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
    "policy-widens": unclaimed_permissions,
    "policy-narrows": unclaimed_permissions,
    "policy-unknown": _made,
    "policy-of-new-nodes": like_other_roles,
    "firewall-opened": unclaimed_openings,
    "firewall-widens": unclaimed_openings,
    "firewall-narrows": unclaimed_openings,
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
