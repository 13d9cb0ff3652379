"""What all ways of writing a report share: how marked names are taken apart, how lists are cut."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from inkless_pulumi.report.findings import CLOSE, OPEN, counted, listed

__all__ = ["cut", "grouped", "segments", "unmarked", "written"]


def segments(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text, each with whether it is a name or a value."""
    for place, part in enumerate(text.split(OPEN)):
        if not place:
            yield part, False
            continue
        name, _, rest = part.partition(CLOSE)
        yield name, True
        yield rest, False


def written(text: str, name: Callable[[str], str], own: Callable[[str], str] = str) -> str:
    """A text with its names, and our own words, written in a manner."""
    return "".join(name(part) if marked else own(part) for part, marked in segments(text) if part)


def unmarked(text: str) -> str:
    """A text without its marks."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def grouped(lines: Sequence[str]) -> list[str]:
    """Lines that begin with a name, those that say the same of several as one."""
    alike: dict[str, list[str]] = {}
    for line in lines:
        name, colon, rest = line.partition(f"{CLOSE}: ")
        if colon and line.startswith(OPEN) and OPEN not in name[1:]:
            alike.setdefault(rest, []).append(name[1:])
        else:
            alike[line] = []
    if len(alike) == 1 and len(lines) > 1:  # the title has named them
        return [f"Each: {rest}" for rest in alike]
    return [f"{listed(names)}: {rest}" if names else rest for rest, names in alike.items()]


def cut(lines: Sequence[str], most: int) -> Iterable[str]:
    """The first lines, and how many more there are."""
    if len(lines) <= most + 1:
        return lines
    return [*lines[:most], f"and {counted(len(lines) - most, 'more', 'more')}, all in the JSON"]
