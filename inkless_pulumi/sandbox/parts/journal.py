"""What the account's API was asked to change, kept on disk: a killed server comes back with it all.

A cloud loses no bucket and no secret when one of its servers dies, so a sandbox must not either.
Moto has them in memory. In front of it each request that changed something is written down before
it is answered, and carried out again when the server starts, in the same order.

The values of secrets are among it, so each entry is encrypted with the sandbox's passphrase, as
the state of its stacks is.
"""

import base64
import hashlib
import io
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

__all__ = ["Journal", "StartResponse", "changes_something"]

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_ACTIONS = ("BatchGet", "Describe", "Get", "List")


class Journal:
    """A WSGI application in front of another one, and the file of what that one did.

    Args:
        application: what carries requests out.
        file: the journal; it may not exist yet.
        passphrase: what the entries are encrypted with.
        identify: told before each change a text of its own, the same again when it is replayed: ids
            that the application makes up must follow from it.
    """

    def __init__(
        self,
        application: Application,
        file: Path,
        passphrase: str,
        identify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._application = application
        self._file = file
        key = base64.urlsafe_b64encode(hashlib.sha256(passphrase.encode()).digest())
        self._cipher = Fernet(key)
        self._identify = identify
        self._lock = threading.Lock()
        self._entries = 0

    def replay(self) -> int:
        """Carry out again what is written down; tells how many requests that were.

        A last entry that a kill cut off was not answered, so nobody counts on it: it is removed.
        """
        good = 0
        for end, entry in self._written():
            body = base64.b64decode(entry["body"])
            self._carry_out({**_server_side(), **entry["request"]}, body)
            self._entries += 1
            good = end
        if self._file.is_file():
            with self._file.open("ab") as file:
                file.truncate(good)
        return self._entries

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer; one change at a time, written down where it was made."""
        if not changes_something(environ):
            return self._application(environ, start_response)
        body = _body(environ)
        request = {name: value for name, value in environ.items() if _is_told(name, value)}
        with self._lock:
            status, headers, answer = self._carry_out(environ, body)
            if status.startswith("2"):
                self._write({"request": request, "body": base64.b64encode(body).decode()})
                self._entries += 1
        start_response(status, headers)
        return [answer]

    def _carry_out(self, environ: dict[str, Any], body: bytes) -> tuple[str, Any, bytes]:
        from werkzeug.test import run_wsgi_app

        given = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        self._identify(f"{self._entries} {hashlib.sha256(body).hexdigest()}")
        answer, status, headers = run_wsgi_app(self._application, environ | given, buffered=True)
        return status, list(headers), b"".join(answer)

    def _write(self, entry: dict[str, Any]) -> None:
        with self._file.open("ab") as file:
            file.write(self._cipher.encrypt(json.dumps(entry).encode()) + b"\n")

    def _written(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each whole entry, and where in the file it ends."""
        if not self._file.is_file():
            return
        with self._file.open("rb") as file:
            for line in file:
                try:
                    entry = json.loads(self._cipher.decrypt(line.strip()))
                except InvalidToken:
                    return
                yield file.tell(), entry


def changes_something(environ: dict[str, Any]) -> bool:
    """Whether a request to AWS is one that changes a bucket, an object, a secret or a parameter."""
    signed = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed and signed[1] == "s3":
        return environ["REQUEST_METHOD"] not in _READING_METHODS
    action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return bool(action) and not action.startswith(_READING_ACTIONS)


def _body(environ: dict[str, Any]) -> bytes:
    is_terminated = environ.get("wsgi.input_terminated")
    size = -1 if is_terminated else int(environ.get("CONTENT_LENGTH") or 0)
    return bytes(environ["wsgi.input"].read(size))


def _is_told(name: str, value: Any) -> bool:
    """Whether a part of a request is the client's, rather than our server's."""
    return isinstance(value, str) and "." not in name


def _server_side() -> dict[str, Any]:
    """What a server adds to a request."""
    from werkzeug.test import EnvironBuilder

    return {name: value for name, value in EnvironBuilder().get_environ().items() if "." in name}
