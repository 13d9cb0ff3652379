"""A report as JSON, for other tools. The models are its schema: `data/report.schema.json`."""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from inkless_pulumi.report.assessment import Report, Status
from inkless_pulumi.report.findings import Area, Gate
from inkless_pulumi.report.gates import Tripped
from inkless_pulumi.report.writing import unmarked

__all__ = ["FORMAT", "ReportDocument", "document_text", "schema"]

FORMAT: Final = 1
"""Raised when a reader of the document would have to change."""
_LEVELS: Final = ("info", "notice", "warning", "danger")


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class FindingDocument(_Document):
    """One thing that the update does."""

    rule: str
    """What kind of finding; stable."""
    area: Area
    level: Literal["info", "notice", "warning", "danger"]
    title: str
    details: list[str]
    resources: list[str]
    """URNs."""
    gates: list[Gate]
    """What a pipeline can stop for because of it."""


class CostLineDocument(_Document):
    """A kind of item that is paid for by the month."""

    what: str
    before: int
    after: int
    monthly: float | None
    """The difference a month; null where it has no price."""


class CostDocument(_Document):
    """The monthly difference, by list prices."""

    region: str
    currency: str
    as_of: str
    """When the prices held; empty where the region has none."""
    source: str
    total: float | None
    """Null where something that changes has no price."""
    lines: list[CostLineDocument]


class StopDocument(_Document):
    """A gate that stops the pipeline."""

    gate: str
    reason: str


class SaidDocument(_Document):
    """What the engine, a provider or the program said."""

    severity: str
    message: str
    urn: str


class ReportDocument(_Document):
    """The report of a preview."""

    format: Annotated[int, Field(ge=1)]
    """Of this document."""
    project: str
    stack: str
    status: Status
    verdict: str
    complete: bool
    """Whether the preview was whole. If not, what is missing here is not known."""
    incomplete: list[str]
    """Why not."""
    counts: dict[str, int]
    """Resources by what happens to them."""
    findings: list[FindingDocument]
    """The worst first."""
    cost: CostDocument
    limits: list[str]
    """What this preview can't know."""
    stops: list[StopDocument]
    """Gates that it does not pass."""
    said: list[SaidDocument]


def document(report: Report, stops: Iterable[Tripped] = ()) -> ReportDocument:
    """The report in the form of the schema."""
    return ReportDocument(
        format=FORMAT,
        project=report.project,
        stack=report.stack,
        status=report.status,
        verdict=unmarked(report.verdict),
        complete=not report.incomplete,
        incomplete=[unmarked(reason) for reason in report.incomplete],
        counts=dict(report.counts),
        findings=[
            FindingDocument(
                rule=finding.rule,
                area=finding.area,
                level=_level(finding.level),
                title=unmarked(finding.title),
                details=[unmarked(line) for line in finding.details],
                resources=list(finding.resources),
                gates=list(finding.gates),
            )
            for finding in report.findings
        ],
        cost=CostDocument(
            region=report.cost.region,
            currency=report.cost.currency,
            as_of=report.cost.as_of,
            source=report.cost.source,
            total=report.cost.total,
            lines=[
                CostLineDocument(
                    what=unmarked(line.what),
                    before=line.before,
                    after=line.after,
                    monthly=line.monthly,
                )
                for line in report.cost.lines
            ],
        ),
        limits=[unmarked(line) for line in report.limits],
        stops=[StopDocument(gate=stop.gate, reason=unmarked(stop.reason)) for stop in stops],
        said=[
            SaidDocument(severity=said.severity, message=said.message, urn=said.urn)
            for said in report.said
        ],
    )


def _level(level: int) -> Any:
    return _LEVELS[level]


def document_text(report: Report, stops: Iterable[Tripped] = ()) -> str:
    """The report as JSON text, alike for alike reports."""
    return json.dumps(document(report, stops).model_dump(mode="json"), indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ReportDocument.model_json_schema(),
    }
