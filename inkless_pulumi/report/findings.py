"""What a report says: findings, in plain words with the names in them marked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

from inkless_pulumi.report.plan import Hidden

__all__ = [
    "CLOSE",
    "OPEN",
    "Area",
    "Finding",
    "Gate",
    "Level",
    "code",
    "counted",
    "joined",
    "listed",
    "value_text",
]

Area = Literal["data", "availability", "access", "cost", "protection", "other"]
Gate = Literal["data-loss", "downtime", "wider-access"]
"""What a pipeline can be told to stop for, besides cost."""

OPEN: Final = "\ue000"
CLOSE: Final = "\ue001"
"""Around what is not our own words: names and values. Each way of writing marks and escapes them
in its own manner, so that nothing from a program is taken for markup."""
_LONGEST: Final = 120
_NAMED: Final = 5


class Level(IntEnum):
    """How much a reviewer should care; the worst is the greatest."""

    INFO = 0
    """What happens besides."""
    NOTICE = 1
    """Worth knowing; nothing is at risk."""
    WARNING = 2
    """Something becomes possible or changes that can hurt."""
    DANGER = 3
    """Data is lost, the service is interrupted, or it is opened to everybody."""


@dataclass(frozen=True)
class Finding:
    """One thing that the update does."""

    rule: str
    """What kind of finding, `topic-deleted`; stable, for other tools."""
    area: Area
    level: Level
    title: str
    """One sentence without a full stop."""
    details: tuple[str, ...] = ()
    """More sentences, or one line for each of many."""
    resources: tuple[str, ...] = ()
    """URNs of the resources this is about; no other finding needs to tell of them."""
    gates: tuple[Gate, ...] = ()
    """What a pipeline would stop for because of it."""
    brief: str = ""
    """A clause for the verdict; empty, the title."""


def code(text: Any, longest: int = _LONGEST) -> str:
    """A name or a value within a sentence, cut where it is long."""
    words = str(text).replace(OPEN, "").replace(CLOSE, "").split()
    shown = "".join(letter for letter in " ".join(words) if letter.isprintable())
    if len(shown) > longest:
        shown = shown[:longest] + "…"
    return f"{OPEN}{shown}{CLOSE}" if shown else "(empty)"


def value_text(value: Any) -> str:
    """A property's value within a sentence: secrets and unknown values show as such."""
    if isinstance(value, Hidden):
        return str(value)
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return code("true" if value else "false")
    if isinstance(value, float) and value.is_integer():
        return code(int(value))
    if isinstance(value, list):
        return ", ".join(value_text(item) for item in value[:_NAMED]) + (
            f" and {len(value) - _NAMED} more" if len(value) > _NAMED else ""
        )
    return code(value)


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 topic`, `3 topics`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listed(names: Sequence[Any] | Iterable[Any], most: int = _NAMED) -> str:
    """Names joined; the first few of many."""
    shown = [code(name) for name in names]
    if len(shown) > most + 1:
        return f"{', '.join(shown[:most])} and {len(shown) - most:,} more"
    if len(shown) > 1:
        return f"{', '.join(shown[:-1])} and {shown[-1]}"
    return "".join(shown)


def joined(words: Iterable[str]) -> str:
    """Words joined by commas, each once; the first few of many."""
    shown = list(dict.fromkeys(words))
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")
