"""What is not a whole preview is never taken for one that changes nothing."""

import json
from typing import Any

import pytest

from inkless_pulumi.report.assessment import assess
from inkless_pulumi.report.markdown import markdown
from inkless_pulumi.report.plan import Action, Hidden
from inkless_pulumi.report.reading import read_plan
from tests.unit.report.previews import (
    CLASSIC,
    UNKNOWN,
    create,
    delete,
    digest,
    events,
    report,
    same,
    topic,
    update,
)

STEPS = (
    same(CLASSIC, "orders", topic("orders")),
    update(CLASSIC, "audit", topic("audit"), topic("audit", partitions=12)),
    create(CLASSIC, "returns", topic("returns")),
    delete(CLASSIC, "drafts", topic("drafts")),
)


@pytest.mark.parametrize("write", [digest, events])
def test_both_forms_of_a_preview_are_read_alike(write: Any) -> None:
    plan = read_plan(write(*STEPS))
    assert plan.incomplete == ()
    assert {found.name: found.action for found in plan.resources} == {
        "orders": Action.SAME,
        "audit": Action.UPDATE,
        "returns": Action.CREATE,
        "drafts": Action.DELETE,
    }


def test_both_forms_give_the_same_report() -> None:
    assert assess(read_plan(digest(*STEPS))) == assess(read_plan(events(*STEPS)))


BROKEN = {
    "nothing": "",
    "blanks": " \n\n",
    "no JSON": "error: no Pulumi.yaml project file found",
    "half a digest": digest(*STEPS)[:200],
    "half an event": events(*STEPS)[:900],
    "events without their end": "\n".join(events(*STEPS).splitlines()[:-2]),
    "other JSON": '{"resources": []}',
    "a list": "[]",
    "a number": "3",
    "a digest without a summary": json.dumps({"config": {}, "steps": []}),
    "a count without steps": digest(changeSummary={"create": 91}),
    "a count with fewer steps": digest(STEPS[0], changeSummary={"same": 1, "update": 1}),
    "an operation of another engine": digest({"op": "teleport", "urn": "urn:pulumi:a::b::c::d"}),
    "an event of another engine": events(extra=[{"teleportEvent": {}}]),
    "a step without a URN": digest({"op": "create"}),
    "a failed preview": events(*STEPS, result="failed"),
    "a cancelled preview": events(*STEPS, result="canceled"),
    "a failed step": events(extra=[{"resOpFailedEvent": {"metadata": {"urn": "a::orders"}}}]),
    "an error": digest(diagnostics=[{"severity": "error", "message": "error: no"}]),
    "another plan": digest(
        diagnostics=[{"severity": "error", "message": "error: resource a violates plan: b"}]
    ),
    "a crash": digest(
        diagnostics=[{"severity": "info#err", "message": "Traceback (most recent call last):\n"}]
    ),
    "a refusal on standard error": digest(
        diagnostics=[{"severity": "info#err", "message": 'error: service "kafka": no zones'}]
    ),
    "a state that may be corrupt": digest(maybeCorrupt=True),
    "the events of an update": events().replace('"isPreview": true', '"isPreview": false'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_preview_that_is_not_whole_is_said_to_be_incomplete(name: str) -> None:
    plan = read_plan(BROKEN[name])
    assert plan.incomplete, name
    assert assess(plan).status in ("incomplete", "refused")


def test_the_exit_status_of_the_preview_counts() -> None:
    assert read_plan(digest(*STEPS), exit_code=0).incomplete == ()
    assert read_plan(digest(*STEPS), exit_code=255).incomplete == (
        "the preview ended with exit status 255",
    )


def test_what_a_program_writes_to_standard_error_is_no_failure_where_the_engine_says_so() -> None:
    said = {"diagnosticEvent": {"severity": "info#err", "message": "error: 3 rows skipped"}}
    assert read_plan(events(*STEPS, extra=[said])).incomplete == ()


def test_a_preview_of_nothing_is_whole() -> None:
    plan = read_plan(digest())
    assert plan.incomplete == ()
    assert assess(plan).status == "no-changes"


def test_secrets_and_unknown_values_show_as_such() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    step = create(
        CLASSIC, "orders", topic("orders", a="[secret]", b=secret, c=UNKNOWN, d=[UNKNOWN])
    )
    inputs = read_plan(digest(step)).resources[0].state.inputs
    assert inputs["a"] is inputs["b"] is Hidden.SECRET
    assert inputs["c"] is Hidden.UNKNOWN
    assert inputs["d"] == [Hidden.UNKNOWN]


def test_a_replacement_of_three_steps_is_one_resource() -> None:
    parts = [
        {"op": operation, "urn": "urn:pulumi:a::b::c:d:e::f"}
        for operation in ("delete-replaced", "replace", "create-replacement")
    ]
    plan = read_plan(events(*parts))
    assert [found.action for found in plan.resources] == [Action.REPLACE]


def test_the_order_in_which_the_engine_came_to_things_does_not_show() -> None:
    policies = [
        create("aws:iam/rolePolicy:RolePolicy", f"policy-{number}", {"policy": UNKNOWN})
        for number in range(5)
    ]
    orders = (policies, policies[::-1], policies[2:] + policies[:2])
    reports = {markdown(report(*steps)) for steps in orders}
    assert len(reports) == 1
