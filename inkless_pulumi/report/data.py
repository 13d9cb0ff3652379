"""What becomes of data: what is deleted or replaced, and what stays of it."""

from collections.abc import Iterator, Mapping
from typing import Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed, value_text
from inkless_pulumi.report.nodes import Service
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource
from inkless_pulumi.report.retention import retention_findings
from inkless_pulumi.report.topic_findings import topic_findings
from inkless_pulumi.report.topics import TopicChange

__all__ = ["data_findings"]

_HOLDERS: Final[Mapping[str, tuple[str, str]]] = {
    "aws:s3/bucket:Bucket": ("bucket", "buckets"),
    "aws:rds/instance:Instance": ("database", "databases"),
    "aws:ebs/volume:Volume": ("data volume", "data volumes"),
    "aws:kms/key:Key": ("encryption key", "encryption keys"),
    "aws:secretsmanager/secret:Secret": ("secret", "secrets"),
    "aws:cloudwatch/logGroup:LogGroup": ("log group", "log groups"),
    "aws:ecr/repository:Repository": ("image repository", "image repositories"),
    "inkless:index:ServiceIdentity": ("service identity", "service identities"),
    "inkless:index:User": ("user", "users"),
}
"""What holds something that is gone with it."""
_ALSO_WITHOUT_THE_SERVICE: Final = ("aws:cloudwatch/logGroup:LogGroup", "inkless:index:User")
"""Gone with them are logs and passwords, no records: worth a warning."""


def data_findings(
    plan: Plan, services: list[Service], topics: list[TopicChange]
) -> Iterator[Finding]:
    """What the update does to data."""
    yield from topic_findings(topics)
    emptied = frozenset[str]().union(*(service.emptied for service in services))
    yield from _lost_holders(plan, emptied)
    yield from retention_findings(services, topics)
    yield from _shorter_backups(plan)


def _lost_holders(plan: Plan, emptied: frozenset[str]) -> Iterator[Finding]:
    for token, (singular, plural) in _HOLDERS.items():
        gone = sorted(
            (
                found
                for found in plan.of_type(token)
                if found.goes and not found.retained and found.urn not in emptied
            ),
            key=lambda found: (found.name, found.urn),
        )
        if not gone:
            continue
        is_data = token not in _ALSO_WITHOUT_THE_SERVICE
        words = counted(len(gone), f"{singular} is", f"{plural} are")
        verb = "replaced" if all(found.action is Action.REPLACE for found in gone) else "deleted"
        yield Finding(
            f"{singular.replace(' ', '-')}-deleted",
            "data",
            Level.DANGER if is_data else Level.WARNING,
            f"{words} {verb}: {listed(found.name for found in gone)}",
            details=tuple(line for found in gone if (line := _what_stays(found))),
            resources=tuple(found.urn for found in gone),
            gates=("data-loss",) if is_data else (),
            brief=f"{words} {verb}",
        )


def _what_stays(gone: Resource) -> str:
    """What is left of it, if anything."""
    old = gone.old.inputs if gone.old else {}
    name = code(gone.name)
    if gone.type == "aws:rds/instance:Instance":
        if old.get("skipFinalSnapshot") is False:
            return (
                f"{name}: a final snapshot {value_text(old.get('finalSnapshotIdentifier'))} stays"
            )
        return f"{name}: no final snapshot is taken; automated backups go with it"
    if gone.type == "aws:ebs/volume:Volume":
        stays = "a final snapshot stays" if old.get("finalSnapshot") is True else "no snapshot"
        return f"{name}: {value_text(old.get('size'))} GiB, {stays}"
    if gone.type == "aws:s3/bucket:Bucket":
        if old.get("forceDestroy") is True:
            return f"{name}: with all of its objects and their versions"
        return f"{name}: S3 refuses while it has objects"
    if gone.type == "aws:kms/key:Key":
        return f"{name}: what it encrypts can't be read again once its waiting period is over"
    return ""


def _shorter_backups(plan: Plan) -> Iterator[Finding]:
    for database in plan.of_type("aws:rds/instance:Instance"):
        if database.action is not Action.UPDATE or not database.changes("backupRetentionPeriod"):
            continue
        old, new = (
            found("backupRetentionPeriod", 0) for found in (database.before, database.after)
        )
        if isinstance(old, Hidden) or isinstance(new, Hidden) or new < old:
            yield Finding(
                "backups-shrink",
                "data",
                Level.WARNING,
                f"{code(database.name)} can be restored {value_text(new)} days back, not "
                f"{value_text(old)}; older backups are deleted",
            )
