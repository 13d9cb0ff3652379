"""The report as Markdown, as JSON and on a terminal."""

import io
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from inkless_pulumi.core.errors import ReportError
from inkless_pulumi.report.assessment import Report, assess
from inkless_pulumi.report.command import schema_text
from inkless_pulumi.report.document import ReportDocument, document_text
from inkless_pulumi.report.gates import exit_status, parse_gates, tripped
from inkless_pulumi.report.markdown import LIMITS, markdown
from inkless_pulumi.report.reading import read_plan
from inkless_pulumi.report.terminal import show
from tests.unit.report.previews import (
    CLASSIC,
    DISKLESS,
    INGRESS,
    create,
    delete,
    digest,
    report,
    service,
    topic,
    update,
)
from tests.unit.report.test_access import opening

EVIL = "`</details><script>x()</script>`` @everybody **bold** [a](http://b) \n# heading"
MANY = tuple(
    update(CLASSIC, f"t{n:05}", topic(f"t{n:05}"), topic(f"t{n:05}", partitions=n + 7))
    for n in range(20_000)
)


class Tags(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.words += data


def rendered(text: str) -> Tags:
    """The Markdown as a host renders it."""
    return Tags(MarkdownIt("commonmark").render(text))


def a_report() -> Report:
    return report(
        *service({"num.io.threads": "8"}, {"num.io.threads": "12"}, rolls=True),
        delete(DISKLESS, "clicks", topic("clicks")),
        create(INGRESS, "all", opening("0.0.0.0/0")),
    )


def test_the_verdict_comes_first_and_what_is_at_risk_before_the_rest() -> None:
    lines = [line for line in markdown(a_report()).splitlines() if line]
    assert lines[0] == "<!-- inkless-pulumi preview-report: shop/production -->"
    assert lines[1] == "### Kafka preview of `production`"
    assert lines[2].startswith("**Data is lost**: 1 topic is deleted with all records; ")
    assert lines[3] == "#### At risk"
    risk, rest = markdown(a_report()).split("<details>", 1)
    assert "`clicks`" in risk
    assert "3 nodes are replaced" in rest


def test_the_markdown_renders_with_every_part_closed() -> None:
    page = rendered(markdown(a_report()))
    for tag in ("details", "summary", "ul", "li", "code"):
        assert page.seen.count(tag) == page.seen.count(f"/{tag}") > 0
    assert "3 nodes are replaced, one at a time" in page.words


def test_names_from_a_pull_request_can_be_no_markup() -> None:
    found = report(
        delete(CLASSIC, "x", topic(EVIL)),
        update(CLASSIC, "y", topic("y", settings={}), topic("y", settings={EVIL: EVIL})),
    )
    page = rendered(markdown(found))
    assert not {"script", "a", "h1"} & set(page.seen)
    assert page.seen.count("details") == page.seen.count("/details")
    assert page.seen.count("strong") == 2, "the verdict and the label, and nothing of the name"


def test_what_the_engine_said_can_be_no_markup() -> None:
    said = {"severity": "error", "message": f"no\n```\n{EVIL}\n\x1b[31mred"}
    found = assess(read_plan(digest(diagnostics=[said])))
    page = rendered(markdown(found))
    assert not {"script", "a", "h1"} & set(page.seen)
    assert "\x1b" not in markdown(found)


@pytest.mark.parametrize("host", LIMITS)
def test_a_comment_stays_below_the_limit_of_its_host(host: str) -> None:
    text = markdown(report(*MANY), limit=LIMITS[host])
    assert len(text) < LIMITS[host]
    assert "20,000 topics are changed" in text
    assert "in the JSON" in text
    assert rendered(text).seen.count("/details") == rendered(text).seen.count("details")


def deleted_topics(*partitions: int) -> Report:
    return report(
        *(
            delete(CLASSIC, f"t{n:02}", topic(f"t{n:02}", partitions=number))
            for n, number in enumerate(partitions)
        )
    )


def on_a_terminal(found: Report) -> str:
    stream = io.StringIO()
    show(found, Console(file=stream, width=200))
    return stream.getvalue()


def test_what_is_said_of_each_is_said_once() -> None:
    found = deleted_topics(6, 6, 6)
    line = "- **Danger.** 3 topics are deleted with all records: `t00`, `t01` and `t02`:\n"
    assert f"{line}  - Each: classic, `6` partitions.\n" in markdown(found)
    assert "Each: classic, 6 partitions" in on_a_terminal(found)
    assert "t01: classic, 6 partitions" in document_text(found), "the JSON has each"


def test_those_of_whom_the_same_is_said_are_named_together() -> None:
    text = markdown(deleted_topics(6, 1, *[6] * 9))
    assert (
        "  - `t00`, `t02`, `t03`, `t04`, `t05` and 5 more: classic, "
        "`6` partitions.\n  - `t01`: classic, `1` partition.\n"
    ) in text


def test_hundreds_of_findings_are_cut_as_well() -> None:
    found = report(
        *(
            delete("aws:rds/instance:Instance", f"db{n}", {"finalSnapshotIdentifier": "x" * 90})
            for n in range(3)
        ),
        *MANY[:200],
    )
    text = markdown(found, limit=2000)
    assert len(text) < 2000
    assert rendered(text).seen.count("/details") == rendered(text).seen.count("details")


def test_the_same_preview_gives_the_same_bytes() -> None:
    assert markdown(a_report()) == markdown(a_report())
    assert document_text(a_report()) == document_text(a_report())


def test_the_json_has_all_that_the_comment_cuts() -> None:
    found = ReportDocument.model_validate_json(document_text(report(*MANY[:1000])))
    (changed,) = [one for one in found.findings if one.rule == "topic-changed"]
    assert len(changed.details) == len(changed.resources) == 1000
    assert not re.search("[\ue000\ue001]", document_text(report(*MANY[:10])))


def test_the_published_schema_is_that_of_the_document() -> None:
    published = (files("inkless_pulumi.report") / "data" / "report.schema.json").read_text()
    assert json.loads(published) == json.loads(schema_text()), (
        "write it anew: inkless-pulumi preview-report --schema"
    )


def test_a_terminal_shows_the_same() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system="truecolor")
    show(a_report(), console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert shown != plain, "with colour"
    assert plain.startswith("Data is lost: 1 topic is deleted with all records")
    assert "What else happens" in plain


def test_a_terminal_is_not_driven_by_a_name() -> None:
    console = Console(file=io.StringIO(), width=200)
    show(report(delete(CLASSIC, "x", topic("\x1b]0;title\x07[bold]a"))), console)
    assert isinstance(console.file, io.StringIO)
    assert "\x1b" not in console.file.getvalue()
    assert "[bold]a" in console.file.getvalue()


# --- gates ---------------------------------------------------------------------------------------

INSTANCE = create("aws:ec2/instance:Instance", "n", {"instanceType": "t3.medium"})
UNPRICED = create("aws:ec2/instance:Instance", "n", {"instanceType": "x9z.mega"})
LOSS = delete(CLASSIC, "orders", topic("orders"))
WIDER = create(INGRESS, "office", opening("192.0.2.0/24"))
DOWNTIME = update("aws:rds/instance:Instance", "db", {"instanceClass": "a"}, {"instanceClass": "b"})


@pytest.mark.parametrize(
    ("steps", "gates", "status"),
    [
        ([LOSS], [], 0),
        ([LOSS], ["data-loss"], 10),
        ([LOSS], ["downtime", "wider-access"], 0),
        ([DOWNTIME], ["downtime"], 11),
        ([WIDER], ["wider-access"], 12),
        ([INSTANCE], ["cost=30"], 13),
        ([INSTANCE], ["cost=31"], 0),
        ([UNPRICED], ["cost=1000000"], 13),
        ([WIDER], ["cost=0"], 0),
        ([LOSS, WIDER, INSTANCE], ["cost=1", "wider-access", "data-loss"], 10),
        ([WIDER, INSTANCE], ["cost=1", "wider-access", "data-loss"], 12),
    ],
)
def test_a_gate_has_its_exit_status(steps: list[Any], gates: list[str], status: int) -> None:
    assert exit_status(tripped(report(*steps), parse_gates(gates))) == status


def test_a_preview_that_is_not_whole_stops_whatever_was_asked() -> None:
    assert exit_status(tripped(assess(read_plan("")), parse_gates([]))) == 20
    said = {"severity": "error", "message": 'error: service "kafka": no'}
    refused = assess(read_plan(digest(diagnostics=[said])))
    assert exit_status(tripped(refused, parse_gates(["data-loss"]))) == 21


@pytest.mark.parametrize("gate", ["loss", "cost", "cost=much", "data-loss=1", ""])
def test_a_gate_that_there_is_not_is_refused(gate: str) -> None:
    with pytest.raises(ReportError, match="--fail-on"):
        parse_gates([gate])


def test_a_stopped_pipeline_says_why() -> None:
    found = report(LOSS)
    stops = tripped(found, parse_gates(["data-loss"]))
    assert "Stopped by `--fail-on data-loss`: 1 topic is deleted" in markdown(found, stops)
    assert json.loads(document_text(found, stops))["stops"] == [
        {"gate": "data-loss", "reason": "1 topic is deleted with all records"}
    ]


def test_a_comment_is_found_by_a_key_that_can_be_no_markup() -> None:
    first = markdown(a_report(), key="--> <b>/x").splitlines()[0]
    assert first.count("-->") == 1
    assert "<b>" not in first
    assert markdown(a_report(), key="a/b").startswith("<!-- inkless-pulumi preview-report: a/b -->")
