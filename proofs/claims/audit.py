"""Holds the report of each deployment against what is seen of it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from inkless_pulumi.report.assessment import assess
from inkless_pulumi.report.document import ReportDocument, document
from inkless_pulumi.report.reading import read_plan
from inkless_pulumi.report.running import run_preview
from proofs.administration import Place, administered
from proofs.claims.comparison import broken_claims
from proofs.claims.observed import Update, Watched
from proofs.claims.observing import observed
from proofs.claims.sentences import key_of
from proofs.claims.watching import Watch, close_what_was_left_open

__all__ = ["Audit", "report_of"]


@dataclass
class Audit:
    """What was claimed of deployments, and was not so."""

    place: Place
    users: Sequence[str]
    """Those whose passwords are looked at."""
    reports: list[ReportDocument] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Empty where all that was said happened, and nothing else did."""

    @contextmanager
    def deployment(self) -> Iterator[tuple[str, ...]]:
        """Preview, and look on while the deployment in the block carries the preview out.

        The block gets options for `pulumi up`, whose events are needed.
        """
        stack = self.place.stack
        preview = run_preview(
            stack.directory, stack.name, environment=stack.environment, relay=lambda _: None
        )
        report = report_of(preview.events, preview.exit_code)
        self.reports.append(report)
        before = observed(self.place, self.users)
        with tempfile.TemporaryDirectory(prefix="inkless-audit-") as name:
            events = Path(name) / "events"
            with administered(self.place) as cluster, Watch(cluster).on() as watch:
                yield ("--event-log", str(events))
            close_what_was_left_open()
            plan = read_plan(events.read_text("utf-8"))
        watched = Watched(
            steps=tuple((operation, key_of(urn)) for operation, urn in plan.order),
            most_down=watch.most_down,
            unavailable=frozenset(watch.unavailable),
            unanswered=() if watch.looks else ("nobody looked at the cluster meanwhile",),
        )
        update = Update(before, observed(self.place, self.users), watched)
        self.broken += broken_claims(report, update)


def report_of(events: str, exit_code: int | None) -> ReportDocument:
    """The report of a preview, as other tools get it."""
    return document(assess(read_plan(events, exit_code)))
