"""The names object stores accept: buckets, key prefixes and endpoints.

Bucket rules are those of "General purpose bucket naming rules" in the S3 user guide; a bucket of
Google Cloud Storage keeps to the same ones and some more, which are in the same table.
"""

import re
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

from inkless_pulumi.core.errors import Problem

_BUCKET_CHARACTERS = re.compile(r"[a-z0-9.-]+")
_ENDS = re.compile(r"[a-z0-9].*[a-z0-9]", re.DOTALL)
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-", "goog")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()/-]+")
_LONGEST_PREFIX = 512


def bucket_problems(name: str, path: str = "storage.bucket") -> list[Problem]:
    """Why an object store would refuse a bucket of this name; empty when it would not."""
    rules = [
        (not 3 <= len(name) <= 63, "a bucket name has 3 to 63 characters"),
        (
            not _BUCKET_CHARACTERS.fullmatch(name),
            "a bucket name has lower-case letters, digits, dots and hyphens only",
        ),
        (not _ENDS.fullmatch(name), "a bucket name begins and ends with a letter or digit"),
        (".." in name, "a bucket name has no two dots in a row"),
        (_is_address(name), "a bucket name does not look like an IP address"),
        (name.startswith(_RESERVED_STARTS), "a bucket name with this beginning is reserved"),
        (name.endswith(_RESERVED_ENDS), "a bucket name with this ending is reserved"),
        ("." in name, "a name with a dot fails TLS verification of the bucket's host name"),
    ]
    broken = next((rule for is_broken, rule in rules if is_broken), None)
    remedy = 'choose a name like "orders-inkless-7f3a", or leave it out to have one made'
    return [Problem(path, name, broken, remedy)] if broken else []


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except AddressValueError:
        return False
    return True


def prefix_problems(prefix: str, path: str = "storage.prefix") -> list[Problem]:
    """Whether a key prefix works; Inkless checks it only when the first record is produced."""
    if not prefix:
        rule = "must not be empty: the nodes' rights are limited to their prefix of the bucket"
        return [Problem(path, prefix, rule, 'use "inkless", the default')]
    if prefix.startswith("/") or prefix.endswith("/"):
        rule = "must not start or end with a slash: brokers would start and then fail to store"
        return [Problem(path, prefix, rule, f'use "{prefix.strip("/") or "inkless"}"')]
    if "//" in prefix or not _PREFIX.fullmatch(prefix) or len(prefix) > _LONGEST_PREFIX:
        rule = f"has characters that are unsafe in object keys, or over {_LONGEST_PREFIX} of them"
        remedy = "use letters, digits, and - _ . with single slashes between the parts"
        return [Problem(path, prefix, rule, remedy)]
    return []


def endpoint_problems(endpoint: str, path: str = "storage.endpoint") -> list[Problem]:
    """Whether an endpoint of an S3-compatible store is a URL that the brokers accept."""
    remedy = "write a URL with a host, or leave it out for the cloud's own service"
    if not endpoint.strip():
        return [Problem(path, endpoint, "must not be blank", remedy)]
    try:
        parts = urlsplit(endpoint)
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname)
        has_credentials = "@" in parts.netloc
        _ = parts.port
    except ValueError:
        well_formed = has_credentials = False
    if not well_formed or re.search(r"\s", endpoint):
        rule = "is not a URL that begins with http:// or https://"
        return [Problem(path, endpoint, rule, remedy)]
    if has_credentials:
        rule = "has credentials in it, which would be readable in the rendered files"
        return [Problem(path, None, rule, "leave them out; nodes use their own identity")]
    return []
