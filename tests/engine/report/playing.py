"""A pull request on a deployed quick-start: previewed, reported, carried out, compared."""

from inkless_pulumi.report.assessment import Report, assess
from inkless_pulumi.report.document import ReportDocument, document_text
from tests.engine.report import goldens
from tests.engine.report.claims import broken_claims, cluster
from tests.engine.report.conftest import Deployment
from tests.engine.report.pull_requests import PullRequest
from tests.engine.report.quick_start import Ran, difference, edited


def report_of(ran: Ran) -> Report:
    """The report of a preview; its JSON keeps to the schema."""
    found = assess(ran.plan)
    ReportDocument.model_validate_json(document_text(found))
    return found


def play(deployment: Deployment, request: PullRequest) -> None:
    """Make a pull request; the report is as it was, and true."""
    project, rehearsal = deployment
    text = project.text
    changed = edited(text, request.edits)
    project.write(changed)
    preview = project.preview()
    report = report_of(preview)
    broken: list[str] = []
    if request.merged:
        before = cluster(rehearsal)
        done = project.up()
        broken = [*broken_claims(preview.plan, report, done, before, cluster(rehearsal))]
    else:
        project.write(text)
    page = goldens.page(request.title, difference(text, changed), report, project.directory)
    goldens.check(request.name, page)
    assert report.status == request.status, report.verdict
    assert broken == [], "\n".join(broken)
