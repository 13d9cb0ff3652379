"""Makes a report of a plan: all findings, the worst first, and a verdict."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from inkless_pulumi.report.access import access_findings
from inkless_pulumi.report.availability import availability_findings
from inkless_pulumi.report.cost import Cost, cost_finding, cost_of
from inkless_pulumi.report.data import data_findings
from inkless_pulumi.report.findings import Area, Finding, Gate, Level, counted
from inkless_pulumi.report.nodes import Service, services
from inkless_pulumi.report.plan import Diagnostic, Plan
from inkless_pulumi.report.prices import PriceTable, list_prices
from inkless_pulumi.report.protection import protection_findings
from inkless_pulumi.report.reading import FAILED
from inkless_pulumi.report.remainder import remaining_findings
from inkless_pulumi.report.topics import topic_changes

__all__ = ["Report", "Status", "assess"]

Status = Literal[
    "incomplete",
    "refused",
    "data-loss",
    "downtime",
    "wider-access",
    "at-risk",
    "safe",
    "no-changes",
]
"""What a reviewer has to know first; the worst that holds."""

_AREAS: Final[tuple[Area, ...]] = (
    "protection",
    "data",
    "availability",
    "access",
    "cost",
    "other",
)
_LEADS: Final[dict[Status, str]] = {
    "incomplete": "Incomplete, so don't rely on it",
    "refused": "The update would be refused",
    "data-loss": "Data is lost",
    "downtime": "The service is interrupted",
    "wider-access": "Access widens",
    "at-risk": "Look twice",
    "safe": "Nothing is at risk",
    "no-changes": "No changes",
}
_GATES: Final[tuple[Gate, ...]] = ("data-loss", "downtime", "wider-access")
_REFUSALS: Final = ("protected", "refused", "policy-violated")
_CLAUSES = 4
_NOISE: Final = ("using pulumi-resource-",)
"""Warnings of the engine's about where it found a plugin."""


@dataclass(frozen=True)
class Report:
    """What a preview means for the service."""

    status: Status
    verdict: str
    """One sentence; names in it are marked as in findings."""
    findings: tuple[Finding, ...]
    """The worst first."""
    cost: Cost
    incomplete: tuple[str, ...]
    """Why the preview is not whole."""
    limits: tuple[str, ...]
    """What this preview can't know."""
    said: tuple[Diagnostic, ...]
    """Errors and warnings, and what a failing program wrote."""
    project: str
    """Its name and the stack's; empty where the preview shows no resource."""
    stack: str
    counts: tuple[tuple[str, int], ...]
    """Resources by what happens to them."""

    @property
    def at_risk(self) -> tuple[Finding, ...]:
        """What a reviewer has to look at."""
        return tuple(finding for finding in self.findings if finding.level >= Level.WARNING)

    @property
    def others(self) -> tuple[Finding, ...]:
        """What happens besides."""
        return tuple(finding for finding in self.findings if finding.level < Level.WARNING)

    @property
    def gates(self) -> frozenset[Gate]:
        """What a pipeline would stop for."""
        return frozenset(gate for finding in self.findings for gate in finding.gates)


def assess(plan: Plan, prices: PriceTable | None = None, limits: Iterable[str] = ()) -> Report:
    """The report of a plan.

    Args:
        plan: what the preview says.
        prices: the table of prices. Default: list prices.
        limits: what the way in which the preview was made can't tell.
    """
    table = prices or list_prices()
    topics, found = topic_changes(plan), services(plan)
    cost = cost_of(plan, table)
    findings = [
        *protection_findings(plan, topics),
        *data_findings(plan, found, topics),
        *availability_findings(plan, found, topics),
        *access_findings(plan, found),
        *_unseen(plan, found),
    ]
    told = {urn for finding in findings for urn in finding.resources}
    findings += remaining_findings(plan, told)
    if cost.lines:
        findings.append(cost_finding(cost, table, topics))
    findings.sort(key=lambda finding: (-finding.level, _AREAS.index(finding.area)))
    report = Report(
        status="safe",
        verdict="",
        findings=tuple(findings),
        cost=cost,
        incomplete=plan.incomplete,
        limits=(*_limits(plan, findings), *limits),
        said=_said(plan),
        project=_named(plan, 1),
        stack=_named(plan, 0),
        counts=_counts(plan),
    )
    status = _status(report)
    return replace(report, status=status, verdict=_verdict(report, status))


def _named(plan: Plan, place: int) -> str:
    """A part of what every URN begins with: `urn:pulumi:<stack>::<project>::…`."""
    for resource in plan.resources:
        return [*resource.urn.removeprefix("urn:pulumi:").split("::"), ""][place]
    return ""


def _counts(plan: Plan) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for resource in plan.resources:
        if resource.type.startswith("pulumi:providers:"):
            continue  # the one form of a preview shows them, the other does not
        counts[resource.action.value] = counts.get(resource.action.value, 0) + 1
    return tuple(sorted(counts.items()))


def _said(plan: Plan) -> tuple[Diagnostic, ...]:
    failed = bool(plan.incomplete)
    return tuple(
        said
        for said in plan.diagnostics
        if said.severity in ("error", "warning") or (failed and said.severity == "info#err")
        if not said.message.startswith(_NOISE)
    )


def _unseen(plan: Plan, found: Iterable[Service]) -> Iterator[Finding]:
    """What can't be told because the preview does not show what stays as it is."""
    rolls = any(node.fate == "replaced" for service in found for node in service.nodes)
    if rolls and not plan.unchanged_shown:
        yield Finding(
            "topics-not-shown",
            "availability",
            Level.WARNING,
            "Whether a topic becomes unavailable can't be told: the preview does not show what "
            "stays as it is; run it with --show-sames, or give the engine's events",
            gates=("downtime",),
            brief="topics that stay as they are are not shown",
        )


def _limits(plan: Plan, findings: list[Finding]) -> Iterator[str]:
    if plan.incomplete:
        yield "The preview did not come to its end: more may change than is shown here"
    if any(finding.rule in ("nodes-replaced", "nodes-removed") for finding in findings):
        yield (
            "Topics of other stacks, and topics made by hand, are not in this plan: whether each "
            "has a replica to spare shows when the update comes to a node"
        )
        yield (
            "How long a node takes is an assumption (3 to 5 min): it depends on the machine and on "
            "how much its replicas have to catch up"
        )


def _status(report: Report) -> Status:
    refused = any(
        finding.rule in _REFUSALS and finding.level is Level.DANGER for finding in report.findings
    )
    others = [reason for reason in report.incomplete if reason != FAILED]
    if refused and all(reason.startswith(FAILED[:11]) for reason in others):
        return "refused"
    if report.incomplete:
        return "incomplete"
    if refused:
        return "refused"
    for gate in _GATES:
        if gate in report.gates:
            return gate
    if report.at_risk:
        return "at-risk"
    return (
        "safe" if any(name not in ("same", "read") for name, _ in report.counts) else "no-changes"
    )


def _verdict(report: Report, status: Status) -> str:
    clauses = [*report.incomplete] if status == "incomplete" else []
    clauses += [finding.brief or finding.title for finding in report.at_risk]
    if status != "incomplete":
        clauses = list(dict.fromkeys(clauses))
        more = len(clauses) - _CLAUSES
        clauses = clauses[:_CLAUSES]
        if more > 0:
            clauses.append(f"and {counted(more, 'more thing', 'more things')} below")
    clauses += [finding.brief for finding in report.others if finding.brief]
    rules = {finding.rule for finding in report.findings}
    rolls = "nodes-replaced" in rules
    if rolls and not rules & {"topic-unavailable", "topics-not-shown", "nodes-replaced-at-once"}:
        clauses.append("no topic of this stack becomes unavailable")
    if not clauses and status == "safe":
        clauses = [finding.title for finding in report.others[:1]]
    lead = _LEADS[status]
    return f"{lead}: {'; '.join(dict.fromkeys(clauses))}" if clauses else lead
