"""The rules of topics: names, partitions, replicas and settings, for classic and diskless ones.

Every argument may be None, which means that it is not known yet (a value from another resource at
preview) or left to its default; rules look at what is there. Sources: `Topic.validate` and
`LogConfig` of Kafka 4.2.1, and what diskless topics were seen to accept and ignore on 4.2.1-0.47.
What may become of a topic that exists is in `topic_changes`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from inkless_pulumi.core.catalogue import (
    Setting,
    setting_path,
    setting_text,
    topic_settings,
    value_problem,
)
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.layout import MIN_INSYNC_REPLICAS
from inkless_pulumi.core.model_errors import suggestion
from inkless_pulumi.core.quantities import example_of, in_base_unit, units_of
from inkless_pulumi.core.service_model import SettingValue

TopicKind = Literal["classic", "diskless"]

DISKLESS: Final = "diskless.enable"
REMOTE_STORAGE: Final = "remote.storage.enable"
SERVER_OWNED: Final = frozenset({DISKLESS, REMOTE_STORAGE})
"""Settings that the controller writes by itself in some modes: not a difference to what a user
declared, unless the user declared them."""
LONGEST_NAME: Final = 249

_NAME = re.compile(r"[A-Za-z0-9._-]+")
THROTTLED_LEADERS: Final = "leader.replication.throttled.replicas"
"""Which replicas are slowed down in handing records to others that are not in sync (KIP-73)."""
THROTTLED_FOLLOWERS: Final = "follower.replication.throttled.replicas"
"""Which replicas are slowed down in fetching records while they are not in sync (KIP-73)."""

_THROTTLED = re.compile(r"\*|[0-9]+:[0-9]+(?:,[0-9]+:[0-9]+)*|")


@dataclass(frozen=True)
class TopicDeclaration:
    """A topic as declared; None is a value that is not known yet or left to its default."""

    kind: TopicKind | None
    name: str | None = None
    partitions: int | None = None
    replication_factor: int | None = None
    """Replicas of each partition. Default: the cluster's, one a zone."""
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    """Settings of the topic by Kafka's names, those that are known."""


def as_understood(kind: object, arguments: Mapping[str, object]) -> TopicDeclaration:
    """A topic from its arguments by name. What is not of its argument's type is not known, such as
    a value of another resource at preview.
    """
    name, settings = arguments.get("name"), arguments.get("settings")
    return TopicDeclaration(
        kind=_KINDS.get(kind),
        name=name if isinstance(name, str) else None,
        partitions=_count(arguments.get("partitions")),
        replication_factor=_count(arguments.get("replication_factor")),
        settings={
            str(key): value
            for key, value in (settings.items() if isinstance(settings, Mapping) else ())
            if isinstance(value, (str, bool, int, float))
        },
    )


_KINDS: Final[Mapping[object, TopicKind]] = {"classic": "classic", "diskless": "diskless"}


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) else None


def kafka_text(setting: str, value: SettingValue) -> str:
    """A topic setting's value as Kafka takes it: `7d` becomes `604800000`, True becomes `true`."""
    return in_base_unit(setting_text(value), units_of(setting))


def kafka_texts(settings: Mapping[str, SettingValue]) -> dict[str, str]:
    """Topic settings as Kafka takes them."""
    return {name: kafka_text(name, value) for name, value in settings.items()}


def declaration_problems(topic: TopicDeclaration) -> list[Problem]:
    """Every rule that a topic breaks, as far as it is declared."""
    problems = _problems(replace(topic, settings=kafka_texts(topic.settings)))
    written = {setting_path(name): value for name, value in topic.settings.items()}
    return [
        replace(problem, value=written.get(problem.path, problem.value)) for problem in problems
    ]


def _problems(topic: TopicDeclaration) -> list[Problem]:
    problems = [] if topic.name is None else name_problems(topic.name)
    if topic.partitions is not None and topic.partitions < 1:
        rule = "a topic has one partition at least"
        problems.append(Problem("partitions", topic.partitions, rule, "use 1 or more"))
    if topic.replication_factor is not None and topic.replication_factor < 1:
        rule = "a partition has one replica at least"
        remedy = "use 1 or more, or leave it out for one replica a zone"
        problems.append(Problem("replication_factor", topic.replication_factor, rule, remedy))
    problems += [
        problem
        for name, value in topic.settings.items()
        for problem in _setting_problems(topic.kind, name, value)
    ]
    return problems or [*_replica_problems(topic), *_retention_problems(topic)]


def name_problems(name: str, path: str = "name") -> list[Problem]:
    """Why Kafka would refuse a topic of this name, or we would."""
    if name in (".", "..") or not _NAME.fullmatch(name):
        rule = "a topic's name has letters, digits, dots, underscores and hyphens only"
        return [Problem(path, name, rule, 'choose a name like "orders.created"')]
    if len(name) > LONGEST_NAME:
        rule = f"a topic's name has {LONGEST_NAME} characters at most, and this has {len(name)}"
        return [Problem(path, name, rule, "shorten it")]
    if name.startswith("__"):
        rule = "names that begin with two underscores are kept for Kafka's own topics"
        return [Problem(path, name, rule, f'use "{name.lstrip("_") or "topic"}"')]
    return []


def broker_problems(factor: int | None, brokers: int | None) -> list[Problem]:
    """Each replica of a partition is on a broker of its own; None is not known, or by default."""
    if factor is None or brokers is None or factor <= brokers:
        return []
    rule = f"the service has {brokers} brokers, and each replica needs one of its own"
    remedy = f"use {brokers} at most, or leave it out for one replica a zone"
    return [Problem("replication_factor", factor, rule, remedy)]


def service_problems(
    kind: TopicKind | None, diskless: bool | None, path: str, value: object
) -> list[Problem]:
    """A classic service has no diskless topics.

    Args:
        kind: of the topic.
        diskless: whether the service has such topics; None: that is not known.
        path: where the topic is declared.
        value: what is written there.
    """
    if kind != "diskless" or diskless is not False:
        return []
    rule = "is a diskless topic, and the service is a classic one, which has none"
    return [Problem(path, value, rule, "declare a classic topic, or use an Inkless service")]


def collides(name: str, other: str) -> bool:
    """Whether two different topics would have the same name in metrics, where `.` becomes `_`."""
    return name != other and name.replace(".", "_") == other.replace(".", "_")


def collision_problems(name: str, others: Iterable[str], path: str = "name") -> list[Problem]:
    """Kafka refuses a topic whose name differs from another's in dots and underscores only."""
    return [
        Problem(
            path,
            name,
            f'differs from the topic "{other}" in dots and underscores only',
            "choose another name; with dots alone or underscores alone it can't happen",
        )
        for other in others
        if collides(name, other)
    ]


def server_settings(topic: TopicDeclaration) -> dict[str, str]:
    """The settings to create a topic with, as text; diskless ones get the switch that makes them
    so, and classic ones never its false value, which Inkless takes for a request.
    """
    texts = kafka_texts(dict(sorted(topic.settings.items())))
    return {DISKLESS: "true", **texts} if topic.kind == "diskless" else texts


def topic_warnings(topic: TopicDeclaration) -> list[str]:
    """What is allowed and to be known: settings without effect, and topics without a spare replica.

    A diskless topic takes many settings without a word.
    """
    if topic.kind == "classic":
        return _shortage(topic)
    if topic.kind is None:
        return []
    idle = [name for name in topic.settings if _idle_on_diskless(name)]
    named = f" {topic.name}" if topic.name else ""
    return [f"{', '.join(idle)}: no effect on the diskless topic{named}."] if idle else []


def _shortage(topic: TopicDeclaration) -> list[str]:
    """What a classic topic without a replica to spare means for changes of the service.

    Without a setting of its own it has the service's `min.insync.replicas`.
    """
    replicas = topic.replication_factor
    minimum = setting_text(topic.settings.get("min.insync.replicas", MIN_INSYNC_REPLICAS))
    if replicas is None or not minimum.isdigit() or replicas > max(1, int(minimum)):
        return []
    what = "unavailable" if replicas == 1 else "not writable"
    named = f" {topic.name}" if topic.name else ""
    return [
        f"replicas: {replicas}, and none to spare: a change of a node that holds one is refused, "
        f"or with on_shortage accepted, and makes {what} the classic topic{named}."
    ]


def _idle_on_diskless(name: str) -> bool:
    setting = topic_settings().get(name)
    return setting is not None and setting.diskless not in ("yes", "delete only")


def _setting_problems(kind: TopicKind | None, name: str, value: SettingValue) -> list[Problem]:
    path = setting_path(name)
    if name == DISKLESS:
        rule = "whether a topic is diskless is said by its resource"
        return [Problem(path, value, rule, "declare a diskless or a classic topic instead")]
    setting = topic_settings().get(name)
    if setting is None:
        rule = "is not a setting of topics"
        return [Problem(path, value, rule, suggestion(name, topic_settings(), "setting"))]
    if setting.internal:
        return [Problem(path, value, "is internal to Kafka and meant for tests", "leave it out")]
    found = value_problem(setting, value) or _form_problem(setting, value)
    if found is not None:
        units = units_of(name)
        remedy = f"use {example_of(units)}" if units and "whole" in found.rule else found.remedy
        return [replace(found, remedy=remedy)]
    if kind is None:
        return []
    special = _diskless_problem if kind == "diskless" else _classic_problem
    problem = special(setting, value)
    return [] if problem is None else [problem]


def _form_problem(setting: Setting, value: SettingValue) -> Problem | None:
    """Forms that the catalogue has no words for."""
    if setting.name in (THROTTLED_LEADERS, THROTTLED_FOLLOWERS) and not _THROTTLED.fullmatch(
        setting_text(value)
    ):
        rule = "must be * or pairs of partition and broker"
        return Problem(setting_path(setting.name), value, rule, 'write it like "0:1,0:2"')
    if setting.name == "retention.bytes" and int(setting_text(value)) < -1:
        rule = "must be -1, for no limit, or more"
        return Problem(setting_path(setting.name), value, rule, "use -1 or more")
    return None


def _diskless_problem(setting: Setting, value: SettingValue) -> Problem | None:
    """What a diskless topic takes, and must not: the rest has no effect, see `topic_warnings`."""
    path, text = setting_path(setting.name), setting_text(value)
    if setting.name == "cleanup.policy":
        if "compact" not in text and text:
            return None
        rule = "a diskless topic is never compacted: old records would stay for ever"
        return Problem(path, value, rule, 'use "delete", or declare a classic topic')
    if setting.name == REMOTE_STORAGE:
        rule = "a diskless topic is in object storage already, and refuses tiered storage beside it"
        return Problem(path, value, rule, "leave it out, or declare a classic topic")
    return None


def _classic_problem(setting: Setting, value: SettingValue) -> Problem | None:
    path, text = setting_path(setting.name), setting_text(value)
    if setting.name == REMOTE_STORAGE and text.lower() == "false":
        rule = "is off by default, and Inkless takes an explicit false for a request"
        return Problem(path, value, rule, "leave it out")
    if setting.name == "unclean.leader.election.enable" and text.lower() == "true":
        rule = "would lose acknowledged records when a replica that is behind takes over"
        return Problem(path, value, rule, "leave it out")
    return None


def _replica_problems(topic: TopicDeclaration) -> list[Problem]:
    """With as many replicas in sync as there are, writing stops whenever one node restarts."""
    if topic.kind != "classic":
        return []
    replicas, name = topic.replication_factor or _own_minimum_limit(topic), "min.insync.replicas"
    if replicas is None:
        return []
    given = topic.settings.get(name)
    minimum = MIN_INSYNC_REPLICAS if given is None else int(setting_text(given))
    # A partition with a single replica is in sync with itself, whatever the cluster's default.
    if minimum < replicas or (replicas == 1 and (given is None or minimum == 1)):
        return []
    if given is not None:
        rule = f"must be less than the {replicas} replicas, or a node's restart stops all writing"
        remedy = f"use {max(replicas - 1, 1)}, or raise replication_factor"
        return [Problem(setting_path(name), given, rule, remedy)]
    rule = f"is not more than the cluster's {name} = {minimum}, so a node's restart stops writing"
    remedy = f'leave it out for 3, or set settings["{name}"] to {replicas - 1}'
    return [Problem("replication_factor", replicas, rule, remedy)]


def _own_minimum_limit(topic: TopicDeclaration) -> int | None:
    """The default replication factor matters only to a minimum of the topic's own."""
    return 3 if "min.insync.replicas" in topic.settings else None


def _retention_problems(topic: TopicDeclaration) -> list[Problem]:
    """`LogConfig`: compaction lags in order; with tiered storage, local within whole retention."""
    problems = _order_problem(topic, "min.compaction.lag.ms", "max.compaction.lag.ms")
    if setting_text(topic.settings.get(REMOTE_STORAGE, "")).lower() != "true":
        return problems
    if "compact" in setting_text(topic.settings.get("cleanup.policy", "")):
        rule = "tiered storage takes topics with the delete policy only"
        remedy = f'use "delete", or leave {REMOTE_STORAGE} out'
        value = topic.settings["cleanup.policy"]
        problems.append(Problem(setting_path("cleanup.policy"), value, rule, remedy))
    for unit in ("ms", "bytes"):
        problems += _local_retention_problem(topic, f"local.retention.{unit}", f"retention.{unit}")
    return problems


def _local_retention_problem(topic: TopicDeclaration, local: str, whole: str) -> list[Problem]:
    if local not in topic.settings:
        return []
    kept, limit = _number(topic, local), _number(topic, whole)
    if kept == -2 or limit == -1 or (kept != -1 and kept <= limit):
        return []
    rule = f"can't be more than {whole} = {limit}"
    remedy = f"lower it, raise {whole}, or use -2 for the same"
    return [Problem(setting_path(local), topic.settings[local], rule, remedy)]


def _order_problem(topic: TopicDeclaration, low: str, high: str) -> list[Problem]:
    if _number(topic, low) <= _number(topic, high):
        return []
    name, other = (low, high) if low in topic.settings else (high, low)
    relation = "at most" if name == low else "at least"
    rule = f"must be {relation} {other} = {_number(topic, other)}"
    return [Problem(setting_path(name), topic.settings[name], rule, "correct one of them")]


def _number(topic: TopicDeclaration, name: str) -> int:
    value = topic.settings.get(name)
    return int(topic_settings()[name].default if value is None else setting_text(value))
