"""What is said of money, and of what protects data."""

import json
from pathlib import Path
from typing import Any

import pytest

from inkless_pulumi.aws.machine_types import MACHINE_TYPES
from inkless_pulumi.core.errors import ReportError
from inkless_pulumi.report.assessment import Report, assess
from inkless_pulumi.report.prices import list_prices, read_prices
from inkless_pulumi.report.reading import read_plan
from tests.unit.report.previews import (
    CLASSIC,
    create,
    digest,
    events,
    finding,
    report,
    same,
    step,
    text,
    topic,
    update,
)

INSTANCE = "aws:ec2/instance:Instance"
DATABASE = "aws:rds/instance:Instance"


def machine(kind: Any) -> dict[str, Any]:
    return {"instanceType": kind, "rootBlockDevice": {"volumeType": "gp3", "volumeSize": 20}}


def test_a_larger_machine_costs_the_difference_of_the_list_prices() -> None:
    hour = list_prices().regions["us-east-1"].instance_hour
    found = report(step("replace", INSTANCE, "n", machine("t3.medium"), machine("t3.large")))
    assert found.cost.total == round(730 * hour["t3.large"], 2) - round(730 * hour["t3.medium"], 2)
    assert text(finding(found, "cost")).startswith("About +$30.37 a month (estimate, us-east-1)")


def test_what_is_only_replaced_costs_nothing_more() -> None:
    found = report(step("replace", INSTANCE, "n", machine("t3.medium"), machine("t3.medium")))
    assert found.cost.total == 0.0
    assert "cost" not in {one.rule for one in found.findings}, "no word of what stays as it is"


def test_a_standby_doubles_a_database_and_its_storage() -> None:
    inputs = {"instanceClass": "db.t4g.medium", "storageType": "gp3", "allocatedStorage": 50}
    alone = report(create(DATABASE, "db", {**inputs, "multiAz": False})).cost.total
    both = report(create(DATABASE, "db", {**inputs, "multiAz": True})).cost.total
    assert alone == round(730 * 0.065, 2) + round(50 * 0.115, 2)
    assert both == round(2 * 730 * 0.065, 2) + round(2 * 50 * 0.115, 2)


@pytest.mark.parametrize("kind", ["x9z.mega", "04da6b54-80e4-46f7-96ec-b56ff0331ba9"])
def test_a_price_that_is_not_known_is_absent(kind: str) -> None:
    found = report(create(INSTANCE, "n", machine(kind)))
    assert found.cost.total is None
    assert "not all of it priced" in text(finding(found, "cost"))


def test_a_region_without_prices_has_no_sum() -> None:
    preview = digest(create(INSTANCE, "n", machine("t3.medium"))).replace(
        "us-east-1", "ap-nowhere-1"
    )
    found = assess(read_plan(preview))
    assert found.cost.total is None
    assert "no prices for ap-nowhere-1" in text(finding(found, "cost"))


def test_prices_of_ones_own_go_before_the_list(tmp_path: Path) -> None:
    region = {"as_of": "2026-11", "source": "our contract", "instance_hour": {"t3.medium": 0.01}}
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"regions": {"us-east-1": region}}))
    found = assess(
        read_plan(digest(create(INSTANCE, "n", {"instanceType": "t3.medium"}))), read_prices(file)
    )
    assert found.cost.total == 7.3
    assert found.cost.source == "our contract"


@pytest.mark.parametrize("content", ["", "[]", '{"regions": {"us-east-1": {"price": 3}}}'])
def test_a_file_that_is_no_table_of_prices_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(content)
    with pytest.raises(ReportError, match="is not a table of prices"):
        read_prices(file)
    with pytest.raises(ReportError, match="No such file"):
        read_prices(tmp_path / "nowhere.json")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2"])
def test_the_machines_of_every_plan_have_a_price(region: str) -> None:
    prices = list_prices().regions[region]
    for plan in MACHINE_TYPES.values():
        assert {*plan.broker.values(), *plan.controller.values()} <= prices.instance_hour.keys()
        assert plan.database in prices.database_hour


def test_every_price_is_dated_and_has_its_source() -> None:
    for region in list_prices().regions.values():
        assert len(region.as_of) >= 7
        assert region.source


def test_what_depends_on_use_is_named_and_not_summed() -> None:
    found = report(
        create(INSTANCE, "n", machine("t3.medium")), create(CLASSIC, "orders", topic("orders"))
    )
    said = text(finding(found, "cost"))
    assert "requests to S3" in said
    assert "crosses zones twice: $0.04" in said


# --- protection ----------------------------------------------------------------------------------


def refused(*steps: Any, message: str, urn: str = "", severity: str = "error") -> Report:
    said = {"severity": severity, "message": message, "urn": urn}
    return assess(read_plan(digest(*steps, diagnostics=[said])))


def test_what_is_protected_makes_the_update_refused() -> None:
    replaced = step("replace", "aws:ebs/volume:Volume", "v", {}, {}, protect=True)
    message = 'error: unable to replace resource "v"\nas it is currently marked for protection.'
    found = refused(replaced, message=message, urn=replaced["urn"])
    assert found.status == "refused"
    assert "1 resource is protected, and the plan deletes or replaces it: v" in text(
        finding(found, "protected")
    )
    assert "refused" not in {one.rule for one in found.findings}, "it is told once"


def test_a_wrong_declaration_is_refused_in_its_own_words() -> None:
    found = refused(message='error: service "kafka": zones = 2: too few; name three')
    assert found.status == "refused"
    assert 'service "kafka": zones = 2: too few; name three' in text(finding(found, "refused"))


def test_a_program_that_fails_is_incomplete_and_not_refused() -> None:
    message = "error: Program failed with an unhandled exception:\nTraceback (most recent"
    assert refused(message=message).status == "incomplete"


# What the engine says of a plugin that is gone, as its version 3.259 does.
GONE = """error: Detected that /bin/pulumi-resource-inkless exited prematurely. \n\
       This is *always* a bug in the provider. Please report the issue to the provider author as
       To assist with debugging we have dumped the STDOUT and STDERR streams of the plugin:
"""
CRASHED = {
    "severity": "error",
    "message": "error: Program failed with an unhandled exception:\nTraceback (most recent call",
}


@pytest.mark.parametrize(
    "consequence",
    [
        GONE,
        "error: rpc error: code = Unavailable desc = error reading from server: EOF",
        "error: transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused",
        "error: resource monitor shut down while waiting on step's done channel",
        "error: rpc error: code = Canceled desc = context canceled",
    ],
)
def test_what_breaks_off_with_a_program_is_no_refusal(consequence: str) -> None:
    said = [CRASHED, {"severity": "error", "message": consequence, "urn": "urn:pulumi:a::b::c::d"}]
    for diagnostics in (said, said[::-1]):
        found = assess(read_plan(digest(diagnostics=diagnostics)))
        assert found.status == "incomplete"
        assert found.incomplete == ("the program failed",)
        assert not found.findings, "nothing of what is declared is refused"
        assert len(found.said) == 2, "it is shown what the engine said"


def test_a_plugin_that_is_gone_makes_a_preview_incomplete() -> None:
    found = refused(message=GONE)
    assert found.status == "incomplete"
    assert found.incomplete == ("a plugin ended before the preview did",)
    assert not found.findings


def test_a_refusal_beside_a_failed_program_is_told_of() -> None:
    wrong = {"severity": "error", "message": "error: partitions = 0: at least 1"}
    found = assess(read_plan(digest(diagnostics=[CRASHED, wrong])))
    assert found.status == "incomplete"
    assert "partitions = 0" in text(finding(found, "refused"))


def test_a_mandatory_policy_refuses_and_another_warns() -> None:
    def violation(level: str) -> str:
        event = {
            "policyEvent": {
                "resourceUrn": "urn:pulumi:a::b::c::bucket",
                "message": "<{%reset%}>must be tagged",
                "policyName": "tags",
                "policyPackName": "company",
                "enforcementLevel": level,
            }
        }
        return events(extra=[event])

    mandatory = assess(read_plan(violation("mandatory")))
    assert mandatory.status == "refused"
    assert "bucket: company/tags: must be tagged" in text(finding(mandatory, "policy-violated"))
    assert assess(read_plan(violation("advisory"))).status == "at-risk"


@pytest.mark.parametrize(
    ("token", "old", "new", "protect"),
    [
        ("aws:ebs/volume:Volume", {}, {}, True),
        (DATABASE, {"deletionProtection": True}, {"deletionProtection": False}, False),
        ("aws:s3/bucket:Bucket", {"forceDestroy": False}, {"forceDestroy": True}, False),
    ],
)
def test_taking_protection_away_is_told_before_anything_is_deleted(
    token: str, old: dict[str, Any], new: dict[str, Any], protect: bool
) -> None:
    found = report(update(token, "it", old, new, protect=protect))
    assert "1 thing that holds data can be deleted by the next update: it" in text(
        finding(found, "protection-removed")
    )
    assert found.status == "at-risk"


def test_what_stays_protected_is_not_told() -> None:
    kept = {"deletionProtection": True, "skipFinalSnapshot": False}
    assert report(same(DATABASE, "db", kept)).findings == ()
