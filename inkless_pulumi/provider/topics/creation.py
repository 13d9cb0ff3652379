"""Making topics, and making sure that those which exist already are ours.

A topic carries no mark of who made it, so when one of a declared name exists already, it is taken
for the leftover of an interrupted run only if it is exactly as declared and no record was ever
written to it; anything else must be imported.

When the brokers lose Postgres while they create a diskless topic, they leave half of one: Kafka
knows it, and no partition of it is served. It is deleted and made anew if state has its id, which
says that it is ours, and nothing was ever written to it.
"""

from collections.abc import Iterator, Sequence

from inkless_pulumi.provider.kafka.model import Refusal, TopicEnd, TopicState
from inkless_pulumi.provider.topics.account import Operation, unsupported
from inkless_pulumi.provider.topics.declared import Topic, TopicChange, kind_of
from inkless_pulumi.provider.topics.settling import await_gone, await_shown, visible

__all__ = ["create", "mend"]

_EXISTS = "TOPIC_ALREADY_EXISTS"
_SERVER_ERROR = "UNKNOWN"  # what kafka-python calls UNKNOWN_SERVER_ERROR
_CREATED_AT_ONCE = 2000
"""Topics, partitions and settings in one request. The controller writes each as a record, of one
request all or none, refuses more than 10,000, and does nothing else meanwhile."""


def create(operation: Operation, topics: Sequence[Topic]) -> None:
    """Make topics and wait until they can be written."""
    for topic in topics:
        operation.account.intend(topic.name, "existence")
    made, existing = _request(operation, topics)
    if existing:
        made += _take_up(operation, existing)
    _await_made(operation, made)


def mend(operation: Operation, topics: Sequence[Topic]) -> None:
    """Make those topics anew of which the cluster has half; leave the others."""
    broken = [topic for topic in topics if topic.kind == "diskless"]
    if not broken:
        return
    ends = operation.cluster.partitions.ends([topic.name for topic in broken])
    broken = [topic for topic in broken if _is_half(ends.get(topic.name))]
    found = operation.cluster.topics.describe([topic.name for topic in broken], keys=())
    ours = [topic for topic in broken if operation.is_ours(found.get(topic.name))]
    for topic in ours:
        operation.account.intend(topic.name, "existence")
    _await_made(operation, _anew(operation, ours))


def _await_made(operation: Operation, topics: Sequence[Topic]) -> None:
    await_shown(operation, "made", [TopicChange(topic, topic) for topic in topics], keys=())


def _request(operation: Operation, topics: Sequence[Topic]) -> tuple[list[Topic], list[Topic]]:
    """Ask for topics; answers those that were made, and those that exist already."""
    account = operation.account
    made: list[Topic] = []
    existing: list[Topic] = []
    unclear: list[Topic] = []
    for batch in _batches(topics):
        answers = operation.cluster.topics.create([topic.request for topic in batch])
        for topic in batch:
            answer = answers[topic.name]
            if not isinstance(answer, Refusal):
                account.made(topic.name, answer)
                made.append(topic)
            elif answer.error == _EXISTS:
                existing.append(topic)
            else:
                account.failed[topic.name] = _refused(operation, topic, answer)
                unclear += [topic] if answer.error == _SERVER_ERROR else []
        operation.tell("created", len(made), len(topics))
    _look_for_halves(operation, [topic.name for topic in unclear if topic.kind == "diskless"])
    return made, existing


def _batches(topics: Sequence[Topic]) -> Iterator[list[Topic]]:
    """Topics in requests of a size that the controller takes well."""
    batch: list[Topic] = []
    size = 0
    for topic in topics:
        records = 1 + topic.partitions + len(topic.settings)
        if batch and size + records > _CREATED_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(topic)
        size += records
    if batch:
        yield batch


def _refused(operation: Operation, topic: Topic, refusal: Refusal) -> str:
    reason = f"Topic {topic.name} could not be created. Kafka: {refusal}"
    return unsupported(operation, topic.name, refusal) or reason


# Topics that exist already


def _take_up(operation: Operation, existing: Sequence[Topic]) -> list[Topic]:
    """Take over what an interrupted run can have left; refuse any other."""
    found = visible(operation, [topic.name for topic in existing])
    alike: list[Topic] = []
    for topic in existing:
        reason = _foreign(operation, topic, found.get(topic.name))
        if reason is None:
            alike.append(topic)
        else:
            operation.account.failed[topic.name] = reason
    ends = operation.cluster.partitions.ends([topic.name for topic in alike]) if alike else {}
    taken: list[Topic] = []
    halves: list[Topic] = []
    for topic in alike:
        state, end = found[topic.name], ends.get(topic.name)
        ours = operation.is_ours(state)
        if _is_half(end) and ours:
            halves.append(topic)
        elif _is_half(end):
            operation.account.failed[topic.name] = _somebodys_half(topic)
        elif end is not None and end.written and not ours:
            reason = _not_ours(operation, topic, state, "it has had records")
            operation.account.failed[topic.name] = reason
        else:
            operation.account.made(topic.name, state.topic_id)
            operation.context.progress(
                f"{topic.name} was made by an interrupted run; going on with it"
            )
            taken.append(topic)
    return taken + _anew(operation, halves)


def _foreign(operation: Operation, topic: Topic, found: TopicState | None) -> str | None:
    """Why a topic that exists can't be the leftover of an interrupted run."""
    if found is None:
        return (
            f"Kafka says that topic {topic.name} exists, and no broker shows it: it is being made "
            "or deleted by someone else. Run the update again."
        )
    if kind_of(found) != topic.kind:
        return operation.wrong_kind(topic, found)
    reason = topic.difference(found)
    return None if reason is None else _not_ours(operation, topic, found, reason)


def _not_ours(operation: Operation, topic: Topic, found: TopicState, reason: str) -> str:
    return (
        f"Topic {topic.name} exists already, and was not made by this resource: {reason}. To "
        f"manage it here, import it: {operation.how_to_import(topic, found)}. Otherwise choose "
        "another name."
    )


# Halves


def _is_half(end: TopicEnd | None) -> bool:
    """Whether Kafka knows a topic, does not serve it, and never had a record of it."""
    return end is not None and not end.served and not end.written


def _somebodys_half(topic: Topic) -> str:
    return (
        f"Topic {topic.name} exists, but its partitions are not served. A diskless topic is left "
        "so when the brokers lose Postgres while they create it: if it is not in use, delete it "
        "and run the update again."
    )


def _look_for_halves(operation: Operation, names: Sequence[str]) -> None:
    """Note the ids of topics that exist although their creation failed."""
    found = operation.cluster.topics.describe(names, ()) if names else {}
    for name, state in found.items():
        operation.account.ids[name] = state.topic_id
        operation.account.failed[name] += (
            f". Kafka has half of it now (id {state.topic_id}), which can't be used: the brokers "
            "lost Postgres meanwhile. See that it is reached, then run the update again: it "
            "deletes this half, if it is still empty, and makes the topic anew."
        )


def _anew(operation: Operation, topics: Sequence[Topic]) -> list[Topic]:
    """Delete topics of which there is half, and make them; answers those that were made."""
    if not topics:
        return []
    names = [topic.name for topic in topics]
    operation.context.warn(
        f"{', '.join(names)}: half made by an earlier run, and empty; deleted and made anew."
    )
    answers = operation.cluster.topics.delete(names)
    for name, answer in answers.items():
        if answer is not None:
            reason = f"The half of {name} could not be deleted. Kafka: {answer}"
            operation.account.failed[name] = reason
    gone = [topic for topic in topics if answers[topic.name] is None]
    await_gone(operation, [topic.name for topic in gone])
    made, existing = _request(operation, gone)
    for topic in existing:
        reason = f"Topic {topic.name} was made by someone else meanwhile."
        operation.account.failed[topic.name] = reason
    return made
