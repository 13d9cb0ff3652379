"""A SOCKS5 proxy (RFC 1928, CONNECT without a password) on loopback, for tests."""

import contextlib
import ipaddress
import select
import socket
import socketserver
import threading
from collections.abc import Iterator


class _Tunnel(socketserver.BaseRequestHandler):
    server: "SocksProxy"

    def handle(self) -> None:
        client: socket.socket = self.request
        _, methods = _exactly(client, 2)
        _exactly(client, methods)
        client.sendall(b"\x05\x00")
        kind = _exactly(client, 4)[3]
        if kind == 1:
            host = str(ipaddress.ip_address(_exactly(client, 4)))
        else:
            host = _exactly(client, _exactly(client, 1)[0]).decode()
        port = int.from_bytes(_exactly(client, 2), "big")
        self.server.asked_for.append(f"{host}:{port}")
        with socket.create_connection(self.server.detour or (host, port), timeout=5) as target:
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            _pump(client, target)


class SocksProxy(socketserver.ThreadingTCPServer):
    """Remembers what it was asked for."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.asked_for: list[str] = []
        self.detour: tuple[str, int] | None = None
        """Where every connection leads, whatever was asked for."""

    @property
    def url(self) -> str:
        return f"socks5://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def socks_proxy() -> Iterator[SocksProxy]:
    """A proxy that runs until the block ends."""
    with SocksProxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


def _exactly(connection: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        chunk = connection.recv(count - len(content))
        if not chunk:
            raise ConnectionError("the client hung up")
        content += chunk
    return content


def _pump(one: socket.socket, other: socket.socket) -> None:
    while True:
        for source in select.select([one, other], [], [])[0]:
            chunk = source.recv(65536)
            if not chunk:
                return
            (other if source is one else one).sendall(chunk)
