"""From one version of a running service to another: what is possible, and what is to be known.

Kafka's finalised `metadata.version` allows no older node than it was made for, and Inkless's
migrations of the Postgres schema go forward only.
"""

from collections.abc import Iterator

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.image import kafka_version

__all__ = ["is_downgrade", "upgrade_notes", "version_change_problems"]


def version_change_problems(finalised: str, wanted: str) -> Iterator[Problem]:
    """Whether a service on which a version was finalised can run another one.

    An update within a line of Kafka (4.2.1 and 4.2.2) has one `metadata.version`, so it can be gone
    back on; an older line can't read what a newer one has written.
    """
    if _line(wanted) < _line(finalised):
        yield Problem(
            "version",
            wanted,
            f"is of an older Kafka than {finalised}, whose metadata.version is finalised: older "
            "nodes could not read the cluster's metadata",
            f'stay with "{finalised}", or move the data to a new service',
        )
    elif _increment(wanted) < _increment(finalised):
        yield Problem(
            "version",
            wanted,
            f"is of an older Inkless than {finalised}, whose schema the database has: migrations "
            "go forward only",
            f'stay with "{finalised}", or restore the database and the bucket into a new service',
        )


def upgrade_notes(before: str, wanted: str) -> Iterator[str]:
    """What whoever upgrades should know before it begins."""
    if before == wanted:
        return
    if _line(wanted) > _line(before):
        yield (
            f"Upgrade from {before} to {wanted}: every node is replaced, one at a time; then "
            "metadata.version is finalised. Until then you can go back to "
            f'"{before}", from then on you can not.'
        )
    if _increment(wanted) > _increment(before):
        yield (
            f"Inkless {wanted} migrates the Postgres schema when the first node starts. That may "
            "lock tables, which holds up writes to diskless topics, and can't be undone: have a "
            "backup, and see the notes on migrations in Inkless's change log."
        )


def is_downgrade(before: str, wanted: str) -> bool:
    """Whether nodes are about to run an older version."""
    return (kafka_version(wanted), _increment(wanted)) < (kafka_version(before), _increment(before))


def _line(version: str) -> tuple[int, ...]:
    return kafka_version(version)[:2]


def _increment(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[2].split("."))
