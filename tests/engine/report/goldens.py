"""The reports in `docs/reports`, which are the goldens of the tests and made by them."""

import difflib
import os
import re
from pathlib import Path

from inkless_pulumi.report.assessment import Report
from inkless_pulumi.report.markdown import markdown

DIRECTORY = Path(__file__).parents[3] / "docs" / "reports"
WRITE = os.environ.get("INKLESS_WRITE_REPORTS") == "1"
"""Whether to write them anew: `make reports`. What changes is then seen by `git diff`."""

_RANDOM = (
    (r"\bkafka-final-[0-9a-f]{10}\b", "kafka-final-0123456789"),
    (r"(:secret:[\w-]+)-[0-9a-f]{7}-\w{6}\b", r"\1-0123456-AbCdEf"),
    (r"(?<=[a-z0-9])-[0-9a-f]{7}\b", "-0123456"),
    (r"\b(sg|subnet|vpc|i|vol|eni|vpce|pl|ami)-[0-9a-f]{8,17}\b", r"\1-0123456789"),
    (r"key/[0-9a-f-]{36}", "key/01234567-89ab-cdef-0123-456789abcdef"),
    (r"sha256:[0-9a-f]{64}", "sha256:0123456789abcdef"),
)
"""What differs from one run to the next: ids, and the ends of names that Pulumi chose."""

_CUT_SHORT = "The preview did not come to its end"


def settled(text: str, directory: Path) -> str:
    """A text without what is random, and without the directory of the test."""
    text = text.replace(str(directory), "…")
    for pattern, replacement in _RANDOM:
        text = re.sub(pattern, replacement, text)
    return text


def page(title: str, changes: str, report: Report, directory: Path) -> str:
    """The page of a pull request: what it changes, and the comment that it gets."""
    shown = f"```diff\n{changes}\n```\n\n" if changes else ""
    comment = settled(markdown(report), directory)
    if _CUT_SHORT in comment:  # how far the engine came, with its many hands, is chance
        comment = re.sub("<sub>.*</sub>", "<sub>as far as it came</sub>", comment)
    return f"# {title}\n\n{shown}{comment}"


def check(name: str, text: str) -> None:
    """Compare a page with the golden, or write it."""
    file = DIRECTORY / f"{name}.md"
    if WRITE:
        DIRECTORY.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert file.is_file(), f"no {file.name}: `make reports` writes it"
    golden = file.read_text("utf-8")
    lines = difflib.unified_diff(golden.splitlines(), text.splitlines(), lineterm="", n=0)
    assert text == golden, "\n".join((f"{file.name} is another: `make reports` writes it", *lines))


def index(entries: list[tuple[str, str]]) -> str:
    """The page that leads to all."""
    lines = "\n".join(f"- [{title}]({name}.md)" for name, title in entries)
    return (
        "# Reports of real previews\n\n"
        "Each of these pull requests on `examples/aws-quickstart` was previewed by the real "
        "engine; the report is the comment that it gets. Those that could be carried out were, "
        "and the report was compared with what happened; most kinds of change on real brokers as "
        "well, scaling, upgrades and certificates by `make soak`. Tests make these pages and keep "
        "them true (`tests/engine/report`, `tests/sandbox/quickstart/test_what_reports_say.py`); "
        "`make reports` writes them anew.\n\n"
        f"{lines}\n"
    )
