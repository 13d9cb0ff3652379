"""Registries for tests, all on loopback: Debian's `docker-registry`, and one that misbehaves."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from inkless_pulumi.core.errors import ToolchainError
from inkless_pulumi.sandbox.parts.registry import find_program

_CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: "{root}"}}
  delete: {{enabled: {delete}}}
http: {{addr: "127.0.0.1:{port}"}}
{auth}
"""
_DEADLINE_SECONDS = 20


@contextmanager
def docker_registry(
    home: Path, *, htpasswd: Path | None = None, delete: bool = True, storage: Path | None = None
) -> Iterator[str]:
    """Run the reference registry with its data below `home`; yields `127.0.0.1:<port>`."""
    try:
        program = find_program(progress=print)
    except ToolchainError as error:
        pytest.skip(str(error))
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    auth = f"auth: {{htpasswd: {{realm: test, path: {htpasswd}}}}}" if htpasswd else ""
    configuration = home / "registry.yml"
    configuration.write_text(
        _CONFIGURATION.format(
            root=storage or home / "data", port=port, auth=auth, delete=str(delete).lower()
        )
    )
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", configuration], stdout=log, stderr=log)
    try:
        _wait_until_it_serves(process, port, home / "log")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_DEADLINE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_serves(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"docker-registry ended: {log.read_text()}")
        try:
            httpx.get(f"http://127.0.0.1:{port}/v2/", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"docker-registry did not serve within {_DEADLINE_SECONDS} s: {log.read_text()}")


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What to answer; `drop_after` closes the connection after so many bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after: int | None = None


@dataclass(frozen=True)
class ScriptedRegistry:
    """A server that answers as it is told, and remembers what it was asked."""

    host: str
    asked: list[Asked]

    def authorizations(self) -> list[str | None]:
        """The Authorization header of each request, in order."""
        return [request.headers.get("authorization") for request in self.asked]


@contextmanager
def scripted_registry(
    respond: Callable[[Asked], Answer], address: str = "127.0.0.1"
) -> Iterator[ScriptedRegistry]:
    """Serve `respond` on a loopback address."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("content-length", 0))
            self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Asked(self.command, self.path, headers)
            asked.append(request)
            answer = respond(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body[: answer.drop_after])
            if answer.drop_after is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer((address, 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        yield ScriptedRegistry(f"{address}:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
