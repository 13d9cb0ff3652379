"""The text in the secret of whoever identifies itself by certificate.

One PEM text: the authorities that it trusts, when it learns of them from there; then its private
key, its certificate, and those that lead to it. The parts can be told apart without a look into a
certificate, so that who connects does not load what makes them.
"""

import re
from typing import NamedTuple

__all__ = ["IdentityText", "split"]

_KEY = re.compile(r"^-----BEGIN [A-Z ]*PRIVATE KEY-----$", re.MULTILINE)
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


class IdentityText(NamedTuple):
    """Both parts as PEM."""

    trusted: str
    """The authorities' certificates; empty when there are none before the key."""
    identity: str
    """The private key, its certificate, and those that lead to it. A secret."""


def split(text: str) -> IdentityText:
    """Tell the parts apart. Of a text whose certificate is before its key, all is the identity."""
    key = _KEY.search(text)
    if key is None or _CERTIFICATE not in text[key.start() :]:
        return IdentityText("", text)
    trusted = text[: key.start()]
    return IdentityText(trusted if _CERTIFICATE in trusted else "", text[key.start() :])
