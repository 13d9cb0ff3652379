"""Which settings a running service takes without a restart.

Such a setting is no line of `server.properties`: it is kept in the cluster's metadata, from where
every node has it, a re-created one too.
"""

from collections.abc import Mapping
from typing import Final

from inkless_pulumi.core.catalogue import broker_settings, setting_text
from inkless_pulumi.core.service_model import SettingValue

STATIC_BY_CHOICE: Final = frozenset(
    {
        "background.threads",
        "log.cleaner.threads",
        "num.io.threads",
        "num.network.threads",
        "num.recovery.threads.per.data.dir",
        "num.replica.fetchers",
        "remote.log.manager.copier.thread.pool.size",
        "remote.log.manager.expiration.thread.pool.size",
        "remote.log.manager.follower.thread.pool.size",
        "remote.log.reader.threads",
    }
)
"""Sizes of thread pools. A running broker takes one up to double of what it has, and when it starts
again it compares the value with its file: past double it drops this and all other dynamic settings
(measured on 4.2.1: num.io.threads raised from 8 to 32 in two steps was 8 after a restart, and
log.retention.ms unset beside it). In the file they hold."""


def is_dynamic(name: str) -> bool:
    """Whether a changed value reaches running nodes, all alike."""
    setting = broker_settings().get(name)
    return setting is not None and setting.update == "cluster-wide" and name not in STATIC_BY_CHOICE


def dynamic_settings(settings: Mapping[str, SettingValue]) -> dict[str, str]:
    """The settings that are kept in the cluster's metadata, as texts, by name."""
    return {name: setting_text(settings[name]) for name in sorted(settings) if is_dynamic(name)}


def static_settings(settings: Mapping[str, SettingValue]) -> dict[str, str]:
    """The settings that are lines of `server.properties`, as texts, by name."""
    return {name: setting_text(settings[name]) for name in sorted(settings) if not is_dynamic(name)}
