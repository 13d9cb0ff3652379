"""The administrators' identity as a TLS context. The private key never touches a disk."""

import os
import ssl

from inkless_pulumi.provider.identity_text import split

__all__ = ["client_context"]

_PIPE_CAPACITY = 16384  # the smallest default of the systems we run on (macOS)


def client_context(ca_certificate: str | None, secret: str) -> ssl.SSLContext:
    """A context that trusts a cluster's CA and shows one client certificate.

    Args:
        ca_certificate: PEM of the CA; without it, those that come with the identity are trusted.
        secret: the identity as it is in its secret: PEM of the private key (unencrypted PKCS#8) and
            its certificate chain, and before these, of the authorities to trust.

    Raises:
        ValueError: one of the two is not what it should be; the text says which.
    """
    beside, identity = split(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        trusted = (beside or identity) if ca_certificate is None else ca_certificate
        context.load_verify_locations(cadata=trusted)
    except (ssl.SSLError, ValueError) as error:
        what = "what comes with the identity" if ca_certificate is None else "the CA certificate"
        raise ValueError(f"{what} is not a certificate in PEM") from error
    _load_identity(context, identity.encode())
    return context


def _load_identity(context: ssl.SSLContext, pem: bytes) -> None:
    """Hand a key to OpenSSL, which only takes paths: those of two pipes (it reads one twice)."""
    if len(pem) > _PIPE_CAPACITY:
        raise ValueError(f"the identity is {len(pem)} bytes long; a key and its chain are shorter")
    certificate, key = _filled_pipe(pem), _filled_pipe(pem)
    try:
        context.load_cert_chain(f"/dev/fd/{certificate}", f"/dev/fd/{key}", password="")
    except (OSError, ValueError) as error:
        reason = "not an unencrypted private key with its certificate, both in PEM"
        raise ValueError(f"the identity is {reason}") from error
    finally:
        os.close(certificate)
        os.close(key)


def _filled_pipe(content: bytes) -> int:
    reader, writer = os.pipe()
    try:
        os.write(writer, content)
    finally:
        os.close(writer)
    return reader
