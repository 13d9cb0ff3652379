"""The shapes of AWS's own names: ids, ARNs, zones, DNS names."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.behaviour import CloudError, Site
from inkless_pulumi.sandbox.standin.checking import Failure

ACCOUNT_ID = "123456789012"
ZONE_LETTERS = "abc"
_REGIONS_WITH_OTHER_LETTERS = {"us-east-1": "abcdef", "us-west-2": "abcd", "ca-central-1": "abd"}


def new_id(prefix: str) -> str:
    """`vpc-0…`: a prefix and 17 hexadecimal digits."""
    return f"{prefix}-0{secrets.token_hex(8)}"


def unique_id(prefix: str) -> str:
    """`AROA…`: IAM's unique ids, 21 capitals and digits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return prefix + "".join(secrets.choice(letters) for _ in range(21 - len(prefix)))


def stable_id(prefix: str, *parts: object) -> str:
    """An id that follows from others, as those the plugin makes itself do."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
    return f"{prefix}{int(digest[:8], 16)}"


def arn(site: Site, service: str, resource: str, region: str | None = None) -> str:
    """An ARN of the account; `region` is empty for global services."""
    where = site.region if region is None else region
    return f"arn:aws:{service}:{where}:{site.account_id}:{resource}"


def region_of(site: Site, inputs: Mapping[str, Any]) -> str:
    """The region a resource is in: its own, else the provider's."""
    return str(inputs.get("region", site.region))


def zones_of(region: str) -> list[str]:
    """The availability zones of a region."""
    letters = _REGIONS_WITH_OTHER_LETTERS.get(region, ZONE_LETTERS)
    return [f"{region}{letter}" for letter in letters]


def zone_id_of(zone: str) -> str:
    """`eu-central-1a` -> `euc1-az1`, the account-independent name of a zone."""
    region, letter = zone[:-1], zone[-1]
    area, *direction, number = region.split("-")
    short = "".join(word[0] if word not in _DIRECTIONS else _DIRECTIONS[word] for word in direction)
    return f"{area}{short}{number}-az{ord(letter) - ord('a') + 1}"


_DIRECTIONS = {
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
}


def now() -> str:
    """The time as the cloud writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def name_or_prefixed(inputs: Mapping[str, Any], property_name: str = "name") -> str:
    """The given name, else one that starts with the given prefix."""
    if property_name in inputs:
        return str(inputs[property_name])
    prefix = inputs.get(f"{property_name}Prefix", "terraform-")
    return f"{prefix}{datetime.now(UTC):%Y%m%d%H%M%S%f}00000001"


def lookup(ledger: Ledger, token: str, resource_id: str, code: str) -> Record:
    """A resource that another refers to. Raises `CloudError` when there is none."""
    record = ledger.get(token, resource_id)
    if record is None:
        kind = token.rpartition(":")[2]
        raise CloudError(code, f"The {kind} ID '{resource_id}' does not exist")
    return record


def check_zone(path: str, zone: Any, region: str | None) -> Iterator[Failure]:
    """Whether a zone is one of its region's, as far as both are known."""
    if isinstance(zone, str) and region and zone not in zones_of(region):
        names = ", ".join(zones_of(region))
        yield Failure(path, f"{zone!r} is no availability zone of {region}: {names}")
