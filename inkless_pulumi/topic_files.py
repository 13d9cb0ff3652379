"""Reading topics from a YAML or JSON file; `core.topic_file` has the form."""

import json
from pathlib import Path
from typing import Any

from inkless_pulumi.core.errors import DeclarationError, Problem
from inkless_pulumi.core.topic_file import declared_topics

__all__ = ["read_topics"]


def read_topics(path: Path) -> dict[str, dict[str, Any]]:
    """The topics in a file, by name, as the argument `topics` of a `TopicSet` takes them.

    Raises:
        DeclarationError: there is no such file, or it is not of the form.
    """
    subject = f"topics file {path}"
    try:
        content = _parsed(path)
    except OSError as error:
        raise _unreadable(subject, f"can't be read: {error.strerror}") from None
    except ValueError as error:
        form = "JSON" if path.suffix == ".json" else "YAML"
        raise _unreadable(subject, f"is not {form} of the right form: {error}") from None
    return declared_topics(content, subject)


def _parsed(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text, object_pairs_hook=_unique)
    return _yaml(text)


def _yaml(text: str) -> object:
    import yaml  # slow to import, and needed by those alone who have a file

    class Loader(yaml.SafeLoader):
        """YAML in which no key may come twice: the second would silently win."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            plain = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
            _unique([(self.construct_object(key), None) for key in plain])
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader)  # noqa: S506  it is a safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in pairs:
        if key in seen:
            raise ValueError(f'"{key}" is there twice')
        seen.add(key)
    return dict(pairs)


def _unreadable(subject: str, reason: str) -> DeclarationError:
    problem = Problem("file", None, reason, "see docs/topics.md for the form")
    return DeclarationError([problem], subject)
