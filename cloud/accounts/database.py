"""The database of accounts: SQLite, or PostgreSQL where several machines serve the room."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from cloud.accounts.tables import VERSION, about, audit_head, metadata
from cloud.accounts.trouble import AccountsTroubleError
from cloud.reviews.entry import ROOT

_TRIES: Final = 10
"""Two programs may make the tables at the same moment; the later one looks again."""

_PAUSE_S: Final = 0.1
"""Seconds between two tries."""


class Database:
    """Accounts, sessions and the audit log in SQL. Thread-safe.

    Args:
        url: of SQLAlchemy: `sqlite:///FILE` or `postgresql+psycopg://…`.

    Raises:
        AccountsTroubleError: it cannot be reached, or is of a kind or version that is not known.
    """

    def __init__(self, url: str) -> None:
        try:
            self.engine = _engine(url)
            self.secret = self._prepared()
        except (sa.exc.SQLAlchemyError, ModuleNotFoundError) as error:
            raise AccountsTroubleError(
                f"the database of accounts cannot be used ({_first_line(error)}): "
                "check accounts_url"
            ) from error
        # SQLite's own queue of writers sleeps in growing steps; this one wakes the next at once.
        self._turn = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with.

        Raises:
            AccountsTroubleError: the database does not answer.
        """
        with _told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is written, or nothing. Begin it with a write.

        Raises:
            AccountsTroubleError: the database does not take it.
        """
        with _told(), self._turn, self.engine.begin() as connection:
            yield connection

    def _prepared(self) -> bytes:
        for left in reversed(range(_TRIES)):
            try:
                with self.engine.begin() as connection:
                    metadata.create_all(connection)
                    return _secret(connection)
            except sa.exc.DatabaseError:
                if not left:
                    raise
                time.sleep(_PAUSE_S)  # another program makes it at this moment: let it end
        raise AssertionError  # the last try returned or raised


def _secret(connection: Connection) -> bytes:
    """Of the cookies; made with the tables."""
    found = connection.execute(sa.select(about.c.version, about.c.secret)).one_or_none()
    if found is None:
        secret = secrets.token_bytes(32)
        connection.execute(sa.insert(about), {"version": VERSION, "secret": secret})
        connection.execute(sa.insert(audit_head), {"one": 1, "number": 0, "digest": ROOT})
        return secret
    if found.version != VERSION:
        raise AccountsTroubleError(
            f"the database of accounts has version {found.version}, this program knows {VERSION}: "
            "use the leukoscope that made it, or a newer one"
        )
    return bytes(found.secret)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise AccountsTroubleError(
            f"the database of accounts does not answer ({_first_line(error)})"
        ) from error


def _first_line(error: Exception) -> str:
    """Without the statement and its values, which SQLAlchemy puts behind it."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _engine(url: str) -> Engine:
    engine = sa.create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _tune_sqlite)
    elif engine.dialect.name != "postgresql":
        raise AccountsTroubleError(
            f"accounts_url names {engine.dialect.name}: leukoscope knows sqlite and postgresql"
        )
    return engine


def _tune_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """FULL: what was audited is still there after the power failed."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
