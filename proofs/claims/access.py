"""Claims of who may do what on Kafka, against the access control entries that the brokers have."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from inkless_pulumi.provider.kafka.model import Acl
from inkless_pulumi.report.document import ReportDocument
from proofs.claims.observed import Update
from proofs.claims.sentences import match

__all__ = ["unclaimed_access"]

_SENTENCE = (
    r"(?P<sign>[+-]) (?P<who>User:\S+) may (?P<what>[\w, ]+) on "
    r"(?:every (?P<every>\w+)(?: whose name begins with (?P<prefix>\S+))?"
    r"|(?P<kind>\w+) (?P<name>\S+))"
)


class Right(NamedTuple):
    """Something that somebody may do."""

    who: str
    operation: str
    kind: str
    name: str
    """A pattern."""


def unclaimed_access(report: ReportDocument, update: Update) -> Iterator[str]:
    """What somebody may do, or may not any more, other than the report says."""
    before, after = (_rights(side.access) for side in (update.before, update.after))
    gained = {right for right in after - before if not _covered(right, before)}
    lost = {right for right in before - after if not _covered(right, after)}
    told: dict[str, set[Right]] = {"+": set(), "-": set()}
    for finding in report.findings:
        if finding.rule.startswith("kafka-"):
            for line in finding.details:
                sign, rights = _read(line)
                told[sign] |= rights
    for seen, sign, verb in ((gained, "+", "may"), (lost, "-", "may no longer")):
        for right in sorted(seen - told[sign]):
            yield f"{right.who} {verb} {right.operation} {right.kind} {right.name}, without a word"
        for right in sorted(told[sign] - seen):
            yield f"{right} was told of with {sign}, and was not seen"


def _rights(entries: frozenset[Acl]) -> set[Right]:
    return {
        Right(
            entry.principal,
            entry.operation,
            entry.resource_type,
            f"{entry.resource_name}*" if entry.pattern_type == "prefixed" else entry.resource_name,
        )
        for entry in entries
        if entry.permission == "allow"
    }


def _covered(right: Right, by: set[Right]) -> bool:
    return any(
        other[:3] == right[:3] and fnmatchcase(right.name, other.name) for other in by - {right}
    )


def _read(line: str) -> tuple[str, set[Right]]:
    found = match(_SENTENCE, line)
    kind = found["kind"] or found["every"]
    name = found["name"] or f"{found['prefix'] or ''}*"
    operations = re.split(r",\s*", found["what"])
    return found["sign"], {Right(found["who"], one, kind, name) for one in operations}
