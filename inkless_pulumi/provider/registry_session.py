"""HTTP to one container registry: who we are, what is tried again, where a redirect may lead.

Everything `registry.py` says to a registry passes through `RegistrySession`, so these rules hold
for every request:

- Plain HTTP is spoken to loopback addresses only, HTTPS to all others, redirects and token
  services included.
- A 401 is answered once with what its challenge asks for: a token (anonymous or with
  credentials; the Docker token protocol, as ghcr uses it) or Basic credentials (Amazon ECR).
- Credentials go to the registry and to the token service it names, and never along a redirect
  to another origin.
- What may pass by itself (a broken connection, 429, 5xx) is tried again a bounded number of
  times, what will not (wrong credentials, a full disk) fails at once.
- Every failure is a `RegistryError` that names the registry, what was attempted and the way out.
"""

import base64
import ipaddress
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self, TypeVar

import httpx

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider.registry_credentials import Credentials

_T = TypeVar("_T")

ATTEMPTS = 5
_MAX_REDIRECTS = 5
_MAX_WAIT_SECONDS = 20.0
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})
_DOCKER_HUB_API = "registry-1.docker.io"
_CHALLENGE_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
# How registries that write to a disk report ENOSPC behind a 500: the reference registry passes the
# errno on ("Err":28), others its text.
_DISK_FULL = re.compile(r'no space left|"Err"\s*:\s*28\b|ENOSPC|quota exceeded', re.IGNORECASE)


class RegistryUnreachable(RegistryError):
    """No connection to the registry, or none that lasted."""


class RegistryDenied(RegistryError):
    """The registry refused the credentials, or anonymous access."""


class RegistryNotFound(RegistryError):
    """The registry has no such repository, manifest or blob."""


class RegistryFull(RegistryError):
    """The registry has no space left."""


class TransientFailure(Exception):
    """A failure worth another attempt; `final` is the error to raise when there is none left."""

    def __init__(self, final: RegistryError, retry_after: float | None = None) -> None:
        super().__init__(str(final))
        self.final = final
        self.retry_after = retry_after


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or address without port) never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def api_base(host: str) -> str:
    """The URL below which a registry's API lives: `http` on loopback, `https` elsewhere."""
    if host == "docker.io":
        host = _DOCKER_HUB_API
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return f"{'http' if is_loopback(name) else 'https'}://{host}"


@dataclass(frozen=True)
class Call:
    """One request: what is asked, and how to speak of it in an error ("reading manifest …")."""

    method: str
    url: str
    doing: str
    scope: str
    """Names the token that serves it; requests of one scope share a token."""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Iterable[bytes] | None = None
    """An iterable is sent once: such a call is not repeated here but by whoever made it."""


class RegistrySession:
    """A connection pool to one registry, with its credentials. Safe to use from many threads."""

    def __init__(
        self,
        host: str,
        credentials: Credentials | None = None,
        *,
        attempts: int = ATTEMPTS,
        connect_timeout: float = 10.0,
        timeout: float = 60.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is sent yet.

        Args:
            host: the registry, as in a reference: `ghcr.io`, `127.0.0.1:5000`.
            credentials: None asks anonymously.
            attempts: how often a call is made in all while it fails in a way that may pass.
            connect_timeout: seconds.
            timeout: seconds without any progress.
            pause: waits that many seconds, and raises where the operation was cancelled; also
                called with 0 before every call, to learn that.
        """
        self.host = host
        self.attempts = attempts
        self._credentials = credentials
        self.pause = pause
        self._authorizations: dict[str, str] = {}
        self._lock = threading.Lock()
        base = api_base(host)
        self._client = httpx.Client(
            base_url=base,
            timeout=httpx.Timeout(timeout, connect=connect_timeout, pool=None),
            follow_redirects=False,
            # A proxy of the environment is for the outside, never for this machine.
            trust_env=base.startswith("https"),
            headers={"user-agent": "inkless-pulumi", "accept-encoding": "identity"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, call: Call, *, expect: Iterable[int]) -> httpx.Response:
        """The answer to `call`, read whole, if its status is expected; else a RegistryError."""

        def attempt() -> httpx.Response:
            with self.stream(call, expect=expect) as response:
                try:
                    response.read()
                except httpx.TransportError as error:
                    raise self.broken(call, error) from error
                return response

        return self.retry(attempt)

    @contextmanager
    def stream(self, call: Call, *, expect: Iterable[int]) -> Iterator[httpx.Response]:
        """One attempt at `call`, its answer unread. Raises TransientFailure or RegistryError."""
        response = self._authorized(call)
        try:
            if response.status_code not in frozenset(expect):
                raise self._refusal(call, response)
            yield response
        finally:
            response.close()

    def retry(self, attempt: Callable[[], _T]) -> _T:
        """The result of `attempt`, called again after a TransientFailure, with growing waits."""
        for number in range(1, self.attempts + 1):
            self.pause(0)
            try:
                return attempt()
            except TransientFailure as failure:
                if number == self.attempts:
                    raise failure.final from failure
                self.back_off(number, failure)
        raise AssertionError("attempts is at least 1")

    def back_off(self, number: int, failure: TransientFailure) -> None:
        """Wait before attempt `number` + 1: what the registry asked for, else 0.5 s doubling."""
        wanted = failure.retry_after if failure.retry_after is not None else 0.25 * 2.0**number
        self.pause(min(wanted, _MAX_WAIT_SECONDS))

    def broken(self, call: Call, error: Exception) -> TransientFailure:
        """What to raise where the connection failed during `call`."""
        cause = str(error) or type(error).__name__
        certificate = isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in cause
        remedy = (
            "Its certificate is not trusted here: name the CA bundle in SSL_CERT_FILE."
            if certificate
            else "Check the registry's name, the network and the proxy settings, and that it runs."
        )
        final = RegistryUnreachable(
            f"The registry {self.host} could not be reached while {call.doing}: {cause}. {remedy}"
        )
        return TransientFailure(final)

    # --- authentication

    def _authorized(self, call: Call) -> httpx.Response:
        with self._lock:
            authorization = self._authorizations.get(call.scope)
        response = self._follow(call, authorization)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return response
        challenges = response.headers.get_list("www-authenticate")
        refusal = self._refusal(call, response)
        response.close()
        fresh = self._answer_challenge(call, challenges)
        if fresh is None:
            raise refusal
        with self._lock:
            self._authorizations[call.scope] = fresh
        if call.content is not None and not isinstance(call.content, bytes):
            raise TransientFailure(RegistryDenied(str(refusal)), retry_after=0)
        return self._follow(call, fresh)

    def _answer_challenge(self, call: Call, challenges: list[str]) -> str | None:
        for challenge in challenges:
            scheme, _, rest = challenge.partition(" ")
            if scheme.lower() == "bearer":
                return self._fetch_token(call, _parameters(rest))
        if self._credentials and any(c.lower().startswith("basic") for c in challenges):
            return _basic(self._credentials)
        return None

    def _fetch_token(self, call: Call, parameters: Mapping[str, str]) -> str:
        realm = httpx.URL(parameters.get("realm", ""))
        self._require_safe(realm, "token service")
        query: list[tuple[str, str | int | float | bool | None]] = []
        if service := parameters.get("service"):
            query.append(("service", service))
        query += [("scope", scope) for scope in parameters.get("scope", "").split()]
        headers = {"authorization": _basic(self._credentials)} if self._credentials else {}
        try:
            answer = self._client.get(
                realm.copy_merge_params(httpx.QueryParams(query)), headers=headers
            )
        except httpx.TransportError as error:
            raise self.broken(call, error) from error
        if answer.status_code != httpx.codes.OK:
            raise self._refusal(call, answer)
        try:
            body = answer.json()
            return f"Bearer {body.get('token') or body['access_token']}"
        except (ValueError, LookupError, AttributeError) as error:
            raise RegistryError(
                f"The token service {realm.host} of the registry {self.host} answered without a "
                "token. Check that the registry's name is right."
            ) from error

    # --- redirects

    def _follow(self, call: Call, authorization: str | None) -> httpx.Response:
        origin = url = self._client.base_url.join(call.url)
        for _ in range(_MAX_REDIRECTS):
            self._require_safe(url, "address")
            headers = dict(call.headers)
            if authorization and _origin(url) == _origin(origin):
                headers["authorization"] = authorization
            try:
                request = self._client.build_request(
                    call.method, url, headers=headers, content=call.content
                )
                response = self._client.send(request, stream=True)
            except httpx.TransportError as error:
                raise self.broken(call, error) from error
            location = response.headers.get("location")
            reading = call.method in {"GET", "HEAD"}
            if not (reading and response.status_code in _REDIRECT_STATUS and location):
                return response
            response.close()
            url = url.join(location)
        raise RegistryError(
            f"The registry {self.host} redirects in circles while {call.doing}. "
            "Check the registry's own address settings."
        )

    def _require_safe(self, url: httpx.URL, what: str) -> None:
        if url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host)):
            return
        raise RegistryError(
            f"The registry {self.host} names the {what} {url.scheme}://{url.host}, where the "
            "connection would not be encrypted. Plain HTTP is spoken to loopback addresses only: "
            "serve it with TLS."
        )

    # --- refusals

    def _refusal(self, call: Call, response: httpx.Response) -> Exception:
        """The exception for an unexpected status; says what the registry itself gave as reason."""
        status = response.status_code
        try:
            text = response.read().decode(errors="replace")
        except (httpx.TransportError, httpx.StreamError):
            text = ""
        said = f"{status} {_reason(text)}".strip()
        at = f"The registry {self.host}"
        if status in {401, 403}:
            return RegistryDenied(
                f"{at} refused access while {call.doing} ({said}). {self._credentials_remedy()}"
            )
        if status == httpx.codes.NOT_FOUND:
            return RegistryNotFound(
                f"{at} does not have what was asked for while {call.doing} "
                f"({said}). Check the repository and the tag or digest."
            )
        if status == 507 or (status >= 500 and _DISK_FULL.search(text)):
            return RegistryFull(
                f"{at} has no space left ({said} while {call.doing}). Free space "
                "on it, then run this again: what has been copied is kept."
            )
        final = RegistryError(
            f"{at} answered {said} while {call.doing}. "
            "Check the registry's own log; run this again if it was passing."
        )
        if status in _TRANSIENT_STATUS:
            return TransientFailure(final, _retry_after(response))
        return final

    def _credentials_remedy(self) -> str:
        if self._credentials is None:
            return (
                "It was asked anonymously: check that the name is right and public, or log in "
                f"with `docker login {self.host}`."
            )
        return (
            f"The credentials came from {self._credentials.source}: check that they are "
            "current and may do this."
        )


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _parameters(challenge: str) -> dict[str, str]:
    return {m[1].lower(): m[2] or m[3] or "" for m in _CHALLENGE_PARAMETER.finditer(challenge)}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _reason(text: str) -> str:
    """The registry's own words, from its error document where it sent one; at most 200 letters."""
    messages = re.findall(r'"(?:code|message)"\s*:\s*"([^"]+)"', text)
    return ": ".join(dict.fromkeys(messages))[:200] if messages else ""


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None
