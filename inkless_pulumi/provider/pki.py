"""Keys and X.509 certificates of a service: made, signed, read back.

Keys are EC P-256 in unencrypted PKCS#8: the form that every Java reads from a PEM file (Java 17 has
no decryption for the encrypted form that the cryptography package writes).

An authority is succeeded by one of the same name and another key. The old key signs a *link*, a
certificate for the new one (RFC 4210, 4.4: "new with old"). It is sent with every certificate that
the new authority signs, so that who trusts the old authority alone trusts those too. A link is
self-issued, so the old authority's path length of 0 allows it (RFC 5280, 4.2.1.9).
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider.identity_text import split

__all__ = [
    "Identity",
    "IdentityError",
    "addresses_of",
    "fingerprint",
    "is_in_last_third",
    "issue",
    "new_authority",
    "not_after",
    "parse",
    "pem_of",
    "subject_of",
    "succeed",
    "validity_days_of",
]

# A node whose clock is a little behind must not find the certificate not yet valid.
BACKDATED = timedelta(hours=1)


class IdentityError(InklessError):
    """A text is no private key with its certificate, or the two don't belong together."""


@dataclass(frozen=True)
class Identity:
    """A private key, its certificate, and the certificates that lead to it."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate
    links: tuple[x509.Certificate, ...] = ()
    """From the authority's key back to those of the authorities before it, newest first."""
    roots: tuple[x509.Certificate, ...] = ()
    """Of an authority: those before it, newest first. Of a leaf: its authority, if it has no links.
    Java follows a chain to its end, and the authority is not signed by those before it."""
    trusted: tuple[x509.Certificate, ...] = ()
    """Of a client that is told so by its secret alone: the authorities that it trusts."""

    def pem(self) -> str:
        """All of it as one PEM text: trusted, key, certificate, links, roots. A secret."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain = pem_of(self.certificate, *self.links, *self.roots)
        return pem_of(*self.trusted) + key.decode() + chain

    def issued_by(self, authority: x509.Certificate) -> bool:
        """Whether the authority signed the certificate."""
        return _is_signed_by(self.certificate, authority)


def new_authority(*, common_name: str, organization: str, days: int) -> Identity:
    """Make a certificate authority that may sign leaf certificates, but no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(organization, None, common_name)
    usage = _key_usage(signs_certificates=True)
    certificate = (
        _builder(name, name, key, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity(key, certificate)


def succeed(authority: Identity, *, days: int) -> Identity:
    """Make the authority that follows, linked to those before it that have not ended."""
    organization, _, common_name = subject_of(authority.certificate)
    new = new_authority(common_name=common_name, organization=organization, days=days)
    old, now = authority.certificate, datetime.now(UTC)
    link = (
        _builder(old.subject, old.subject, new.key, days, latest=old.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(_issuer_key(old), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    links, roots = (link, *authority.links), (old, *authority.roots)
    return Identity(
        new.key,
        new.certificate,
        links=tuple(link for link in links if link.not_valid_after_utc > now),
        roots=tuple(root for root in roots if root.not_valid_after_utc > now),
    )


def issue(
    authority: Identity,
    *,
    common_name: str,
    organizational_unit: str,
    organization: str,
    addresses: Sequence[str],
    days: int,
    with_authorities: bool = False,
) -> Identity:
    """Make a key and a certificate for a TLS server and client, valid at most as long as the CA.

    Args:
        authority: signs it.
        common_name: of the subject.
        organizational_unit: of the subject.
        organization: of the subject.
        addresses: IP addresses and host names that it is for.
        days: that it is valid.
        with_authorities: whether its owner is told to trust this authority and those before it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(organization, organizational_unit, common_name)
    signer = authority.certificate
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(subject, signer.subject, key, days, latest=signer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(_issuer_key(signer), critical=False)
    )
    if addresses:
        names = x509.SubjectAlternativeName([_general_name(address) for address in addresses])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(authority.key, hashes.SHA256())
    return Identity(
        key,
        certificate,
        authority.links,
        () if authority.links else (signer,),
        (signer, *authority.roots) if with_authorities else (),
    )


def parse(text: str) -> Identity:
    """Read back what `Identity.pem` wrote.

    Raises:
        IdentityError: the text is something else; it is not repeated in the message.
    """
    try:
        trusted, identity = split(text)
        key = serialization.load_pem_private_key(identity.encode(), password=None)
        certificate, *others = x509.load_pem_x509_certificates(identity.encode())
        authorities = x509.load_pem_x509_certificates(trusted.encode()) if trusted else []
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise IdentityError("is no PEM text with a private key and its certificate") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError("holds a private key that is not an EC key")
    if certificate.public_key() != key.public_key():
        raise IdentityError("holds a certificate that is not its private key's")
    roots = tuple(found for found in others if _is_signed_by(found, found))
    links = tuple(found for found in others if found not in roots)
    return Identity(key, certificate, links, roots, tuple(authorities))


def pem_of(*certificates: x509.Certificate) -> str:
    """Certificates as PEM, one after the other: public."""
    encoding = serialization.Encoding.PEM
    return "".join(certificate.public_bytes(encoding).decode() for certificate in certificates)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def not_after(certificate: x509.Certificate) -> str:
    """The last moment of validity, as RFC 3339 in UTC."""
    return certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_in_last_third(pem: str) -> bool:
    """Whether less than a third of a certificate's life is left."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    begin, end = certificate.not_valid_before_utc + BACKDATED, certificate.not_valid_after_utc
    return end - datetime.now(UTC) < (end - begin) / 3


def validity_days_of(certificate: x509.Certificate) -> int:
    """Days from issue to expiry, as they were asked for."""
    issued = certificate.not_valid_before_utc + BACKDATED
    return round((certificate.not_valid_after_utc - issued) / timedelta(days=1))


def subject_of(certificate: x509.Certificate) -> tuple[str, str, str]:
    """Organization, organizational unit and common name; empty where the subject has none."""
    parts = (NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME)
    found = [certificate.subject.get_attributes_for_oid(part) for part in parts]
    organization, unit, common_name = (str(values[0].value) if values else "" for values in found)
    return organization, unit, common_name


def addresses_of(certificate: x509.Certificate) -> list[str]:
    """The addresses and host names that the certificate is for, in its order."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    days: int,
    latest: datetime | None = None,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    expiry = now + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(min(expiry, latest) if latest else expiry)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(organization: str, unit: str | None, common_name: str) -> x509.Name:
    """A subject, encoded from the general to the particular.

    Java prints it the other way round, `CN=…,OU=…,O=…`, and that is what the brokers' rules for
    principals match.
    """
    parts = [(NameOID.ORGANIZATION_NAME, organization)]
    if unit is not None:
        parts.append((NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    parts.append((NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Tells authorities of one name apart."""
    key = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key)


def _is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
