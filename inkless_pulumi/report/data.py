"""What becomes of data: what is deleted, what may be from then on, what can't be undone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed, value_text
from inkless_pulumi.report.plan import Action, Hidden, Plan, Resource
from inkless_pulumi.report.quantities import bytes_text, duration_text, number
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
_DAYS: Final = 86_400_000
_KAFKA_RETENTION_MS: Final = 7 * _DAYS
"""Kafka's default of log.retention.hours is 168."""


def data_findings(plan: Plan, topics: list[TopicChange]) -> Iterator[Finding]:
    """What the update does to data."""
    yield from _lost_topics(topics)
    yield from _lost_holders(plan)
    yield from _shorter_retention(plan, topics)
    yield from _shorter_backups(plan)
    yield from _turned_diskless(topics)
    yield from _other_topics(topics)


# --- what is deleted -----------------------------------------------------------------------------


def _lost_topics(topics: list[TopicChange]) -> Iterator[Finding]:
    lost = [change for change in topics if change.is_lost and not _retained(change.resource)]
    if lost:
        names = [change.topic.name for change in lost]
        anew = sum(change.replaced for change in lost)
        yield Finding(
            "topic-deleted",
            "data",
            Level.DANGER,
            f"{counted(len(lost), 'topic is', 'topics are')} deleted with all records: "
            f"{listed(names)}",
            details=(
                *(_topic_line(change) for change in lost),
                *((f"{counted(anew, 'is', 'are')} made anew, empty",) if anew else ()),
            ),
            resources=_urns(lost),
            gates=("data-loss",),
            brief=f"{counted(len(lost), 'topic is', 'topics are')} deleted with all records",
        )
    left = [change for change in topics if change.is_lost and _retained(change.resource)]
    if left:
        yield Finding(
            "topic-left",
            "data",
            Level.NOTICE,
            f"{counted(len(left), 'topic stays', 'topics stay')} in the cluster and no longer "
            f"managed: {listed(change.topic.name for change in left)}",
            resources=_urns(left),
        )


def _topic_line(change: TopicChange) -> str:
    topic = change.old or change.topic
    return f"{code(topic.name)}: {topic.kind}, {value_text(topic.partitions)} partitions"


def _retained(resource: Resource) -> bool:
    return resource.old is not None and resource.old.retained


def _lost_holders(plan: Plan) -> Iterator[Finding]:
    for token, (singular, plural) in _HOLDERS.items():
        gone = sorted(
            (found for found in plan.of_type(token) if found.goes and not _retained(found)),
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


# --- retention -----------------------------------------------------------------------------------


def _shorter_retention(plan: Plan, topics: list[TopicChange]) -> Iterator[Finding]:
    shrunk = [
        (change, line)
        for change in topics
        if change.old is not None and change.new is not None and not change.is_lost
        for line in _retention_lines(change)
    ]
    if shrunk:
        names = sorted({change.topic.name for change, _ in shrunk})
        words = counted(len(names), "topic keeps", "topics keep")
        yield Finding(
            "retention-shrinks",
            "data",
            Level.DANGER,
            f"{words} less: {listed(names)}",
            details=tuple(line for _, line in shrunk),
            resources=_urns(change for change, _ in shrunk),
            gates=("data-loss",),
            brief=f"{words} less, and older records are deleted",
        )
    yield from _cluster_retention(plan)


def _retention_lines(change: TopicChange) -> Iterator[str]:
    assert change.old is not None and change.new is not None  # noqa: S101, PT018  asked before
    name = code(change.topic.name)
    for setting, text, default in (
        ("retention.ms", duration_text, _KAFKA_RETENTION_MS),
        ("retention.bytes", bytes_text, -1),
    ):
        line = _shrinks(change.old.setting(setting), change.new.setting(setting), text, default)
        if line:
            yield f"{name}: {code(setting)} {line}"
    old, new = (_policies(topic.setting("cleanup.policy")) for topic in (change.old, change.new))
    if "delete" in new and "delete" not in old:
        yield f"{name}: {code('cleanup.policy')} gets delete: records past the retention go"
    if "compact" in new and "compact" not in old:
        yield f"{name}: {code('cleanup.policy')} gets compact: only the last record of a key stays"


def _policies(setting: Any) -> set[str]:
    return {"delete"} if not isinstance(setting, str) else set(setting.replace(" ", "").split(","))


def _shrinks(old: Any, new: Any, text: Callable[[int], str], default: int) -> str:
    """How a limit shrinks; empty where it does not. `default` is Kafka's own, said to be so."""
    if old == new and not isinstance(new, Hidden):
        return ""
    if isinstance(old, Hidden) or isinstance(new, Hidden):
        return f"changes from {value_text(old)} to {value_text(new)}: it may shrink"
    before, after = (default if limit is None else number(limit) for limit in (old, new))
    if before is None or after is None:
        return f"changes from {value_text(old)} to {value_text(new)}: it may shrink"
    if after < 0 or 0 <= before <= after:
        return ""
    told = tuple(
        text(limit) + (" (Kafka's default)" if given is None else "")
        for limit, given in ((before, old), (after, new))
    )
    kept = f"records older than {text(after)}" if text is duration_text else "the oldest records"
    most = f" (up to {text(before - after)} of them)" if before > 0 else ""
    if text is not duration_text:
        most = f" (up to {text(before - after)} a partition)" if before > 0 else ""
    return f"shrinks from {told[0]} to {told[1]}: {kept} become eligible for deletion{most}"


def _cluster_retention(plan: Plan) -> Iterator[Finding]:
    """The brokers' default, for topics that have no retention of their own."""
    lines: dict[str, list[Resource]] = {}
    for gate in plan.of_type("inkless:index:NodeReady"):
        if gate.old is None or gate.new is None:
            continue
        old, new = (
            found if isinstance(found := state.inputs.get("configuration"), Mapping) else {}
            for state in (gate.old, gate.new)
        )
        if not new:
            continue
        line = _shrinks(_retention_ms(old), _retention_ms(new), duration_text, _KAFKA_RETENTION_MS)
        if line:
            lines.setdefault(f"the brokers' retention {line}", []).append(gate)
        size = "log.retention.bytes"
        line = _shrinks(old.get(size), new.get(size), bytes_text, -1)
        if line:
            lines.setdefault(f"{code(size)} {line}", []).append(gate)
    for line in lines:
        yield Finding(
            "default-retention-shrinks",
            "data",
            Level.DANGER,
            "Topics without a retention of their own keep less",
            details=(line,),
            gates=("data-loss",),
            brief="topics without a retention of their own keep less",
        )


def _retention_ms(configuration: Mapping[str, Any]) -> Any:
    """The finest of Kafka's three settings goes before the others."""
    for name, factor in (("ms", 1), ("minutes", 60_000), ("hours", 3_600_000)):
        given = configuration.get(f"log.retention.{name}")
        if given is not None:
            amount = number(given)
            return given if amount is None else amount if amount < 0 else amount * factor
    return None


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


# --- what else becomes of topics -----------------------------------------------------------------


def _turned_diskless(topics: list[TopicChange]) -> Iterator[Finding]:
    turned = [
        change
        for change in topics
        if change.old is not None and change.new is not None and not change.replaced
        if change.old.kind == "classic" and change.new.kind == "diskless"
    ]
    if turned:
        words = counted(len(turned), "topic turns", "topics turn")
        yield Finding(
            "topic-turns-diskless",
            "data",
            Level.WARNING,
            f"{words} diskless, which can't be undone: "
            f"{listed(change.topic.name for change in turned)}",
            details=("A diskless topic has no compaction and no transactions",),
            resources=_urns(turned),
            brief=f"{words} diskless, one way",
        )


def _other_topics(topics: list[TopicChange]) -> Iterator[Finding]:
    made = [change for change in topics if change.old is None]
    for kind in ("diskless", "classic"):
        new = [change for change in made if change.topic.kind == kind]
        if new:
            yield Finding(
                "topic-created",
                "other",
                Level.INFO,
                f"{counted(len(new), f'{kind} topic is', f'{kind} topics are')} created: "
                f"{listed(change.topic.name for change in new)}",
                details=tuple(
                    f"{code(change.topic.name)}: {value_text(change.topic.partitions)} partitions"
                    for change in new
                ),
                resources=_urns(new),
            )
    changed = [
        (change, lines)
        for change in topics
        if change.old is not None and change.new is not None and not change.is_lost
        if (lines := list(_differences(change)))
    ]
    if changed:
        yield Finding(
            "topic-changed",
            "other",
            Level.INFO,
            f"{counted(len(changed), 'topic is', 'topics are')} changed in place, with no restart: "
            f"{listed(change.topic.name for change, _ in changed)}",
            details=tuple(
                f"{code(change.topic.name)}: {'; '.join(lines)}" for change, lines in changed
            ),
            resources=_urns(change for change, _ in changed),
        )
    more = [
        change.topic.name
        for change, _ in changed
        if change.old and change.new and change.old.partitions != change.new.partitions
    ]
    if more:
        yield Finding(
            "partitions-added",
            "data",
            Level.NOTICE,
            f"{counted(len(more), 'topic gets', 'topics get')} more partitions: {listed(more)}",
            details=(
                "Records with a key go to other partitions from then on, so the order of a key's "
                "records is not kept across the change; partitions can't be taken away again",
            ),
        )


def _differences(change: TopicChange) -> Iterator[str]:
    old, new = change.old, change.new
    assert old is not None and new is not None  # noqa: S101, PT018  asked before
    for words, before, after in (
        ("partitions", old.partitions, new.partitions),
        ("replicas", old.replication_factor, new.replication_factor),
        ("deletion protection", old.protected, new.protected),
    ):
        if before != after:
            yield f"{words} from {value_text(before)} to {value_text(after)}"
    if isinstance(old.settings, Mapping) and isinstance(new.settings, Mapping):
        for name in sorted({*old.settings, *new.settings}):
            before, after = old.settings.get(name), new.settings.get(name)
            if before != after:
                yield f"{code(name)} from {value_text(before)} to {value_text(after)}"
    elif old.settings != new.settings:
        yield f"settings that are {Hidden.UNKNOWN.value}"


def _urns(changes: Iterable[TopicChange]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(change.resource.urn for change in changes))
