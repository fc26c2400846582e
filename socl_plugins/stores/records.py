"""Named records in one SQLite file: written in transactions, each with a check sum, read by many processes at once.

SQLite reads and writes its file and never maps it to memory, so a file that was cut off is an error and not a crash.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

SUFFIX = ".sqlite"
_ABOUT = ""  # the name of the record in which a store says what it holds; no other has an empty name
_PAGE_SIZE = 16384  # bytes, the most compact for records of some 700
_WAIT_SECONDS = 60.0  # for another process that is writing
_TABLE = "CREATE TABLE records (name BLOB PRIMARY KEY, content BLOB NOT NULL, crc32 INTEGER NOT NULL)"


class StoreError(ValueError):
    """A store that is missing or damaged, or does not fit what is asked of it."""


class RecordStore:
    """A file of named records. Copies in other processes, such as a loader's workers, open it for themselves.

    Args:
        path: of the file.
        about: plain data that says what the records are. If given, the store can be written to, and is made if it is
            not there; what an existing store says of itself is kept as it is.

    Raises:
        StoreError: there is no such store, or it is damaged, or cannot be written.
    """

    def __init__(self, path: Path, about: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.writable = about is not None
        self._opened_by: int | None = None
        self._connection: sqlite3.Connection
        if about is not None:
            self._make(about)
        self.about: dict[str, Any] = self._read_about()

    def get(self, name: str) -> bytes | None:
        """Returns a record, or None if it is not stored.

        Raises:
            StoreError: the record or the file is damaged.
        """
        row = self._row(name)
        if row is not None and not _whole(name, *row):
            raise StoreError(f"{self.path}, {name}: the record is damaged; run the build again, which makes it anew")
        return None if row is None else row[0]

    def add(self, records: Mapping[str, bytes]) -> None:
        """Adds records, in place of others of these names: all, or none if the program is killed or the disk is full.

        Raises:
            StoreError: the disk is full, or the file cannot be written.
        """
        rows = sorted((os.fsencode(name), content, _sum(name, content)) for name, content in records.items())
        with self._errors("; what was stored before is safe"), self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", rows)

    def remove(self, names: Iterable[str]) -> None:
        """Removes records, so that the next build makes them anew."""
        with self._errors(), self._transaction() as connection:
            connection.executemany("DELETE FROM records WHERE name = ?", [(os.fsencode(name),) for name in names])

    def damaged(self) -> list[str]:
        """Reads the whole file, and returns the names of the records whose content is not what was written.

        Raises:
            StoreError: the file itself is damaged.
        """
        with self._errors():
            (verdict,) = self._open().execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != b"ok":
                raise StoreError(_damaged(self.path, verdict.decode(errors="replace").replace("\n", " ")))
            rows = self._open().execute("SELECT name, content, crc32 FROM records ORDER BY rowid")
            named = ((os.fsdecode(name), content, checksum) for name, content, checksum in rows)
            return [name for name, content, checksum in named if not _whole(name, content, checksum)]

    def __contains__(self, name: str) -> bool:
        return self._row(name) is not None

    def __len__(self) -> int:
        with self._errors():
            return int(self._open().execute("SELECT count(*) FROM records").fetchone()[0]) - 1  # less the description

    def close(self) -> None:
        """Lets go of the file."""
        if self._opened_by == os.getpid():
            self._connection.close()
        self._opened_by = None

    def __enter__(self) -> RecordStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "writable": self.writable, "about": self.about, "_opened_by": None}

    def _make(self, about: Mapping[str, Any]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path.parent}: {error.strerror}; name another folder with --store") from error
        content = json.dumps(about, indent=1).encode()
        with self._errors(), self._transaction() as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                connection.execute(_TABLE)
                row = (os.fsencode(_ABOUT), content, _sum(_ABOUT, content))
                connection.execute("INSERT INTO records VALUES (?, ?, ?)", row)

    def _read_about(self) -> dict[str, Any]:
        with self._errors():
            tables = [sql for (sql,) in self._open().execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
            if tables != [_TABLE.encode()]:
                raise StoreError(f"{self.path} is no store of this project; delete it and run the build")
        row = self._row(_ABOUT)
        if row is None or not _whole(_ABOUT, *row):
            raise StoreError(_damaged(self.path, "what it says of itself"))
        about: dict[str, Any] = json.loads(row[0])
        return about

    def _row(self, name: str) -> tuple[Any, Any] | None:
        select = "SELECT content, crc32 FROM records WHERE name = ?"
        with self._errors():
            found: tuple[Any, Any] | None = self._open().execute(select, (os.fsencode(name),)).fetchone()
        return found

    def _open(self) -> sqlite3.Connection:
        if self._opened_by == os.getpid():
            return self._connection
        if self._opened_by is not None:
            _inherited.append(self._connection)
        if not self.writable and not self.path.is_file():
            raise StoreError(f"{self.path} cannot be read as a store: there is no such file")
        # A reader that may write can also undo what a killed writer left half done.
        may_write = self.writable or (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK))
        mode = "rwc" if self.writable else "rw" if may_write else "ro"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = bytes
        connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
        connection.execute("PRAGMA trusted_schema = OFF")  # what a file brings besides the table is never run
        connection.execute("PRAGMA cell_size_check = ON")
        if not self.writable:
            connection.execute("PRAGMA query_only = ON")
        self._connection, self._opened_by = connection, os.getpid()
        return connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _errors(self, what_holds: str = "") -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # the disk is full, another program holds the file, ...
            verb = "written" if self.writable else "read"
            raise StoreError(f"{self.path} cannot be {verb}: {error}{what_holds}") from error
        except sqlite3.Error as error:
            raise StoreError(_damaged(self.path, str(error))) from error


_inherited: list[sqlite3.Connection] = []
"""Connections opened before a fork, which SQLite forbids to use or to close in the child."""


def _sum(name: str, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(os.fsencode(name)))


def _whole(name: str, content: Any, checksum: Any) -> bool:
    """Returns whether a row is as it was written; a damaged one may hold values of any type."""
    return isinstance(content, bytes) and _sum(name, content) == checksum


def _damaged(path: Path, why: str) -> str:
    return f"{path} is damaged ({why}): delete it and run the build again, or copy it again"
