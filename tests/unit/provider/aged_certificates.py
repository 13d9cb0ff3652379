"""Certificates that are as old as a test wants them."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from inkless_pulumi.provider import pki


def aged_certificate(*, days: float, left: timedelta) -> x509.Certificate:
    """One that is valid for so many days, so long before its end."""
    end = datetime.now(UTC) + left
    name = x509.Name([])
    key = ec.generate_private_key(ec.SECP256R1())
    begin = end - timedelta(days=days) - pki.BACKDATED
    return x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end).sign(
        key, hashes.SHA256()
    )
