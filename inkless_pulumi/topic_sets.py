"""Any number of topics in one resource, declared in the program or in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs
from inkless_pulumi.topics import SettingValue, protected

__all__ = ["DeclaredTopicArgs", "TopicSet", "TopicSetArgs"]


class DeclaredTopicArgs(TypedDict):
    """A topic of a set."""

    kind: pulumi.Input[str]
    """`classic`, on the brokers' disks, or `diskless`, in object storage."""
    partitions: pulumi.Input[int]
    """Number of partitions. It can be raised later, not lowered."""
    replication_factor: NotRequired[pulumi.Input[int]]
    """Copies of each partition. Default: the cluster's, one a zone. Another number later moves
    replicas while the topic is used."""
    settings: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[SettingValue]]]]
    """Kafka's topic settings, such as `retention.ms`; durations and sizes may have a unit (`7d`,
    `50GiB`). What is not named has the cluster's value."""
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """Whether this topic refuses to be deleted. Default: as the set says."""


class TopicSetArgs(TypedDict):
    """Arguments of TopicSet: `topics` or `file`, and the connection."""

    topics: NotRequired[Mapping[str, DeclaredTopicArgs]]
    """The topics by name."""
    file: NotRequired[str]
    """A YAML or JSON file with the topics; `docs/topics.md` has its form. A path that is not
    absolute is seen from the program's directory."""
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """Whether topics refuse to be deleted, by taking them out of the set or with it. To delete
    one, set this (or the topic's own) to `False`, run `pulumi up`, then take it out. Default:
    `True`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class _WireArgs(TypedDict):
    """What travels: the file has become topics."""

    topics: pulumi.Input[Mapping[str, DeclaredTopicArgs]]
    deletion_protection: NotRequired[pulumi.Input[bool]]
    connection: pulumi.Input[ConnectionArgs]


class TopicSet(InklessResource):
    """Any number of topics, classic and diskless, in one resource.

    A thousand topics cost hardly more than one, while a thousand resources cost Pulumi minutes.
    Each topic is created, changed and deleted as if it were a resource of its own: a preview shows
    the difference a topic and a property, and when some fail, the others are done and recorded.
    What would lose records (a topic taken out, renamed, with fewer partitions or of another kind)
    is refused at preview.

    Raises:
        DeclarationError: `file` can't be read, or is not of its form.
    """

    topics: pulumi.Output[Mapping[str, Any]]
    """The topics by name, as declared."""
    topic_ids: pulumi.Output[Mapping[str, str]]
    """The id that Kafka gave each topic, by name."""

    _token = "inkless:index:TopicSet"
    _args = _WireArgs

    def __init__(
        self,
        resource_name: str,
        args: TopicSetArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, self._arguments(args), protected(args, opts))

    @classmethod
    def _arguments(cls, args: TopicSetArgs) -> dict[str, Any]:
        given: dict[str, Any] = dict(args)
        if ("file" in given) == ("topics" in given):
            raise TypeError("TopicSet takes either `topics` or `file`.")
        if "file" in given:
            from inkless_pulumi.topic_files import read_topics

            given["topics"] = read_topics(Path(given.pop("file")))
        renamed = [name for name in given["topics"] if cls._wire_names.get(name, name) != name]
        if renamed:
            # Pulumi would spell the name as it spells the argument's.
            raise TypeError(
                f"A TopicSet can't have the topic {renamed[0]}, which is called like one of its "
                "arguments or outputs; declare it as a ClassicTopic or a DisklessTopic."
            )
        return given
