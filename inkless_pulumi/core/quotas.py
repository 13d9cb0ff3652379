"""The rules of quotas: whom they hold for, and how much of what.

Source: `ClientQuotaManager` and `QuotaConfig` of Kafka 4.2.1, KIP-546 and KIP-599.
"""

import math
from collections.abc import Mapping
from typing import Final

from inkless_pulumi.core.access import ANYONE, user_name_problems
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.quantities import SIZES, example_of, in_base_unit

__all__ = ["RATES", "quota_problems", "rate"]

RATES: Final = (
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
)
"""What can be limited; Kafka's names."""
_IN_BYTES: Final = ("producer_byte_rate", "consumer_byte_rate")


def rate(name: str, value: str | float) -> float | None:
    """A limit as the number that Kafka takes; None: it is none.

    Args:
        name: one of `RATES`.
        value: a number, or for bytes a size: `10MiB`.
    """
    text = in_base_unit(str(value), SIZES) if name in _IN_BYTES else str(value)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def quota_problems(known: Mapping[str, object]) -> list[Problem]:
    """Every rule that a quota breaks, as far as its arguments are known.

    `known` maps names of arguments to values; None is one that was left out, and what is absent is
    not known yet.
    """
    user, client_id = known.get("user"), known.get("client_id")
    problems = []
    if {"user", "client_id"} <= known.keys() and user is None and client_id is None:
        remedy = 'name a user, a client_id, or both; "*" is everyone without a quota of their own'
        problems.append(Problem("user", None, "is needed, or client_id", remedy))
    if isinstance(user, str) and user != ANYONE:
        problems += user_name_problems("user", user)
    if client_id == "":
        problems.append(Problem("client_id", client_id, "must not be empty", 'use "*" for others'))
    problems += [problem for name in RATES for problem in _rate_problems(name, known.get(name))]
    if all(name in known and known[name] is None for name in RATES):
        rule = "limits nothing"
        problems.append(Problem("producer_byte_rate", None, rule, f"set any of {', '.join(RATES)}"))
    return problems


def _rate_problems(name: str, value: object) -> list[Problem]:
    if not isinstance(value, (str, int, float)):
        return []
    number = rate(name, value)
    if number is None:
        remedy = f"use {example_of(SIZES)}, a second" if name in _IN_BYTES else "use a number"
        return [Problem(name, value, "must be a number", remedy)]
    if number <= 0:
        return [Problem(name, value, "must be more than 0", "leave it out for no limit")]
    if name in _IN_BYTES and number != int(number):
        return [Problem(name, value, "must be a whole number of bytes", "round it")]
    return []
