"""Run Inkless, Apache Kafka with diskless topics, in your own cloud account with Pulumi.

The names of this module are loaded when they are first used, so that importing it costs next to
nothing. The service itself is in the module of its cloud: `inkless_pulumi.aws.InklessService`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inkless_pulumi.access import AccessRule as AccessRule
    from inkless_pulumi.access import AccessRuleArgs as AccessRuleArgs
    from inkless_pulumi.connection import ConnectionArgs as ConnectionArgs
    from inkless_pulumi.connection import SecretStoreArgs as SecretStoreArgs
    from inkless_pulumi.core.errors import InklessError as InklessError
    from inkless_pulumi.quotas import Quota as Quota
    from inkless_pulumi.quotas import QuotaArgs as QuotaArgs
    from inkless_pulumi.topic_sets import DeclaredTopicArgs as DeclaredTopicArgs
    from inkless_pulumi.topic_sets import TopicSet as TopicSet
    from inkless_pulumi.topic_sets import TopicSetArgs as TopicSetArgs
    from inkless_pulumi.topics import ClassicTopic as ClassicTopic
    from inkless_pulumi.topics import ClassicTopicArgs as ClassicTopicArgs
    from inkless_pulumi.topics import DisklessTopic as DisklessTopic
    from inkless_pulumi.topics import DisklessTopicArgs as DisklessTopicArgs
    from inkless_pulumi.users import User as User
    from inkless_pulumi.users import UserArgs as UserArgs

# By public name, the module that has it.
_HOMES = {
    "AccessRule": "access",
    "AccessRuleArgs": "access",
    "ClassicTopic": "topics",
    "ClassicTopicArgs": "topics",
    "ConnectionArgs": "connection",
    "DeclaredTopicArgs": "topic_sets",
    "DisklessTopic": "topics",
    "DisklessTopicArgs": "topics",
    "InklessError": "core.errors",
    "Quota": "quotas",
    "QuotaArgs": "quotas",
    "SecretStoreArgs": "connection",
    "TopicSet": "topic_sets",
    "TopicSetArgs": "topic_sets",
    "User": "users",
    "UserArgs": "users",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    """Load a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
