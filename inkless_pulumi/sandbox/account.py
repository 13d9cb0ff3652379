"""The emulated account's books: every resource that was created in it, as the cloud would know it.

One SQLite file, so that several plugin processes and a kill at any moment leave it whole. Without
a file the books are kept in memory only, for previews that write nothing.

Sensitive values never come here: they are dropped by the caller, and held, if at all, by the real
part behind a resource.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inkless_pulumi.core.errors import SandboxError

_BUSY_TIMEOUT_SECONDS = 30
_COLUMNS = "token, id, urn, region, inputs, outputs, ready, creator"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
  token TEXT NOT NULL,
  id TEXT NOT NULL,
  urn TEXT NOT NULL,
  region TEXT NOT NULL,
  ready INTEGER NOT NULL,
  inputs TEXT NOT NULL,
  outputs TEXT NOT NULL,
  creator TEXT NOT NULL,
  PRIMARY KEY (token, id)
)
"""


@dataclass(frozen=True)
class Record:
    """One resource of the account.

    `ready` is false while its real part is still being made, by the process `creator` (its pid and
    start time, joined by a colon).
    """

    token: str
    id: str
    urn: str
    region: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    ready: bool = True
    creator: str = ""


class Ledger:
    """The books within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, token: str, resource_id: str) -> Record | None:
        """A resource by its type and id; None when the account has none such."""
        rows = self._select("WHERE token = ? AND id = ?", (token, resource_id))
        return rows[0] if rows else None

    def find(self, token: str, **outputs: Any) -> list[Record]:
        """The resources of a type whose outputs have these values."""
        return [
            record
            for record in self._select("WHERE token = ? ORDER BY rowid", (token,))
            if all(record.outputs.get(name) == value for name, value in outputs.items())
        ]

    def all(self) -> list[Record]:
        """Every resource of the account, in the order of creation."""
        return self._select("ORDER BY rowid", ())

    def put(self, record: Record) -> None:
        """Add or overwrite a resource."""
        self._connection.execute(
            "INSERT INTO resources (token, id, urn, region, ready, inputs, outputs,"
            " creator) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (token, id) DO UPDATE SET urn = excluded.urn, region = excluded.region,"
            " ready = excluded.ready, inputs = excluded.inputs, outputs = excluded.outputs,"
            " creator = excluded.creator",
            (
                record.token,
                record.id,
                record.urn,
                record.region,
                int(record.ready),
                json.dumps(record.inputs),
                json.dumps(record.outputs),
                record.creator,
            ),
        )

    def remove(self, token: str, resource_id: str) -> None:
        """Strike a resource out."""
        self._connection.execute(
            "DELETE FROM resources WHERE token = ? AND id = ?", (token, resource_id)
        )

    def _select(self, where: str, values: tuple[str, ...]) -> list[Record]:
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM resources {where}",  # noqa: S608 - our own words only
            values,
        )
        return [
            Record(
                token=token,
                id=resource_id,
                urn=urn,
                region=region,
                inputs=json.loads(inputs),
                outputs=json.loads(outputs),
                ready=bool(ready),
                creator=creator,
            )
            for token, resource_id, urn, region, inputs, outputs, ready, creator in rows
        ]


class Account:
    """An account's books in a file, or in memory when `database` is None."""

    def __init__(self, database: Path | None) -> None:
        self.database = database
        self._lock = threading.Lock()
        self._connection = self._open()

    @property
    def persistent(self) -> bool:
        """Whether what is recorded outlives this process."""
        return self.database is not None

    def _open(self) -> sqlite3.Connection:
        location = ":memory:" if self.database is None else str(self.database)
        try:
            if self.database is not None:
                self.database.parent.mkdir(parents=True, exist_ok=True)
                # The books hold no secret, yet they are their owner's alone.
                os.close(os.open(self.database, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(
                location,
                timeout=_BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            # Of many who open new books at once, each waits for its turn. SQLite waits for no lock
            # when it changes to a write-ahead log, so the books have none: who only reads them
            # takes them alone, too, and would gain nothing by it.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_SCHEMA)
            connection.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise SandboxError(
                f"the sandbox's account file {location} cannot be opened: {error}"
            ) from error
        return connection

    @contextmanager
    def transaction(self) -> Iterator[Ledger]:
        """The books, alone: all of the changes are kept or, on an exception, none."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield Ledger(self._connection)
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise SandboxError(
                    f"the sandbox's account file {self.database} cannot be written: {error}; "
                    "is its disk full?"
                ) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
