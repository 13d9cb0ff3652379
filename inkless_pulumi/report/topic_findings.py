"""What becomes of topics: deleted, created, changed, turned diskless."""

from collections.abc import Iterator, Mapping
from typing import Any

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed, value_text
from inkless_pulumi.report.plan import Hidden
from inkless_pulumi.report.quantities import number
from inkless_pulumi.report.topics import Topic, TopicChange, urns

__all__ = ["topic_findings"]


def topic_findings(topics: list[TopicChange]) -> Iterator[Finding]:
    """What is told of topics, but for what their retention means."""
    yield from _lost_topics(topics)
    yield from _turned_diskless(topics)
    yield from _other_topics(topics)


def _lost_topics(topics: list[TopicChange]) -> Iterator[Finding]:
    lost = [change for change in topics if change.is_lost and not change.resource.retained]
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
            resources=urns(lost),
            gates=("data-loss",),
            brief=f"{counted(len(lost), 'topic is', 'topics are')} deleted with all records",
        )
    left = [change for change in topics if change.is_lost and change.resource.retained]
    if left:
        yield Finding(
            "topic-left",
            "data",
            Level.NOTICE,
            f"{counted(len(left), 'topic stays', 'topics stay')} in the cluster and no longer "
            f"managed: {listed(change.topic.name for change in left)}",
            resources=urns(left),
        )


def _topic_line(change: TopicChange) -> str:
    topic = change.old or change.topic
    return f"{code(topic.name)}: {topic.kind}, {_partitions(topic)}"


def _partitions(topic: Topic) -> str:
    word = "partition" if topic.partitions == 1 else "partitions"
    return f"{value_text(topic.partitions)} {word}"


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
            resources=urns(turned),
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
                    f"{code(change.topic.name)}: {_partitions(change.topic)}" for change in new
                ),
                resources=urns(new),
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
            resources=urns(change for change, _ in changed),
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
            if before != after and not _alike(name, before, after):
                yield f"{code(name)} from {value_text(before)} to {value_text(after)}"
    elif old.settings != new.settings:
        yield f"settings that are {Hidden.UNKNOWN.value}"


def _alike(setting: str, old: Any, new: Any) -> bool:
    """Whether two values are one, written in two ways: `7d` and `604800000`."""
    before, after = number(old, setting), number(new, setting)
    return before is not None and before == after
