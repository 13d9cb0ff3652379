"""Why a cluster can't be reached, found out by trying step by step.

kafka-python hides every TLS failure behind "unable to bootstrap". So the same steps are taken here,
one at a time, at each address: resolve the name, connect, shake hands, and ask what versions the
server speaks. Under TLS 1.3 a server that refuses a client's certificate says so only after the
client believes the handshake to be done: hence the question.
"""

import socket
import ssl
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import socks

from inkless_pulumi.provider.kafka.model import Finding

__all__ = ["nothing_listens", "probe", "probe_all", "without_password"]

STEP_TIMEOUT = 5.0
_GLANCE_TIMEOUT = 1.0

# Length, API key, version, correlation id, no client id. ApiVersions (18) is answered by every
# listener; Metadata (3, about no topic) only to who needs no SASL.
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
_METADATA = struct.pack(">ihhihi", 14, 3, 1, 2, -1, 0)

# OpenSSL's verification results, from x509_vfy.h.
_NOT_YET_VALID, _EXPIRED, _HOST_MISMATCH, _ADDRESS_MISMATCH = 9, 10, 62, 64

# What a server's TLS alert says about our certificate (RFC 8446, 6.2).
_ALERTS = {
    "CERTIFICATE_REQUIRED": "the server asks for a client certificate and got none",
    "CERTIFICATE_EXPIRED": "the server refused our client certificate as expired",
    "CERTIFICATE_REVOKED": "the server refused our client certificate as revoked",
    "UNKNOWN_CA": "the server does not trust the CA that signed our client certificate",
    "BAD_CERTIFICATE": "the server refused our client certificate",
    "CERTIFICATE_UNKNOWN": "the server refused our client certificate, or its name",
    "HANDSHAKE_FAILURE": "the server refused our client certificate, or its name",
}


def probe_all(
    addresses: Sequence[str],
    context: ssl.SSLContext,
    proxy: str | None = None,
) -> list[Finding]:
    """Probe all addresses at once; takes a few times `STEP_TIMEOUT` at most."""
    with ThreadPoolExecutor(max_workers=max(1, len(addresses))) as threads:
        return list(threads.map(lambda address: probe(address, context, proxy), addresses))


def nothing_listens(addresses: Sequence[str], proxy: str | None = None) -> list[Finding]:
    """Findings, if the connection is refused at every address; none if one may be worth a try."""
    with ThreadPoolExecutor(max_workers=max(1, len(addresses))) as threads:
        findings = list(threads.map(lambda address: _refused(address, proxy), addresses))
    return [finding for finding in findings if finding] if all(findings) else []


def _refused(address: str, proxy: str | None) -> Finding | None:
    host, _, port = address.rpartition(":")
    try:
        _connect(host.strip("[]"), int(port), proxy, _GLANCE_TIMEOUT).close()
    except ConnectionRefusedError as error:
        return Finding(address, "network", _network_detail(error, proxy), vacant=True)
    except OSError:
        return None  # whoever tries longer may get through
    return None


def probe(address: str, context: ssl.SSLContext, proxy: str | None = None) -> Finding:
    """Find out how far one gets at an address (`host:port`)."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdigit():
        return Finding(address, "network", "this is no address; it should be host:port", final=True)
    try:
        connection = _connect(host, int(port), proxy)
    except OSError as error:
        vacant = isinstance(error, ConnectionRefusedError)
        return Finding(address, "network", _network_detail(error, proxy), vacant=vacant)
    with connection:
        try:
            with context.wrap_socket(connection, server_hostname=host) as secured:
                return _ask(address, secured)
        except OSError as error:
            return _tls_finding(address, host, error)


def _connect(
    host: str, port: int, proxy: str | None, timeout: float = STEP_TIMEOUT
) -> socket.socket:
    if proxy is None:
        return socket.create_connection((host, port), timeout=timeout)
    way = urlsplit(proxy)
    connection: socket.socket = socks.create_connection(
        (host, port),
        timeout=timeout,
        proxy_type=socks.SOCKS5,
        proxy_addr=way.hostname,
        proxy_port=way.port or 1080,
        proxy_rdns=way.scheme == "socks5h",
        proxy_username=way.username,
        proxy_password=way.password,
    )
    return connection


def _ask(address: str, connection: ssl.SSLSocket) -> Finding:
    if not _answers(connection, _API_VERSIONS):
        detail = "the server hung up after the TLS handshake: the name in our client certificate"
        return Finding(address, "authentication", f"{detail} may be none that it accepts")
    if not _answers(connection, _METADATA):
        detail = "this listener asks for a user and a password; use the one for mutual TLS"
        return Finding(address, "authentication", detail, final=True)
    detail = "connects and answers, but the cluster did not: it may still be starting"
    return Finding(address, "service", detail)


def _answers(connection: ssl.SSLSocket, question: bytes) -> bool:
    """Whether a question is answered; False when the server hangs up instead."""
    connection.sendall(question)
    header = _received(connection, 4)
    if len(header) < 4:
        return False
    length = int.from_bytes(header, "big")
    return len(_received(connection, length)) == length


def _received(connection: ssl.SSLSocket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        chunk = connection.recv(length - len(content))
        if not chunk:
            break
        content += chunk
    return content


def _network_detail(error: OSError, proxy: str | None) -> str:
    if isinstance(error, socks.ProxyError):
        return f"the proxy {without_password(proxy or '')} can't connect: {error}"
    if isinstance(error, socket.gaierror):
        return "the name can't be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused, nothing listens there"
    if isinstance(error, TimeoutError):
        return (
            f"no answer within {STEP_TIMEOUT:g} s; the address is wrong, or a firewall or a "
            "missing route is in the way"
        )
    return error.strerror or str(error)


def _tls_finding(address: str, host: str, error: OSError) -> Finding:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Finding(address, "TLS", _verification_detail(host, error), final=True)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        for alert, detail in _ALERTS.items():
            if alert in reason:
                return Finding(address, "authentication", detail, final=True)
        if reason == "WRONG_VERSION_NUMBER":
            return Finding(address, "TLS", "what listens there does not speak TLS", final=True)
        return Finding(address, "TLS", f"the handshake failed: {reason or error}")
    if isinstance(error, TimeoutError):
        return Finding(address, "TLS", f"the handshake got no answer within {STEP_TIMEOUT:g} s")
    return Finding(address, "TLS", f"the connection broke off during the handshake: {error}")


def _verification_detail(host: str, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "the server's certificate has expired"
    if error.verify_code == _NOT_YET_VALID:
        return "the server's certificate is not valid yet; compare the clocks"
    if error.verify_code in (_HOST_MISMATCH, _ADDRESS_MISMATCH):
        return f"the server's certificate is not for {host}; is this another server?"
    return (
        "the server's certificate was not signed by a CA that is trusted here "
        f"({error.verify_message}); compare it with the connection's ca_certificate or, without "
        "one, with what its secret has before the key"
    )


def without_password(proxy: str) -> str:
    """A proxy's URL as it may be shown."""
    way = urlsplit(proxy)
    return way._replace(netloc=way.netloc.rpartition("@")[2]).geturl()
