"""What may become of a topic that exists: changes that would lose its records are refused.

Kafka can't take partitions away, rename a topic, or turn a diskless topic into a classic one. None
of these is ever carried out by replacing the topic. A classic topic becomes diskless, one way,
where the service declares that this may be. A deletion is carried out only where an earlier update
switched the topic's deletion protection off.
"""

from collections.abc import Iterable, Mapping, Sequence

from inkless_pulumi.core.catalogue import setting_path
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.topics import TopicDeclaration, kafka_texts

__all__ = [
    "change_problems",
    "deletion_rule",
    "first_names",
    "removal_problems",
    "rename_problem",
    "same_declaration",
    "switch_warning",
]

_UNCLEAN = "unclean.leader.election.enable"
_SHOWN = 10

_UNPROTECT = "set deletion_protection to False, run `pulumi up`, and take it out after that"


def change_problems(
    old: TopicDeclaration, new: TopicDeclaration, *, may_switch: bool = False
) -> list[Problem]:
    """Why a topic that is as `old` says can't become as `new` says.

    Args:
        old: what there is.
        new: what is declared now.
        may_switch: whether the service declares that classic topics may become diskless.
    """
    problems = _kind_problems(old, new, may_switch)
    fewer = old.partitions and new.partitions and new.partitions < old.partitions
    if fewer:
        rule = f"the topic has {old.partitions} partitions, and Kafka can't take partitions away"
        remedy = f"set it back to {old.partitions}, or declare a new topic and copy the records"
        problems.append(Problem("partitions", new.partitions, rule, remedy))
    return problems


def _kind_problems(old: TopicDeclaration, new: TopicDeclaration, may_switch: bool) -> list[Problem]:
    if old.kind == new.kind or old.kind is None or new.kind is None:
        return []
    if old.kind == "diskless":
        rule = "the topic is diskless, and has no way back to classic"
        remedy = "leave it diskless, or declare a new topic beside it and copy the records"
        return [Problem("kind", new.kind, rule, remedy)]
    if not may_switch:
        rule = "the topic is classic, and its service does not declare that such may be switched"
        remedy = (
            "leave it classic, or declare a new topic beside it and copy the records; or set "
            "switch_to_diskless=True on the service"
        )
        return [Problem("kind", new.kind, rule, remedy)]
    if kafka_texts(new.settings).get(_UNCLEAN) == "true":
        rule = "a topic can't be switched to diskless while it may lose acknowledged records"
        return [Problem(setting_path(_UNCLEAN), "true", rule, "leave it out")]
    return []


def switch_warning(names: Iterable[str]) -> str | None:
    """What is to be known before classic topics become diskless; None: there are none."""
    listed = list(names)
    if not listed:
        return None
    return (
        f"{first_names(listed)}: to be switched from classic to diskless, which can't be undone. "
        "Producers wait while a partition is switched; transactions and compaction end with it."
    )


def first_names(names: Sequence[str]) -> str:
    """The first of some topics, and whether there are more."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def rename_problem(old: str, new: str) -> Problem:
    """Why a topic can't get another name."""
    return Problem(
        "name",
        new,
        f'was "{old}", and Kafka can\'t rename a topic',
        f'keep "{old}", or declare a new topic beside it and move the clients first',
    )


def removal_problems(
    protected: Mapping[str, TopicDeclaration], added: Mapping[str, TopicDeclaration]
) -> list[Problem]:
    """Why topics can't be taken out of a set.

    Args:
        protected: those that are to go and are protected, by name.
        added: those that are new in the set; one that is declared alike may be meant as a rename.
    """
    problems = []
    for name, topic in protected.items():
        alike = [other for other, new in added.items() if same_declaration(topic, new)]
        rule = "was taken out, and is protected against deletion"
        remedy = f"put it back; or {_UNPROTECT}"
        if len(alike) == 1:
            rule = f'was taken out while "{alike[0]}" came, and Kafka can\'t rename a topic'
            remedy = (
                f'put it back, beside "{alike[0]}" if you like, and move the clients first; '
                f"or, to lose its records, {_UNPROTECT}"
            )
        problems.append(Problem(f'topics["{name}"]', None, rule, remedy))
    return problems


def same_declaration(one: TopicDeclaration, other: TopicDeclaration) -> bool:
    """Whether two topics are declared alike but for their names."""
    return (one.kind, one.partitions, one.replication_factor) == (
        other.kind,
        other.partitions,
        other.replication_factor,
    ) and kafka_texts(one.settings) == kafka_texts(other.settings)


def deletion_rule(names: Iterable[str]) -> str:
    """The refusal of a deletion, for the topics that are protected against it."""
    listed = list(names)
    what = f"Topic {listed[0]} is" if len(listed) == 1 else f"{len(listed)} topics are"
    which = "" if len(listed) == 1 else f" ({', '.join(listed)})"
    return (
        f"{what} protected against deletion{which}, and nothing was deleted. To delete with all "
        "records, set deletion_protection to False, run `pulumi up`, then delete."
    )
