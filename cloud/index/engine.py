"""Opens the projection's database."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection


class IndexTroubleError(RuntimeError):
    """The database cannot be used; the message says why."""


def open_engine(url: str) -> Engine:
    """Open it; nothing is sent yet.

    Raises:
        IndexTroubleError: it is of a kind that is not known.
    """
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # what is in trouble is logged: readers' words are not
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,  # of each cell of a slide that is opened
    )
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _tune_sqlite)
    elif engine.dialect.name != "postgresql":
        raise IndexTroubleError(
            f"index_url names {engine.dialect.name}: leukoscope knows sqlite and postgresql"
        )
    return engine


def _tune_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Readers go on while somebody writes, and writers wait for one another.

    Every transaction that writes begins with a write, so none has to be upgraded.
    """
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
