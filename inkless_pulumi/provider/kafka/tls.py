"""The administrators' identity as a TLS context. The private key never touches a disk."""

import os
import ssl

__all__ = ["client_context"]

_PIPE_CAPACITY = 16384  # the smallest default of the systems we run on (macOS)


def client_context(ca_certificate: str, identity: str) -> ssl.SSLContext:
    """A context that trusts one CA and shows one client certificate.

    Args:
        ca_certificate: PEM of the cluster's CA.
        identity: PEM of the private key (unencrypted PKCS#8) and its certificate chain.

    Raises:
        ValueError: one of the two is not what it should be; the text says which.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=ca_certificate)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("the CA certificate is not a certificate in PEM") from error
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
