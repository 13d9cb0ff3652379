"""Carries changes of the deployed quick-start out, and holds their reports against what happens."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from inkless_pulumi.report.document import ReportDocument
from inkless_pulumi.sandbox import lifecycle
from inkless_pulumi.sandbox.preview import emulated_stack
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack
from proofs.claims.audit import report_of
from proofs.claims.comparison import broken_claims
from proofs.claims.observed import Observed, Update, Watched
from proofs.claims.observing import observed
from proofs.claims.sentences import key_of
from proofs.claims.watching import Watch, close_what_was_left_open
from tests.engine.report.quick_start import Edit, Project, Ran, edited
from tests.sandbox.quickstart.deployed import CHECKOUT, Deployed
from tests.sandbox.quickstart.producing import Producing

__all__ = ["CarriedOut", "Service"]

USED = "orders"
"""The topic that is produced to all the time."""


@dataclass(frozen=True)
class CarriedOut:
    """A change, its report, and what was seen of it."""

    report: ReportDocument
    update: Update
    output: str = ""
    """What the engine printed."""

    @property
    def broken(self) -> list[str]:
        """Where the report and what was seen differ; what the engine printed then comes last."""
        found = list(broken_claims(self.report, self.update))
        return [*found, self.output.partition("\nOutputs:")[0]] if found else []

    @property
    def rules(self) -> set[str]:
        """What the report tells of."""
        return {finding.rule for finding in self.report.findings}


class Service:
    """The quick-start, with a program of its own that changes."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self._stack: PulumiStack = deployed.stack
        program = self._stack.directory / "program"
        program.unlink()  # a link to the example, which stays as it is
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / "examples" / "aws-quickstart", program, ignore=ignored)
        self._project = Project(self._stack.directory, program, self._stack.environment)

    def observe(self) -> Observed:
        """What is there."""
        return observed(self._deployed, ["application"])

    @staticmethod
    def _report(ran: Ran) -> ReportDocument:
        return report_of(ran.events, ran.exit_code)

    def creation(self) -> CarriedOut:
        """The report that the deployment gets in an empty account; it was carried out already."""
        config = lifecycle.stack_config(self._deployed.home)
        example = CHECKOUT / "examples" / "aws-quickstart"
        with emulated_stack(example, config, progress=print) as empty:
            project = Project(empty.directory, example, empty.environment)
            report = self._report(project.preview())
        return CarriedOut(report, Update(Observed(), self.observe()))

    def change(self, *edits: Edit) -> CarriedOut:
        """Change the program, preview it, and deploy it. What is refused is not kept."""
        text = self._project.text
        self._project.write(edited(text, edits))
        report = self._report(self._project.preview())
        done = self._carry_out(report)
        if done.update.watched.exit_code:
            self._project.write(text)
        return done

    def destroy(self) -> CarriedOut:
        """Remove the service, which nobody uses any more."""
        report, before = self._report(self._project.preview_destroy()), self.observe()
        ran = self._project.destroy()
        update = Update(before, self.observe(), Watched(exit_code=ran.exit_code))
        return CarriedOut(report, update, ran.output)

    def _carry_out(self, report: ReportDocument) -> CarriedOut:
        before = self.observe()
        producing = Producing(self._deployed.client(), USED)
        with self._deployed.cluster() as cluster, Watch(cluster).on() as watch, producing.on():
            ran = self._project.up()
        close_what_was_left_open()
        watched = Watched(
            exit_code=ran.exit_code,
            steps=tuple((operation, key_of(urn)) for operation, urn in ran.plan.order),
            most_down=watch.most_down,
            unavailable=frozenset(watch.unavailable),
            unanswered=tuple(_complaints(producing, watch, ran)),
        )
        return CarriedOut(report, Update(before, self.observe(), watched), ran.output)


def _complaints(producing: Producing, watch: Watch, ran: Ran) -> Iterator[str]:
    yield from producing.failures
    if not watch.looks:
        yield "nobody looked at the cluster meanwhile"
    away = _shortest_absence(ran)
    if away is not None and producing.longest_gap >= away:
        yield (
            f"{USED} took no record for {producing.longest_gap:.1f} s, as long as a node was away "
            f"({away:.0f} s)"
        )


def _shortest_absence(ran: Ran) -> float | None:
    """How long the node was away that was away for the shortest time (s); None where none was."""
    gone: dict[str, int] = {}
    absences = []
    for event in map(json.loads, ran.events.splitlines()):
        for kind, operation in (
            ("resourcePreEvent", "delete-replaced"),
            ("resOutputsEvent", "update"),
        ):
            step = event.get(kind, {}).get("metadata", {})
            if step.get("op") != operation:
                continue
            name = str(step["urn"]).rpartition("::")[2]
            if operation == "delete-replaced" and step["type"] == "aws:ec2/instance:Instance":
                gone[name] = event["timestamp"]
            elif name.removesuffix("-ready") in gone and step["type"] == "inkless:index:NodeReady":
                absences.append(event["timestamp"] - gone[name.removesuffix("-ready")])
    return min(absences, default=None)
