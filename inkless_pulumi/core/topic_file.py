"""The form of a topics file (YAML or JSON): application teams change a file and not a program.

    defaults:                 # optional; what a topic does not say itself
      kind: diskless
      partitions: 6
      settings: {retention.ms: 7d}
    topics:
      orders: {kind: classic, partitions: 12}
      events:                 # all of the defaults

The form is published as a JSON Schema (`docs/topics.schema.json`), for editors and for checks
before a merge. Whether the values are sound is not decided here: `topic_sets` has the rules.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.field_descriptions import field_descriptions
from inkless_pulumi.core.model_errors import problems_of

__all__ = ["SCHEMA_ID", "TopicFile", "declared_topics", "json_schema"]

SCHEMA_ID: Final = "urn:inkless-pulumi:topics"
_A_TOPIC: Final = 2
"""Length of the path to one."""
SettingInFile = str | bool | int | float


class _InFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TopicInFile(_InFile):
    """What a topic is like; what it leaves out is as `defaults` says."""

    kind: Literal["classic", "diskless"] | None = None
    """`classic`, on the brokers' disks, or `diskless`, in object storage."""
    partitions: int | None = Field(default=None, ge=1)
    """Number of partitions. It can be raised later, not lowered."""
    replication_factor: int | None = Field(default=None, ge=1)
    """Copies of each partition. Default: the cluster's, one a zone."""
    settings: dict[str, SettingInFile] | None = None
    """Kafka's topic settings; durations and sizes may have a unit (`7d`, `50GiB`)."""
    deletion_protection: bool | None = None
    """Whether the topic refuses to be deleted. Default: as the topic set says."""


class TopicFile(_InFile):
    """Topics of an Inkless service."""

    defaults: TopicInFile = TopicInFile()
    """What holds for every topic that does not say otherwise."""
    topics: dict[str, TopicInFile | None]
    """The topics by name."""


def declared_topics(content: object, subject: str) -> dict[str, dict[str, Any]]:
    """The topics in a file, by name, as the argument `topics` of a `TopicSet` takes them.

    What is wrong inside a topic is left as it is: whoever takes the topics refuses it, beside all
    else that is wrong with them.

    Args:
        content: of the file, parsed.
        subject: what the file is called in errors.

    Raises:
        DeclarationError: it is not of the form.
    """
    try:
        TopicFile.model_validate(content)
    except ValidationError as invalid:
        if not all(map(_is_inside_a_topic, invalid.errors(include_url=False))):
            raise DeclarationError(problems_of(invalid, TopicFile), subject) from None
    file: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    defaults = file.get("defaults") or {}
    return {name: _merged(defaults, topic or {}) for name, topic in file["topics"].items()}


def _is_inside_a_topic(error: ErrorDetails) -> bool:
    """Whether an error is about an argument of a topic, and what is wrong can travel."""
    place, is_key = error["loc"], error["type"] == "invalid_key" or "[key]" in error["loc"]
    scalar = isinstance(error["input"], str | int | float)
    return place[:1] == ("topics",) and len(place) > _A_TOPIC and scalar and not is_key


def json_schema() -> dict[str, Any]:
    """The form of the file as a JSON Schema."""
    form = TopicFile.model_json_schema()
    topic = form["$defs"][TopicInFile.__name__]
    for model, described in ((TopicFile, form), (TopicInFile, topic)):
        for name, description in field_descriptions(model).items():
            described["properties"][name]["description"] = description
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **form,
    }


def _merged(defaults: Mapping[str, Any], topic: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**_given(defaults), **_given(topic)}
    common, own = defaults.get("settings") or {}, topic.get("settings") or {}
    if isinstance(own, Mapping) and (common or own):
        merged["settings"] = {**common, **own}
    return merged


def _given(topic: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in topic.items() if value is not None}
