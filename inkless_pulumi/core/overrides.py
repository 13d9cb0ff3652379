"""Which settings a user may override, and what is wrong with those that were.

One setting at a time: is it known, is it free, is its value sound. Settings that are sound by
themselves and wrong together are found in `startup_rules`.
"""

from inkless_pulumi.core.catalogue import (
    Setting,
    broker_settings,
    check_setting,
    setting_path,
    setting_text,
    topic_settings,
    value_problem,
)
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.image import kafka_version
from inkless_pulumi.core.locked_settings import FAMILIES, LOADABLE_CLASSES, LOCKS, Family
from inkless_pulumi.core.managed_settings import managed_rows
from inkless_pulumi.core.service_model import ServiceDeclaration, SettingValue

_STORAGE_PREFIXES = {
    "s3": ("inkless.storage.s3.", "inkless.storage.aws."),
    "gcs": ("inkless.storage.gcs.",),
    "azure": ("inkless.storage.azure.",),
}


def override_problems(service: ServiceDeclaration) -> list[Problem]:
    """What is wrong with the settings of a service, each by itself."""
    found = (override_problem(service, name, value) for name, value in service.settings.items())
    return [problem for problem in found if problem is not None]


def override_problem(service: ServiceDeclaration, name: str, value: SettingValue) -> Problem | None:
    """What is wrong with one override; None when it can be rendered."""
    locked = _lock_problem(name, value)
    if locked is not None:
        return locked
    if "${" in setting_text(value):
        rule = "refers to a config provider, and what it stands for can't be checked"
        return Problem(setting_path(name), value, rule, "write the value itself")
    for family in FAMILIES:
        if name.startswith(family.prefix):
            return _family_problem(service, family, name, value)
    setting = broker_settings().get(name)
    if setting is None:
        return _unknown_problem(name, value)
    return _known_problem(service, setting, value)


def _lock_problem(name: str, value: SettingValue) -> Problem | None:
    known = broker_settings().get(name)
    shown = None if known is not None and known.sensitive else value
    for lock in LOCKS:
        if lock.pattern.fullmatch(name):
            return Problem(setting_path(name), shown, f"is locked: {lock.reason}", lock.remedy)
    for row in managed_rows(name):
        if row.locked:
            return Problem(
                setting_path(name), shown, f"is locked: {row.reason}", "leave it out of settings"
            )
    return None


def _family_problem(
    service: ServiceDeclaration, family: Family, name: str, value: SettingValue
) -> Problem | None:
    setting = family.settings.get(name)
    if setting is None:
        rule = f"is not a setting of the family {family.prefix}* that may be overridden"
        return Problem(setting_path(name), None, rule, f"use {' or '.join(family.settings)}")
    if family.needs_tiered_storage and not service.tiered_storage:
        rule = "belongs to tiered storage, which this service does not have"
        return Problem(setting_path(name), value, rule, "set tiered_storage=True, or leave it out")
    return value_problem(setting, value, kafka_version(service.version))


def _unknown_problem(name: str, value: SettingValue) -> Problem | None:
    topic_setting = topic_settings().get(name)
    if topic_setting is None:
        return check_setting(name, value)
    rule = "is a setting of topics, not of the service"
    default = topic_setting.server_default
    remedy = f"set it on the topic, or {default} for all" if default else "set it on the topic"
    return Problem(setting_path(name), value, rule, remedy)


def _known_problem(
    service: ServiceDeclaration, setting: Setting, value: SettingValue
) -> Problem | None:
    path, name = setting_path(setting.name), setting.name
    if setting.internal:
        return Problem(path, value, "is internal to Kafka and meant for tests", "leave it out")
    if setting.sensitive:
        rule = "holds a secret, which would be readable in the rendered files"
        return Problem(path, None, rule, "leave it out")
    if not setting.exists_in(kafka_version(service.version)):
        rule = f"does not exist before Kafka {setting.since}, and the version is {service.version}"
        return Problem(path, value, rule, "leave it out, or use a newer version")
    if name.startswith(("inkless.", "diskless.")) and not service.is_diskless:
        rule = "is a setting of Inkless, and this is a classic service"
        return Problem(path, value, rule, 'leave it out, or declare a service of type "inkless"')
    for kind, prefixes in _STORAGE_PREFIXES.items():
        if name.startswith(prefixes) and kind != service.storage.kind:
            rule = f"is for object storage of kind {kind}, and this is {service.storage.kind}"
            return Problem(path, value, rule, "leave it out")
    return _class_problem(setting, value) or value_problem(
        setting, value, kafka_version(service.version)
    )


def _class_problem(setting: Setting, value: SettingValue) -> Problem | None:
    """A class that the image lacks stops the node, and the image is made of upstream's alone."""
    names_classes = setting.type == "class" or setting.name in _CLASSES_BY_NAME
    if not names_classes or setting_text(value) in LOADABLE_CLASSES.get(setting.name, ()):
        return None
    known = LOADABLE_CLASSES.get(setting.name)
    remedy = f"use {' or '.join(known)}" if known else "leave it out"
    rule = "names a class that the image is not known to have, and a node does not start without it"
    return Problem(setting_path(setting.name), value, rule, remedy)


_CLASSES_BY_NAME = frozenset(
    {"replica.selector.class", "metric.reporters", "kafka.metrics.reporters"}
)
"""Settings that name classes although their type is not `class`."""
