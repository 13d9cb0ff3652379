"""Names for resources that the program gave none, as Pulumi's cloud plugins make them."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from pulumi.runtime.proto import provider_pb2

_SUFFIX_DIGITS = 7
_AutonamingOptions = provider_pb2.CheckRequest.AutonamingOptions


@dataclass(frozen=True)
class NameRule:
    """Where a type's name goes, and the cloud's limits on a name that is made for it."""

    property: str = "name"
    longest: int = 255
    prefix: str = ""
    change: Callable[[str], str] = str


class AutonamingDisabledError(ValueError):
    """The stack's configuration wants every name given by the program."""


def make_name(
    rule: NameRule, logical_name: str, seed: bytes, options: _AutonamingOptions | None
) -> str:
    """`<logical name>-<7 hexadecimal digits>`, the digits drawn from the engine's seed.

    The stack's `pulumi:autonaming` configuration may propose or enforce another name, or forbid
    making one, which raises `AutonamingDisabledError`.
    """
    if options is not None:
        if options.mode == _AutonamingOptions.DISABLE:
            raise AutonamingDisabledError(
                f"{rule.property} must be given: automatic naming is disabled for this stack"
            )
        if options.mode == _AutonamingOptions.ENFORCE:
            return options.proposed_name
        if options.proposed_name:
            return rule.change(f"{rule.prefix}{options.proposed_name}")[: rule.longest]
    digits = random.Random(seed or None).randbytes(4).hex()[:_SUFFIX_DIGITS]  # noqa: S311
    room = rule.longest - len(rule.prefix) - _SUFFIX_DIGITS - 1
    return rule.change(f"{rule.prefix}{logical_name[:room]}-{digits}")
