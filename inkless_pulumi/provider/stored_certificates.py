"""Certificates in the secret store: what their resources share.

In the store, a secret holds one PEM text: a private key, its certificate, and the certificates that
lead to it (see `pki.Identity` and `identity_text`). State has the certificate, its fingerprint and
its expiry.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.provider.resource import WireModel
from inkless_pulumi.provider.secret_stores import SecretStore

if TYPE_CHECKING:
    from inkless_pulumi.provider import pki

__all__ = [
    "CertificateOutputs",
    "certificate_problems",
    "ends_soon",
    "find_identity",
    "public_side",
]

_LONGEST_NAME = 64  # RFC 5280, upper bounds of X.520 names
_NAME_PARTS = ("common_name", "organizational_unit", "organization")


class CertificateOutputs(WireModel):
    """The public side of what was made."""

    certificate: str
    """The certificate as PEM. Of an authority, those before it follow while they last."""
    fingerprint: str
    """SHA-256 of the certificate, in hexadecimal."""
    not_after: str
    """When it expires: RFC 3339, UTC."""


def certificate_problems(known: Mapping[str, object]) -> Iterable[Problem]:
    """Rules that both kinds share."""
    for part in _NAME_PARTS:
        text = known.get(part)
        if isinstance(text, str) and not 1 <= len(text) <= _LONGEST_NAME:
            remedy = f"use 1 to {_LONGEST_NAME} characters"
            yield Problem(part, text, "does not fit into a certificate (RFC 5280)", remedy)
    days = known.get("validity_days")
    if isinstance(days, int) and not 1 <= days <= 36500:
        yield Problem("validity_days", days, "is out of range", "use 1 to 36500 days")


def find_identity(store: SecretStore, secret_id: str) -> "pki.Identity | None":
    """The identity in a secret; None when the secret has no value or one that is no identity."""
    from inkless_pulumi.provider import pki

    stored = store.find(secret_id)
    if stored is None:
        return None
    try:
        return pki.parse(stored.value)
    except pki.IdentityError:
        return None


def ends_soon(outputs: CertificateOutputs, days: object) -> bool:
    """Whether less than a third of a certificate's life is left.

    Nothing is read from the certificate as long as the declared time tells that it is not.
    """
    left = datetime.fromisoformat(outputs.not_after) - datetime.now(UTC)
    if not isinstance(days, int) or left >= timedelta(days=days) / 3:
        return False
    from inkless_pulumi.provider import pki

    return pki.is_in_last_third(outputs.certificate)


def public_side(identity: "pki.Identity") -> CertificateOutputs:
    """What state knows of an identity."""
    from inkless_pulumi.provider import pki

    return CertificateOutputs(
        certificate=pki.pem_of(identity.certificate),
        fingerprint=pki.fingerprint(identity.certificate),
        not_after=pki.not_after(identity.certificate),
    )
