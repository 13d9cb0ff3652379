"""Region and partition, read off the zones: they are plain values, so no lookup is needed."""

import re

from inkless_pulumi.core.errors import Problem

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")


def region_of(zone: str) -> str | None:
    """The region of an availability or local zone: `eu-west-1` of `eu-west-1a`."""
    found = _REGION.match(zone)
    return found.group() if found else None


def zone_problems(zones: object, configured_region: str | None) -> list[Problem]:
    """What AWS would refuse of the zones: not a zone's name, or not all in the stack's region."""
    if not zones:
        return [Problem("zones", None, "is required", "name three availability zones")]
    if not isinstance(zones, list | tuple):
        return [Problem("zones", zones, "must be a list", "name three availability zones in it")]
    problems = []
    expected = configured_region or region_of(str(zones[0]))
    for index, zone in enumerate(zones):
        region, path = region_of(str(zone)), f"zones[{index}]"
        if region is None or region == zone:
            rule = "is not the name of an availability zone"
            problems.append(Problem(path, zone, rule, 'write it like "eu-west-1a"'))
        elif region != expected:
            rule = f"is in {region}, and the service's region is {expected}"
            remedy = f"name zones of {expected}, or change the stack's aws:region"
            problems.append(Problem(path, zone, rule, remedy))
    return problems


def partition_of(region: str) -> str:
    """The partition that ARNs of a region begin with."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
