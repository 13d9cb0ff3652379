"""JSON documents as inputs: policies and dashboards, given as text or as an object."""

import json
from collections.abc import Iterator
from typing import Any

from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.wire import Secret, holds_unknown, reveal


def with_documents_as_text(inputs: dict[str, Any], *names: str) -> dict[str, Any]:
    """The inputs with objects under these names written as JSON text."""
    changed = dict(inputs)
    for name in names:
        value = inputs.get(name)
        plain = reveal(value)
        if isinstance(plain, dict) and not holds_unknown(plain):
            text = json.dumps(plain)
            changed[name] = Secret(text) if isinstance(value, Secret) else text
    return changed


def check_document(path: str, value: Any) -> Iterator[Failure]:
    """Whether a document, if known, is a JSON object."""
    if not isinstance(value, str):
        return
    try:
        parsed = json.loads(value)
    except ValueError as error:
        yield Failure(path, f"contains an invalid JSON document: {error}")
        return
    if not isinstance(parsed, dict):
        yield Failure(path, "contains JSON that is no object")
