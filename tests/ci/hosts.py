"""The comment APIs of GitHub and GitLab, as far as the templates use them, on loopback."""

import json
import re
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["Comment", "GitHub", "GitLab", "Host", "Request", "serving"]

_MOST_A_PAGE = 100
Answer = tuple[int, Any]


@dataclass
class Comment:
    """A comment and who wrote it."""

    id: int
    author: str
    body: str


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass
class Host(ABC):
    """A host whose request 7 has comments."""

    token: str = "token-that-nobody-may-see"
    me: str = "us"
    commit: str = "abc123"
    """What the request ends with."""
    comments: list[Comment] = field(default_factory=list)
    failing: dict[str, int] = field(default_factory=dict)
    """Statuses with which a method fails."""
    requests: list[Request] = field(default_factory=list)
    address: str = ""
    longest: ClassVar[int]
    default_page: ClassVar[int]

    def say(self, author: str, body: str) -> Comment:
        """A new comment."""
        comment = Comment(len(self.comments) + 1001, author, body)
        self.comments.append(comment)
        return comment

    def answer(self, request: Request) -> Answer:
        """Status and JSON."""
        self.requests.append(request)
        if not self.knows(request.headers):
            return 401, {"message": "Bad credentials"}
        if request.method in self.failing:
            return self.failing[request.method], {"message": "not today"}
        return self.route(request)

    def page(self, listed: list[Comment], query: Mapping[str, str]) -> list[Any]:
        """A page of a list."""
        size = min(int(query.get("per_page", self.default_page)), _MOST_A_PAGE)
        start = (int(query.get("page", 1)) - 1) * size
        return [self.shown(comment) for comment in listed[start : start + size]]

    def write(self, comment: Comment, body: str) -> Answer:
        """Write over a comment; one may do so with one's own."""
        if comment.author != self.me:
            return 403, {"message": "Forbidden"}
        if len(body) > self.longest:
            return 422, {"message": "Validation Failed"}
        comment.body = body
        return 200, self.shown(comment)

    def create(self, body: str) -> Answer:
        """Write a comment of one's own."""
        if len(body) > self.longest:
            return 422, {"message": "Validation Failed"}
        return 201, self.shown(self.say(self.me, body))

    @abstractmethod
    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether the token is there, in the host's own way."""

    @abstractmethod
    def route(self, request: Request) -> Answer:
        """What the host answers."""

    @abstractmethod
    def shown(self, comment: Comment) -> Any:
        """A comment as the host shows it."""


@dataclass
class GitHub(Host):
    """Oldest first; whoever may write may write over all comments."""

    me: str = "github-actions[bot]"
    repository: str = "acme/shop"
    head: str = "acme:change"
    longest: ClassVar[int] = 65_536
    default_page: ClassVar[int] = 30

    def knows(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {self.token}"

    def route(self, request: Request) -> Answer:
        issues = f"/repos/{self.repository}/issues"
        match request.method, request.path:
            case "GET", path if path == f"/repos/{self.repository}/pulls":
                pulls = [{"number": 7, "head": {"sha": self.commit}}]
                return 200, pulls if request.query.get("head") == self.head else []
            case "GET", path if path == f"{issues}/7/comments":
                return 200, self.page(self.comments, request.query)
            case "POST", path if path == f"{issues}/7/comments":
                return self.create(request.body["body"])
            case "PATCH", path if path.startswith(f"{issues}/comments/"):
                for comment in self.comments:
                    if path == f"{issues}/comments/{comment.id}":
                        return self.write(comment, request.body["body"])
        return 404, {"message": "Not Found"}

    def shown(self, comment: Comment) -> Any:
        url = f"https://github.example/{self.repository}/pull/7#issuecomment-{comment.id}"
        user = {"login": comment.author}
        return {"id": comment.id, "user": user, "body": comment.body, "html_url": url}


@dataclass
class GitLab(Host):
    """Newest first; only the author writes over a note."""

    me: str = "project_1_bot"
    longest: ClassVar[int] = 1_000_000
    default_page: ClassVar[int] = 20

    def knows(self, headers: Mapping[str, str]) -> bool:
        return headers.get("private-token") == self.token

    def route(self, request: Request) -> Answer:
        merge_request = "/api/v4/projects/1/merge_requests/7"
        match request.method, request.path:
            case "GET", "/api/v4/user":
                return 200, {"id": self._number(self.me), "username": self.me}
            case "GET", path if path == merge_request:
                return 200, {"iid": 7, "sha": self.commit}
            case "GET", path if path == f"{merge_request}/notes":
                return 200, self.page(self.comments[::-1], request.query)
            case "POST", path if path == f"{merge_request}/notes":
                return self.create(request.body["body"])
            case "PUT", path if found := re.fullmatch(rf"{merge_request}/notes/(\d+)", path):
                for comment in self.comments:
                    if comment.id == int(found[1]):
                        return self.write(comment, request.body["body"])
        return 404, {"message": "404 Not found"}

    def shown(self, comment: Comment) -> Any:
        author = {"id": self._number(comment.author), "username": comment.author}
        return {"id": comment.id, "author": author, "body": comment.body, "system": False}

    def _number(self, author: str) -> int:
        return zlib.crc32(author.encode())


AHost = TypeVar("AHost", bound=Host)


@contextmanager
def serving(host: AHost) -> Iterator[AHost]:
    """The host, at its `address` meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("content-length", 0))
            status, content = host.answer(
                Request(
                    self.command,
                    unquote(url.path),
                    dict(parse_qsl(url.query)),
                    {name.lower(): text for name, text in self.headers.items()},
                    json.loads(self.rfile.read(length)) if length else None,
                )
            )
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815  the server's own names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    host.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
