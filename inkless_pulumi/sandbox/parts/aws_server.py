"""The sandbox's AWS endpoint: moto's server for S3, Secrets Manager, SSM, STS and ECR tokens, and
in front of it, of our own, an instance metadata service and the logs of machines.

`python -m inkless_pulumi.sandbox.parts.aws_server PORT REGION` is the process; `ensure` starts it.
What it holds is in memory, and written down as well (`journal`): it comes back with all of it.
"""

import hashlib
import importlib
import json
import logging
import secrets
import sys
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.home_directory import ensure_passphrase
from inkless_pulumi.sandbox.parts.journal import Journal, StartResponse

NAME = "aws"
ADDRESS = "127.0.0.1"
ACCESS_KEY_ID = "AKIASANDBOXSANDBOX00"
SECRET_ACCESS_KEY = "a-sandbox-checks-no-signature"
_ROLE = "sandbox-instance"
_START_SECONDS = 60
_TOKEN_HEADER = "HTTP_X_AWS_EC2_METADATA_TOKEN"


def ensure(home: Home, port: int, region: str, account_id: str) -> None:
    """Have the server run on this port, with all that it was told before."""
    if processes.find(home, NAME) is not None and processes.accepts(ADDRESS, port):
        return
    ensure_passphrase(home)
    processes.stop(home, NAME)
    processes.refuse_taken_port(ADDRESS, port, "the sandbox's AWS endpoint")
    part = processes.start(
        home,
        NAME,
        [sys.executable, "-m", "inkless_pulumi.sandbox.parts.aws_server", str(port), region],
        environment={
            "MOTO_ACCOUNT_ID": account_id,
            "MOTO_PORT": str(port),
            "PYTHONSAFEPATH": "1",
        },
    )
    processes.wait_until(
        lambda: processes.accepts(ADDRESS, port),
        part,
        home.logs / f"{NAME}.log",
        _START_SECONDS,
        "starting the sandbox's AWS endpoint",
    )


def client(endpoint: str, service: str, region: str) -> Any:
    """A client of the server, with nothing of the user's own AWS settings."""
    # Slow to import, and needed by few processes.
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        config=Config(
            connect_timeout=5,
            retries={"max_attempts": 2},
            s3={"addressing_style": "path"},
            proxies={},
        ),
    )


class InstanceMetadata:
    """The instance metadata service, version 2: a token is asked for, and then needed.

    It tells what is the same for all machines: the region, the account, and credentials of the
    machine's role, so that no key stands in a container's environment.
    """

    def __init__(self, application: Any, region: str, account_id: str) -> None:
        self._application = application
        self._region = region
        self._account_id = account_id
        self._tokens: set[str] = set()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer below `/latest/`; pass everything else on."""
        path = environ.get("PATH_INFO", "")
        # A signed request is one to a service, whatever a bucket may be called.
        if not path.startswith("/latest/") or "HTTP_AUTHORIZATION" in environ:
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        status, body = self._answer(environ, path.removeprefix("/latest/").rstrip("/"))
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    def _answer(self, environ: dict[str, Any], path: str) -> tuple[str, bytes]:
        if path == "api/token":
            if environ.get("REQUEST_METHOD") != "PUT":
                return "405 Method Not Allowed", b""
            token = secrets.token_urlsafe(24)
            self._tokens.add(token)
            return "200 OK", token.encode()
        if environ.get(_TOKEN_HEADER) not in self._tokens:
            return "401 Unauthorized", b""
        text = self._metadata().get(path)
        return ("404 Not Found", b"") if text is None else ("200 OK", text.encode())

    def _metadata(self) -> dict[str, str]:
        now = datetime.now(UTC)
        credentials = {
            "Code": "Success",
            "LastUpdated": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Type": "AWS-HMAC",
            "AccessKeyId": ACCESS_KEY_ID,
            "SecretAccessKey": SECRET_ACCESS_KEY,
            "Token": "sandbox",
            "Expiration": (now + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        document = {"region": self._region, "accountId": self._account_id}
        return {
            "meta-data/placement/region": self._region,
            "meta-data/services/partition": "aws",
            "meta-data/services/domain": "amazonaws.com",
            "meta-data/iam/security-credentials": _ROLE,
            f"meta-data/iam/security-credentials/{_ROLE}": json.dumps(credentials),
            "dynamic/instance-identity/document": json.dumps(document),
        }


class NodeLogs:
    """CloudWatch Logs, as far as the logs of machines go: the end of a stream can be read."""

    def __init__(self, application: Any, home: Home) -> None:
        self._application = application
        self._home = home

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer GetLogEvents; pass everything else on."""
        if environ.get("HTTP_X_AMZ_TARGET") != "Logs_20140328.GetLogEvents":
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        length = int(environ.get("CONTENT_LENGTH") or 0)
        status, document = self._events(json.loads(environ["wsgi.input"].read(length)))
        body = json.dumps(document).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(body))),
        ]
        start_response(status, headers)
        return [body]

    def _events(self, asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        stream = self._home.log_group(asked["logGroupName"]) / asked["logStreamName"]
        try:
            with stream.open(errors="replace") as log:
                lines = deque(log, maxlen=int(asked.get("limit", 10_000)))
            written = int(stream.stat().st_mtime * 1000)  # the last of them, and none is later
        except OSError:
            message = "The specified log stream does not exist."
            return "400 Bad Request", {"__type": "ResourceNotFoundException", "message": message}
        if written < int(asked.get("startTime", 0)):
            lines.clear()
        events = [{"timestamp": written, "message": line.rstrip("\n")} for line in lines]
        return "200 OK", {"events": events}


def serve(port: int, region: str) -> None:
    """Serve until ended."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import run_simple

    # A line a request would fill the disk with what brokers do all day.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto = DomainDispatcherApplication(create_backend_app)
    home = Home.from_environment()
    services = moto if home is None else NodeLogs(_remembering(moto, home), home)
    application = InstanceMetadata(services, region, DEFAULT_ACCOUNT_ID)
    threading.Thread(target=_load_services, name="services", daemon=True).start()
    run_simple(ADDRESS, port, application, threaded=True, request_handler=MotoRequestHandler)


def _remembering(moto: Any, home: Home) -> Journal:
    """Moto in the state that it was in when the server was ended or killed."""
    from moto.secretsmanager.utils import SecretsManagerSecretIdentifier
    from moto.utilities.id_generator import moto_id_manager

    suffixes = [""]

    def identify(text: str) -> None:
        suffixes[0] = hashlib.sha256(text.encode()).hexdigest()[:6]

    def suffix(context: Any) -> str | None:
        """What would be drawn by chance: the end of a secret's ARN."""
        is_secret = isinstance(context.get("resource_identifier"), SecretsManagerSecretIdentifier)
        return suffixes[0] if is_secret else None

    moto_id_manager.add_id_source(suffix)
    journal = Journal(moto, home.aws_journal, ensure_passphrase(home), identify)
    journal.replay()
    return journal


def _load_services() -> None:
    """Load what is certainly asked for, before it is: the first requests are then as fast as all.

    The others stay unloaded until somebody asks.
    """
    for service in ("s3", "secretsmanager", "ssm", "ecr", "sts"):
        importlib.import_module(f"moto.{service}.urls")


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
