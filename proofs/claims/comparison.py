"""Holds a report's claims against what was observed, finding by finding and the other way round.

It reads the sentences of the JSON, as other tools and people do, and nothing of the preview behind
it. A rule without a check, or a sentence that a check does not understand, is an error as well: no
claim passes unchecked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from inkless_pulumi.report.document import ReportDocument
from proofs.claims.access import unclaimed_access
from proofs.claims.checks import CHECKS, Unclear, names_told
from proofs.claims.observed import Observed, Update
from proofs.claims.sentences import key_of

__all__ = ["broken_claims"]

_STOPS = ("protected", "refused", "update-held-up")
"""Findings with which an update can't go through."""


def broken_claims(report: ReportDocument, update: Update) -> Iterator[str]:
    """Everything that a report says and was not seen, and that was seen and it does not say.

    Args:
        report: the report of the preview.
        update: what was seen before, during and after the update that carried the preview out.
    """
    rules = {finding.rule for finding in report.findings}
    if rules.intersection(_STOPS):
        yield from _stopped(update)
        return
    if update.watched.exit_code:
        yield "the update failed, and the report did not say that it would"
        return
    for finding in report.findings:
        check = CHECKS.get(finding.rule)
        if check is None:
            yield f"{finding.rule}: nothing checks this claim: {finding.title}"
            continue
        try:
            yield from (f"{finding.rule}: {wrong}" for wrong in check(finding, update))
        except Unclear as unclear:
            yield f"{finding.rule}: {unclear}"
    yield from _availability(report, update)
    yield from _unclaimed(report, update)
    yield from _costs(report, update)


def _stopped(update: Update) -> Iterator[str]:
    """The update was refused, and that before anything happened."""
    if not update.watched.exit_code:
        yield "the update was said to be refused, and went through"
    before, after = update.before, update.after
    for what in ("machines", "topics", "settings", "access", "users"):
        if getattr(before, what) != getattr(after, what):
            yield f"the update was said to be refused, and changed {what}"


def _availability(report: ReportDocument, update: Update) -> Iterator[str]:
    """What is not said to be unavailable stays available, to those who ask and those who use it."""
    watched = update.watched
    if "service-deleted" in {finding.rule for finding in report.findings}:
        return
    told = {
        name
        for finding in report.findings
        if finding.rule == "topic-unavailable"
        for name in names_told(finding)
    }
    for name in sorted(watched.unavailable - told):
        yield f"{name} was unavailable without a word"
    if "no topic of this stack becomes unavailable" in report.verdict and told:
        yield "the verdict says that no topic becomes unavailable, and a finding names some"
    yield from watched.unanswered


def _unclaimed(report: ReportDocument, update: Update) -> Iterator[str]:
    """What happened without a word."""
    before, after = update.before, update.after
    claimed = {key_of(urn) for finding in report.findings for urn in finding.resources}
    for name in sorted(_changed(before.account, after.account) - claimed):
        yield f"{name} changed in the account without a word"
    nodes = {
        name
        for finding in report.findings
        if finding.rule.startswith(("nodes-", "service-"))
        for name in names_told(finding)
    }
    gone = "service-deleted" in {finding.rule for finding in report.findings}
    for name in sorted(_changed(before.machines, after.machines) - nodes) if not gone else ():
        yield f"{name} is on another machine, or was restarted, without a word"
    topics = {
        name
        for finding in report.findings
        if finding.rule.startswith(("topic-", "retention-", "partitions-"))
        for name in names_told(finding)
    }
    for name in sorted(_changed(before.topics, after.topics) - topics):
        yield f"topic {name} changed without a word"
    settings = {
        name
        for finding in report.findings
        if finding.rule in ("settings-applied", "service-created")
        for name in (names_told(finding) or after.settings)
    }
    for name in sorted(_changed(before.settings, after.settings) - settings) if not gone else ():
        yield f"the setting {name} of all brokers changed without a word"
    yield from unclaimed_access(report, update)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _costs(report: ReportDocument, update: Update) -> Iterator[str]:
    """What is paid for by the month came and went as counted."""
    told = {line.what: line.after - line.before for line in report.cost.lines}
    before, after = paid_for(update.before), paid_for(update.after)
    for what in sorted({*told, *before, *after}):
        seen = after.get(what, 0) - before.get(what, 0)
        if seen != told.get(what, 0):
            yield f"cost: {what}: {seen:+} was seen, and {told.get(what, 0):+} was said"


def paid_for(observed: Observed) -> dict[str, int]:
    """What is paid for by the month, counted in the account's books."""
    counted: dict[str, int] = {}
    for key, record in observed.account.items():
        for what in _paid(key.partition(" ")[0], record.inputs):
            counted[what] = counted.get(what, 0) + 1
    return counted


def _paid(token: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    if token == "aws:ec2/instance:Instance":
        yield f"machine {inputs['instanceType']}"
        root = inputs["rootBlockDevice"]
        yield f"volume {root['volumeType']} of {root['volumeSize']:.0f} GiB"
    elif token == "aws:ebs/volume:Volume":
        yield f"volume {inputs['type']} of {inputs['size']:.0f} GiB"
    elif token == "aws:rds/instance:Instance":
        where = "with a standby" if inputs["multiAz"] else "in one zone"
        yield f"database {inputs['instanceClass']} {where}"
        size = inputs["allocatedStorage"]
        yield f"database storage {inputs['storageType']} of {size:.0f} GiB {where}"
    elif token == "aws:ec2/vpcEndpoint:VpcEndpoint" and inputs["vpcEndpointType"] == "Interface":
        yield f"interface endpoint in {len(inputs['subnetIds'])} zones"
    elif token == "aws:kms/key:Key":
        yield "encryption key"
    elif token == "aws:secretsmanager/secret:Secret":
        yield "secret"
