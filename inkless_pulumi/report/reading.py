"""Reads what the engine says of a preview: `pulumi preview --json`, or its stream of events.

Bad input is never an empty plan: whatever can't be read, or is not whole, is a reason in
`Plan.incomplete`, and the report says it. Both forms are Pulumi's public ones
(`pkg/display.PreviewDigest`, `sdk/go/common/apitype.EngineEvent`, version 3).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from inkless_pulumi.report.findings import code, listed
from inkless_pulumi.report.plan import Action, Diagnostic, Plan, Resource, State, refusals

__all__ = ["FAILED", "read_plan"]

FAILED: Final = "the preview failed"
"""The reason where the engine gives none of its own; what was refused is told besides."""


_ACTIONS: Final[Mapping[str, Action]] = {
    "same": Action.SAME,
    "create": Action.CREATE,
    "import": Action.CREATE,
    "update": Action.UPDATE,
    "delete": Action.DELETE,
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "delete-replaced": Action.REPLACE,
    "import-replacement": Action.REPLACE,
    "read": Action.READ,
    "read-replacement": Action.READ,
    "refresh": Action.READ,
    "discard": Action.READ,
    "discard-replaced": Action.READ,
    "remove-pending-replace": Action.READ,
    "diff": Action.READ,
    "extend-parameterize": Action.READ,
}
"""The engine's operations (`StepOp`). One that is not here is of an engine we don't know."""
_CHANGES: Final = ("create", "import", "update", "delete", "replace")
_EVENTS: Final = frozenset(
    (
        "cancelEvent",
        "stdoutEvent",
        "diagnosticEvent",
        "preludeEvent",
        "summaryEvent",
        "resourcePreEvent",
        "resOutputsEvent",
        "resOpFailedEvent",
        "policyEvent",
        "policyRemediationEvent",
        "policyLoadEvent",
        "policyAnalyzeSummaryEvent",
        "policyRemediateSummaryEvent",
        "policyAnalyzeStackSummaryEvent",
        "startDebuggingEvent",
        "progressEvent",
        "errorEvent",
    )
)
_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
_LEADING = re.compile(r"^(error|warning|info): +")
_OTHER_PLAN = "violates plan"


def read_plan(text: str, exit_code: int | None = None) -> Plan:
    """The plan of a preview.

    Args:
        text: what `pulumi preview --json` printed, or the engine's events, a JSON object a line.
        exit_code: that of the preview where it is known: 0 says that it went well.
    """
    collected = _Collected()
    objects = _lines(text, collected)
    if objects is not None:
        _read_events(objects, collected)
    else:
        _read_digest(text, collected)
    if exit_code:
        collected.incomplete.append(f"the preview ended with exit status {exit_code}")
    return collected.plan()


@dataclass
class _Collected:
    """What was read so far."""

    steps: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    order: list[tuple[str, str]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    violations: list[Diagnostic] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    succeeded: bool = False
    """Whether the engine says so; the digest says nothing of it."""
    failed_quietly: bool = False
    """Whether a program said on its standard error, and nowhere else, what is wrong."""

    def step(self, raw: Any) -> None:
        """Take down one step."""
        if not isinstance(raw, dict) or not isinstance(raw.get("urn"), str):
            self.incomplete.append("a step has no URN: this is not a preview of Pulumi's")
            return
        operation, urn = str(raw.get("op")), raw["urn"]
        if operation not in _ACTIONS:
            self.incomplete.append(
                f"the engine plans {code(operation)}, an operation that this version does not know"
            )
            return
        self.steps.setdefault(urn, []).append(raw)
        self.order.append((operation, urn))

    def say(self, raw: Mapping[str, Any]) -> None:
        """Take down a diagnostic."""
        message = _COLOUR.sub("", str(raw.get("message", ""))).strip()
        if message and not raw.get("ephemeral") and raw.get("severity") != "debug":
            # Python's language host says most things twice: as it happened, and at the end.
            severity = str(raw.get("severity", "info"))
            if severity == "info#err" and message.startswith("error: "):
                self.failed_quietly = True
                severity = "error"
            said = Diagnostic(severity, _LEADING.sub("", message), str(raw.get("urn") or ""))
            if said not in self.diagnostics:
                self.diagnostics.append(said)

    def plan(self) -> Plan:
        """All of it as a plan."""
        if not (self.failed_quietly and self.succeeded):
            self.incomplete += _reasons(self.diagnostics)
        resources = tuple(_merged(urn, steps) for urn, steps in sorted(self.steps.items()))
        counted = sum(number for operation, number in self.counts.items() if operation in _CHANGES)
        shown = sum(resource.touched for resource in resources)
        if shown < counted:
            self.incomplete.append(f"the preview counts {counted} changes and shows {shown}")
        return Plan(
            resources=resources,
            order=tuple(self.order),
            # Providers answer side by side; what a program wrote keeps its order.
            diagnostics=tuple(sorted(self.diagnostics, key=lambda said: said.urn)),
            violations=tuple(self.violations),
            config=self.config,
            incomplete=tuple(dict.fromkeys(self.incomplete)),
            counts=self.counts,
        )


def _reasons(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    """What diagnostics say of the preview's wholeness. The digest has no other sign of a failure,
    and a program that crashes may have said so on its standard error alone.
    """
    said = tuple(diagnostics)
    if any(one.crash for one in said):
        yield "the program failed"
    elif any(one.plugin_gone for one in said):
        yield "a plugin ended before the preview did"
    for one in refusals(said):
        if _OTHER_PLAN in one.message:
            yield "the program no longer does what the saved update plan allows"
        else:
            yield FAILED


def _merged(urn: str, steps: list[Mapping[str, Any]]) -> Resource:
    """One resource of its steps: a replacement has up to three."""
    actions = [_ACTIONS[str(step["op"])] for step in steps]
    action = next((found for found in actions if found is not Action.READ), Action.READ)
    if Action.REPLACE in actions:
        action = Action.REPLACE
    return Resource(
        urn=urn,
        action=action,
        old=_state(steps, "old", "oldState"),
        new=None if action is Action.DELETE else _state(steps, "new", "newState"),
        changed=tuple(dict.fromkeys(name for step in steps for name in _paths(step))),
        replaced_for=tuple(
            dict.fromkeys(
                name
                for step in steps
                # A dependent that is made anew has the reason on this step only.
                if step["op"] == "replace"
                for name in step.get("keys") or step.get("replaceReasons") or ()
            )
        ),
    )


def _state(steps: list[Mapping[str, Any]], *names: str) -> State | None:
    for step in steps:
        for name in names:
            if isinstance(step.get(name), dict):
                return State(step[name])
    return None


def _paths(step: Mapping[str, Any]) -> Iterable[str]:
    detailed = step.get("detailedDiff")
    if isinstance(detailed, dict) and detailed:
        return sorted(detailed)
    return step.get("diffs") or step.get("diffReasons") or ()


# --- the stream of events ------------------------------------------------------------------------


def _lines(text: str, collected: _Collected) -> list[dict[str, Any]] | None:
    """The events of a stream; None where this is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or not _is_event(_parsed(lines[0])):
        return None
    events = []
    for number, line in enumerate(lines, start=1):
        event = _parsed(line)
        if not _is_event(event):
            collected.incomplete.append(
                f"the stream of events is broken off or wrong in line {number}"
            )
            break
        events.append(event)
    return events


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _is_event(found: Any) -> bool:
    return isinstance(found, dict) and "sequence" in found and "timestamp" in found


def _read_events(events: list[dict[str, Any]], collected: _Collected) -> None:
    ended = False
    for event in events:
        unknown = sorted(set(event) - _EVENTS - {"sequence", "timestamp"})
        if unknown:
            collected.incomplete.append(
                f"the engine tells of {listed(unknown)}, which this version does not know"
            )
        ended = _read_event(event, collected) or ended
    if not ended:
        collected.incomplete.append("the stream ends before the preview did")


def _read_event(event: Mapping[str, Any], collected: _Collected) -> bool:
    """Take down an event; whether it is the summary, with which a preview ends."""
    if prelude := event.get("preludeEvent"):
        collected.config = {str(key): str(value) for key, value in prelude["config"].items()}
    if said := event.get("diagnosticEvent"):
        collected.say(said)
    if told := event.get("stdoutEvent"):
        collected.say({"severity": "info", **told})
    if violation := event.get("policyEvent"):
        collected.violations.append(_violation(violation))
    if planned := event.get("resourcePreEvent"):
        collected.step(planned.get("metadata"))
    if failed := event.get("resOpFailedEvent"):
        urn = str((failed.get("metadata") or {}).get("urn", ""))
        collected.incomplete.append(f"the step of {code(urn.rpartition('::')[2])} failed")
    summary = event.get("summaryEvent")
    if not summary:
        return False
    collected.counts = dict(summary.get("resourceChanges") or {})
    if not summary.get("isPreview", True):
        collected.incomplete.append("these are the events of an update, not of a preview")
    collected.succeeded = summary.get("result") == "succeeded"
    if not collected.succeeded:
        collected.incomplete.append(FAILED)
    return True


def _violation(raw: Mapping[str, Any]) -> Diagnostic:
    severity = "error" if raw.get("enforcementLevel") == "mandatory" else "warning"
    message = _COLOUR.sub("", str(raw.get("message", ""))).strip()
    policy = f"{raw.get('policyPackName')}/{raw.get('policyName')}"
    return Diagnostic(severity, f"{policy}: {message}", str(raw.get("resourceUrn") or ""))


# --- the digest ----------------------------------------------------------------------------------


def _read_digest(text: str, collected: _Collected) -> None:
    if not text.strip():
        collected.incomplete.append("there is nothing to read: the preview said nothing")
        return
    try:
        digest = json.loads(text)
    except ValueError as error:
        collected.incomplete.append(f"the JSON is broken off or wrong: {code(error)}")
        return
    if not isinstance(digest, dict) or not {"steps", "diagnostics", "config"} & set(digest):
        collected.incomplete.append(
            "this is JSON, but neither what `pulumi preview --json` prints nor the engine's events"
        )
        return
    collected.config = {str(key): str(text) for key, text in (digest.get("config") or {}).items()}
    for said in digest.get("diagnostics") or ():
        collected.say(said)
    for step in digest.get("steps") or ():
        collected.step(step)
    counts = digest.get("changeSummary")
    if not isinstance(counts, dict):
        collected.incomplete.append("the preview has no summary: it did not come to its end")
        return
    collected.counts = counts
    if digest.get("maybeCorrupt"):
        collected.incomplete.append("the engine says that the state may be corrupt")
    if counts and not collected.steps:
        collected.incomplete.append("the preview counts resources and shows none")
