"""Takes the sentences of a report's JSON apart."""

import re
from typing import Final

__all__ = ["Unclear", "key_of", "match"]

_URN: Final = re.compile(r"urn:pulumi:.*::.*::(?:.*\$)?(?P<type>[^$]+)::(?P<name>.*)")


class Unclear(Exception):
    """A sentence that can't be understood, and so not be checked."""


def match(pattern: str, text: str) -> re.Match[str]:
    """A sentence in its parts.

    Raises:
        Unclear: it does not read like that.
    """
    found = re.fullmatch(pattern, text)
    if found is None:
        raise Unclear(f"can't be understood: {text}")
    return found


def key_of(urn: str) -> str:
    """A resource's type and logical name, whatever the stack and the parents are."""
    found = match(_URN.pattern, urn)
    return f"{found['type']} {found['name']}"
