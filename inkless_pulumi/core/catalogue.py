"""The catalogue of settings: what Kafka and Inkless call them, and which values they take.

Read from `data/` once. It knows single settings only; which of them a user may set is decided in
`overrides`, and rules between settings are in `startup_rules` and `topics`.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.model_errors import suggestion
from inkless_pulumi.core.service_model import SettingValue

_INTEGER_BITS: Final = {"short": 16, "int": 32, "long": 64}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_CLASS = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(r"https?://[^\s/?#]+\S*")


@dataclass(frozen=True)
class Setting:
    """One setting of a broker or a topic; the fields are explained in `data/README.md`."""

    name: str
    type: str
    default: Any = None
    min: float | None = None
    max: float | None = None
    also: tuple[int, ...] = ()
    allowed: tuple[str, ...] = ()
    ignore_case: bool = False
    non_empty: bool = False
    url: bool = False
    update: str = "read-only"
    sensitive: bool = False
    internal: bool = False
    since: str | None = None
    min_before: tuple[str, int] | None = None
    server_default: str | None = None
    diskless: str = "yes"

    @property
    def default_text(self) -> str | None:
        """The default as it would be written in a properties file; None where there is none."""
        if isinstance(self.default, list):
            return ",".join(self.default)
        return None if self.default is None else setting_text(self.default)

    def exists_in(self, kafka_version: tuple[int, ...]) -> bool:
        """Whether a Kafka version has this setting."""
        return self.since is None or kafka_version >= _line(self.since)

    def minimum_in(self, kafka_version: tuple[int, ...]) -> float | None:
        """The smallest value in a Kafka version."""
        if self.min_before is not None and kafka_version < _line(self.min_before[0]):
            return self.min_before[1]
        return self.min


def _line(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@cache
def broker_settings() -> Mapping[str, Setting]:
    """Every setting of a node, Kafka's and Inkless', by name."""
    return MappingProxyType(_read("broker-settings.json") | _read("inkless-settings.json"))


@cache
def topic_settings() -> Mapping[str, Setting]:
    """Every setting of a topic by name, `diskless.enable` among them."""
    return MappingProxyType(_read("topic-settings.json"))


def _read(file_name: str) -> dict[str, Setting]:
    text = (files("inkless_pulumi.core") / "data" / file_name).read_text(encoding="utf-8")
    return {name: _setting(name, raw) for name, raw in json.loads(text).items()}


def _setting(name: str, raw: dict[str, Any]) -> Setting:
    for key in ("also", "allowed"):
        raw[key] = tuple(raw.get(key, ()))
    if "min_before" in raw:
        ((line, minimum),) = raw["min_before"].items()
        raw["min_before"] = (line, minimum)
    return Setting(name=name, **raw)


def setting_text(value: SettingValue) -> str:
    """A value as it stands in a properties file: `true` for True, `3` for 3.0, text stripped."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def setting_path(name: str) -> str:
    """The argument path of a setting: `settings["log.retention.ms"]`."""
    return f'settings["{name}"]'


def check_setting(
    name: str,
    value: SettingValue,
    settings: Mapping[str, Setting] | None = None,
    kafka_version: tuple[int, ...] = (4, 2, 1),
) -> Problem | None:
    """What is wrong with one setting by itself: its name, its type or its range.

    `settings` is the catalogue to look in, the brokers' when left out.
    """
    known = broker_settings() if settings is None else settings
    setting = known.get(name)
    if setting is None:
        remedy = suggestion(name, known, "setting")
        return Problem(
            setting_path(name), value, "is not a setting that Kafka or Inkless has", remedy
        )
    return value_problem(setting, value, kafka_version)


def value_problem(
    setting: Setting, value: SettingValue, kafka_version: tuple[int, ...] = (4, 2, 1)
) -> Problem | None:
    """Whether a value has the type, range and words that a setting takes."""
    text = setting_text(value)
    if setting.type == "boolean":
        found = _boolean_rule(text)
    elif setting.type in _INTEGER_BITS or setting.type == "double":
        found = _number_rule(setting, text, kafka_version)
    elif setting.type == "list":
        found = _list_rule(setting, text)
    else:
        found = _string_rule(setting, text)
    if found is None:
        return None
    return Problem(setting_path(setting.name), None if setting.sensitive else value, *found)


_Finding = tuple[str, str] | None
"""The rule that is broken and the remedy, or None."""


def _boolean_rule(text: str) -> _Finding:
    return None if text.lower() in ("true", "false") else ("must be a boolean", "use true or false")


def _number_rule(setting: Setting, text: str, kafka_version: tuple[int, ...]) -> _Finding:
    bits = _INTEGER_BITS.get(setting.type)
    if bits is None:
        if not _DECIMAL.fullmatch(text) or not math.isfinite(float(text)):
            return "must be a number", "use digits with a decimal point"
        number: float = float(text)
    else:
        if not _INTEGER.fullmatch(text):
            return "must be a whole number", "use digits only, without a unit"
        number = int(text)
        if not -(1 << bits - 1) <= number < 1 << bits - 1:
            return f"does not fit into {bits} bits", f"use at most {(1 << bits - 1) - 1}"
    return _range_rule(setting, number, setting.minimum_in(kafka_version))


def _range_rule(setting: Setting, number: float, minimum: float | None) -> _Finding:
    if number in setting.also:
        return None
    besides = "".join(f", or {value}" for value in setting.also)
    if minimum is not None and number < minimum:
        return f"must be {minimum} or more", f"use {minimum} or more{besides}"
    if setting.max is not None and number > setting.max:
        return f"must be {setting.max} or less", f"use {setting.max} or less{besides}"
    return None


def _list_rule(setting: Setting, text: str) -> _Finding:
    if _CONTROL.search(text):
        return "must not have line breaks or control characters", "write it on one line"
    items = [item.strip() for item in text.split(",")] if text else []
    if not all(items):
        return "has an empty entry", "remove the superfluous comma"
    if len(set(items)) != len(items):
        return "has an entry twice", "name each entry once"
    if setting.non_empty and not items:
        return "must not be empty", "give it a value or leave it out"
    unknown = [item for item in items if setting.allowed and item not in setting.allowed]
    if unknown:
        return f"does not know {', '.join(unknown)}", f"use any of {', '.join(setting.allowed)}"
    return None


def _string_rule(setting: Setting, text: str) -> _Finding:
    if _CONTROL.search(text):
        return "must not have line breaks or control characters", "write it on one line"
    if setting.allowed:
        given = text.upper() if setting.ignore_case else text
        words = [word.upper() if setting.ignore_case else word for word in setting.allowed]
        if given not in words:
            return "is not one of the possible values", f"use one of {', '.join(setting.allowed)}"
    if setting.non_empty and not text:
        return "must not be empty", "give it a value or leave it out"
    if setting.url and not _URL.fullmatch(text):
        return "must be a URL that begins with http:// or https://", "write the whole URL"
    if setting.type == "class" and not _CLASS.fullmatch(text):
        return "must be the full name of a Java class", "write it with its package"
    return None
