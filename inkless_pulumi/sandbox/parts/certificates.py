"""The sandbox's database CA, and the certificates that its database servers show."""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inkless_pulumi.sandbox.home import Home, write_whole

_VALIDITY = timedelta(days=3650)
_CLOCK_TOLERANCE = timedelta(minutes=5)


def database_ca(home: Home) -> Path:
    """The file that database clients trust."""
    return home.trust / "database-ca.pem"


def _database_ca_key(home: Home) -> Path:
    return home.trust / "database-ca-key.pem"


def ensure_database_ca(home: Home) -> None:
    """Make the CA, once a sandbox. The certificate is written last: where it is, the key is."""
    if database_ca(home).is_file():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Inkless sandbox database CA")])
    certificate = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_whole(_database_ca_key(home), _key_text(key))
    write_whole(database_ca(home), _certificate_text(certificate), mode=0o644)


def issue_server_certificate(home: Home, address: str, directory: Path, owner: int) -> None:
    """Write `server.pem` and `server-key.pem`, valid for an address, into a directory."""
    ca = x509.load_pem_x509_certificate(database_ca(home).read_bytes())
    ca_key = serialization.load_pem_private_key(_database_ca_key(home).read_bytes(), None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the database CA's key is not of the kind that this makes")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    certificate = (
        _builder(name, ca.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    for file_name, text in (
        ("server-key.pem", _key_text(key)),
        ("server.pem", _certificate_text(certificate)),
    ):
        path = directory / file_name
        write_whole(path, text)
        if os.geteuid() == 0:
            os.chown(path, owner, -1)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_TOLERANCE)
        .not_valid_after(now + _VALIDITY)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _certificate_text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
