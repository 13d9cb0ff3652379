"""The rules of many topics declared together, and what may become of them.

A topic's problems are told below its name: `topics["orders"].settings["retention.ms"]`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.topic_changes import (
    change_problems,
    first_names,
    removal_problems,
    switch_warning,
)
from inkless_pulumi.core.topics import (
    TopicDeclaration,
    broker_problems,
    collision_problems,
    declaration_problems,
    service_problems,
    topic_warnings,
)

__all__ = [
    "set_change_problems",
    "set_problems",
    "set_switch_warning",
    "set_warnings",
    "topic_path",
]

Topics = Mapping[str, TopicDeclaration]
"""Topics by name."""


def topic_path(name: str) -> str:
    """Where a topic of a set is declared."""
    return f'topics["{name}"]'


def set_problems(
    topics: Topics, brokers: int | None = None, diskless: bool | None = None
) -> Iterator[Problem]:
    """Every rule that the topics of a set break.

    Args:
        topics: of the set.
        brokers: how many the service has; None: that is not known.
        diskless: whether the service has diskless topics; None: that is not known.
    """
    for name, topic in topics.items():
        problems = declaration_problems(replace(topic, name=name)) or [
            *service_problems(topic.kind, diskless, "kind", topic.kind),
            *broker_problems(topic.replication_factor, brokers),
        ]
        for problem in problems:
            if problem.path == "name":
                yield replace(problem, path=topic_path(name), value=None)
            else:
                yield problem.below(topic_path(name))
    yield from _collisions(topics)


def _collisions(topics: Topics) -> Iterator[Problem]:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in topics:
        alike[name.replace(".", "_")].append(name)
    for first, *others in alike.values():
        for name in others:
            for problem in collision_problems(name, [first], topic_path(name)):
                yield replace(problem, value=None)


def set_warnings(topics: Topics) -> Iterator[str]:
    """What is allowed and has no effect, one line a combination of settings."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, topic in topics.items():
        for line in topic_warnings(replace(topic, name=None)):
            names[line].append(name)
    for line, named in names.items():
        several = "s" if len(named) > 1 else ""
        yield f"{line.removesuffix('.')}{several} {first_names(named)}."


def set_switch_warning(old: Topics, new: Topics) -> str | None:
    """What is to be known of a change that switches topics to diskless; None: it switches none."""
    return switch_warning(
        name
        for name, topic in new.items()
        if name in old and (old[name].kind, topic.kind) == ("classic", "diskless")
    )


def set_change_problems(
    old: Topics, new: Topics, protected: frozenset[str], *, may_switch: bool = False
) -> Iterator[Problem]:
    """Changes of a set that would lose records.

    Args:
        old: the topics that there are.
        new: those that are declared now.
        protected: names of those that must not be deleted.
        may_switch: whether the service declares that classic topics may become diskless.
    """
    for name in old.keys() & new.keys():
        for problem in change_problems(old[name], new[name], may_switch=may_switch):
            yield problem.below(topic_path(name))
    removed = {name: old[name] for name in old if name not in new and name in protected}
    added = {name: new[name] for name in new if name not in old}
    yield from removal_problems(removed, added)
