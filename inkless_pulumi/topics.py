"""Topics: classic ones on the brokers' disks, diskless ones in object storage."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource
from inkless_pulumi.connection import ConnectionArgs

__all__ = [
    "ClassicTopic",
    "ClassicTopicArgs",
    "DisklessTopic",
    "DisklessTopicArgs",
    "SettingValue",
]

SettingValue = str | int | float | bool
"""A setting's value: as Kafka spells it, with a unit (`7d`), or as a number or truth value."""


class ClassicTopicArgs(TypedDict):
    """Arguments of ClassicTopic."""

    name: pulumi.Input[str]
    """The topic's name. It can't be changed later."""
    partitions: pulumi.Input[int]
    """Number of partitions. It can be raised later, not lowered."""
    replication_factor: NotRequired[pulumi.Input[int]]
    """Copies of each partition. Default: the cluster's, one a zone. Another number later moves
    replicas while the topic is used."""
    settings: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[SettingValue]]]]
    """Kafka's topic settings, such as `retention.ms`; durations and sizes may have a unit (`7d`,
    `50GiB`). What is not named has the cluster's value."""
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """Whether the topic refuses to be deleted. To delete it, set this to `False`, run `pulumi up`,
    then delete. Default: `True`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class DisklessTopicArgs(TypedDict):
    """Arguments of DisklessTopic."""

    name: pulumi.Input[str]
    """The topic's name. It can't be changed later."""
    partitions: pulumi.Input[int]
    """Number of partitions. It can be raised later, not lowered."""
    replication_factor: NotRequired[pulumi.Input[int]]
    """Brokers that may serve each partition; its data is in object storage whatever this says.
    Default: the cluster's, one a zone."""
    settings: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[SettingValue]]]]
    """Kafka's topic settings, such as `retention.ms`; durations and sizes may have a unit (`7d`,
    `50GiB`). What is not named has the cluster's value. One without effect here is warned of."""
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """Whether the topic refuses to be deleted. To delete it, set this to `False`, run `pulumi up`,
    then delete. Default: `True`."""
    connection: pulumi.Input[ConnectionArgs]
    """How to reach the cluster: the service's output `connection`."""


class ClassicTopic(InklessResource):
    """A classic topic: its replicas are on the brokers' disks.

    It may be compacted and take part in transactions. Partitions can be added and settings changed
    in place. What Kafka can't do without losing records (fewer partitions, another name) is refused
    at preview. Deleting the resource deletes the topic with its records, once its protection is
    off.
    """

    name: pulumi.Output[str]
    """The topic's name."""
    partitions: pulumi.Output[int]
    """Number of partitions."""
    topic_id: pulumi.Output[str]
    """The id that Kafka gave the topic; a topic that is made anew gets another."""

    _token = "inkless:index:ClassicTopic"
    _args = ClassicTopicArgs

    def __init__(
        self,
        resource_name: str,
        args: ClassicTopicArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, protected(args, opts))


class DisklessTopic(InklessResource):
    """A diskless topic (KIP-1150): its records go straight to object storage.

    No replication between zones is paid for, at a higher latency; there is no compaction, and there
    are no transactions. Needs brokers of an Inkless image. Partitions can be added and settings
    changed in place. What Kafka can't do without losing records (fewer partitions, another name) is
    refused at preview. Deleting the resource deletes the topic with its records, once its
    protection is off.
    """

    name: pulumi.Output[str]
    """The topic's name."""
    partitions: pulumi.Output[int]
    """Number of partitions."""
    topic_id: pulumi.Output[str]
    """The id that Kafka gave the topic; a topic that is made anew gets another."""

    _token = "inkless:index:DisklessTopic"
    _args = DisklessTopicArgs

    def __init__(
        self,
        resource_name: str,
        args: DisklessTopicArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, protected(args, opts))


def protected(
    args: Mapping[str, Any], opts: pulumi.ResourceOptions | None
) -> pulumi.ResourceOptions | None:
    """Options under which the engine knows of the deletion protection: it then refuses to destroy
    a stack before anything of it is gone. The plugin refuses as well, whatever the options say.
    """
    if args.get("deletion_protection", True) is not True or (opts and opts.protect is not None):
        return opts
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True))
