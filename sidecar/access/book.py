"""The file of API keys: names, digests, allowances. A key itself is shown once and kept nowhere.

A key holds 256 random bits, so nobody guesses it from its SHA-256 and a slow, salted hash would
protect nothing (NIST SP 800-63B, 5.1.2.2: an approved one-way function for secrets of at least 112
bits; salts and key derivation are for those of less). A file of its own beside the jobs, so that
the command line can write it while the service runs. Blocking: not for the event loop. Must not
know requests.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
import string
import sys
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from .callers import DEFAULT, Allowance

FILE = "keys.db"
PREFIX = "pr_"
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 43  # characters of 62 that hold 256 bits
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_PATIENCE_S = 5.0  # while another process writes
_TABLES = (
    """
    create table if not exists keys (
      id integer primary key,
      name text not null,
      digest text not null unique,
      hint text not null,
      max_queued integer not null,
      max_storage_mb integer not null,
      requests_per_minute integer not null,
      created_at real not null,
      revoked_at real
    )
    """,
    "create unique index if not exists keys_name on keys(name) where revoked_at is null",
    "create table if not exists secrets (name text primary key, value text not null)",
)


class BookError(Exception):
    """What was asked of the book can't be done; one sentence that says what to do."""


@dataclass(frozen=True)
class Row:
    """One key. `hint`: how it begins, to tell keys apart; times are seconds since the epoch."""

    name: str
    digest: str
    hint: str
    allowance: Allowance
    created_at: float
    revoked_at: float | None = None


class KeyBook:
    """The keys of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def rows(self) -> list[Row]:
        """Return every key that ever was, the oldest first. Raises BookError."""
        if not self.path.is_file():
            return []
        with _reading(self.path) as db:
            if not db.execute("select 1 from sqlite_master where name = 'keys'").fetchone():
                return []
            return [_row(row) for row in db.execute("select * from keys order by id")]

    def add(self, name: str, allowance: Allowance) -> str:
        """Make a key and return it. Raises BookError."""
        if not _NAME.fullmatch(name):
            raise BookError(
                "A key's name has 1 to 40 small letters, digits, '-', '_' and '.', and begins with "
                "a letter or a digit."
            )
        if name == DEFAULT:
            raise BookError(f"{DEFAULT!r} is what PROMPTREEL_API_KEY holds: choose another name.")
        key = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        values = (name, digest(key), key[:7], *astuple(allowance), time.time())
        with self._writing() as db:
            try:
                db.execute(
                    "insert into keys (name, digest, hint, max_queued, max_storage_mb,"
                    " requests_per_minute, created_at) values (?, ?, ?, ?, ?, ?, ?)",
                    values,
                )
            except sqlite3.IntegrityError:
                raise BookError(f"There is a key {name!r} already: revoke it first.") from None
        return key

    def revoke(self, name: str) -> None:
        """Make a key worthless. Raises BookError if there is none of that name."""
        found = 0
        if self.path.is_file():
            with self._writing() as db:
                found = db.execute(
                    "update keys set revoked_at = ? where name = ? and revoked_at is null",
                    (time.time(), name),
                ).rowcount
        if not found:
            raise BookError(f"There is no key {name!r}: `promptreel keys list` shows those there.")

    def secret(self) -> str:
        """Return what names of files are made with; the first call makes it. Raises BookError."""
        with self._writing() as db:
            fresh = secrets.token_hex(32)
            db.execute("insert or ignore into secrets values ('names', ?)", (fresh,))
            found = db.execute("select value from secrets where name = 'names'").fetchone()
        return str(found[0])

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection, None, None]:
        """Give the file in a transaction; it is made if need be, for its owner's eyes only."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _make(self.path)
        except OSError as error:
            raise BookError(f"{self.path}: {error.strerror or error}.") from None
        with _connected(str(self.path)) as db:
            db.execute("begin immediate")
            try:
                for table in _TABLES:
                    db.execute(table)
                yield db
                db.execute("commit")
            except BaseException:
                db.execute("rollback")
                raise


def _make(path: Path) -> None:
    """Make the file if need be; root makes it for the folder's owner, whose service reads it."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if sys.platform != "win32" and os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
    finally:
        os.close(handle)


def digest(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _reading(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    return _connected(f"{path.absolute().as_uri()}?mode=ro", uri=True)


@contextmanager
def _connected(name: str, *, uri: bool = False) -> Generator[sqlite3.Connection, None, None]:
    """Give a connection, whose own failures are BookErrors."""
    try:
        db = sqlite3.connect(name, timeout=_PATIENCE_S, isolation_level=None, uri=uri)
        try:
            db.row_factory = sqlite3.Row
            yield db
        finally:
            db.close()
    except sqlite3.Error as error:
        raise BookError(f"The file of keys, {FILE}, can't be used: {error}.") from error


def _row(row: sqlite3.Row) -> Row:
    return Row(
        row["name"],
        row["digest"],
        row["hint"],
        Allowance(row["max_queued"], row["max_storage_mb"], row["requests_per_minute"]),
        row["created_at"],
        row["revoked_at"],
    )
