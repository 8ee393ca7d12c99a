"""The projection: takes results in, in any order and any number of times."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from cloud.index import chain
from cloud.index.chain import Chain
from cloud.index.engine import IndexTroubleError, open_engine
from cloud.index.line import add_up
from cloud.index.rows import Row, SlideKey, cell_rows, field_row
from cloud.index.tables import (
    COUNTS,
    VERSION,
    about,
    cells,
    entries,
    fields,
    metadata,
    of_slide,
    reviews,
    slides,
)
from cloud.reviews.entry import Entry
from wire.messages import FrameResult

__all__ = ["Index", "IndexTroubleError", "SlideKey"]

_NEVER: Final = datetime.fromtimestamp(0, UTC)
"""Stands in a slide's row for the moment until it is added up."""

_TABLES: Final = (slides, reviews, entries, fields, cells)


class Index:
    """Slides, fields, cells and chains in SQL. Thread-safe; programs may share one database.

    Args:
        url: of SQLAlchemy: `sqlite:///FILE` or `postgresql+psycopg://…`.

    Raises:
        IndexTroubleError: it cannot be reached, or is of a kind that is not known.
    """

    def __init__(self, url: str) -> None:
        try:
            self.engine = open_engine(url)
            self._prepare()
        except (sa.exc.SQLAlchemyError, ModuleNotFoundError) as error:
            shown = str(error).splitlines()[0]
            raise IndexTroubleError(
                f"the index cannot be used ({shown}): check index_url"
            ) from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def put(self, results: Iterable[FrameResult]) -> None:
        """Take results in; one that is known already changes nothing."""
        ordered = sorted(results, key=_slide_of)  # two writers never wait for each other crosswise
        with self.engine.begin() as connection:
            for key, group in groupby(ordered, key=_slide_of):
                self._put_slide(connection, key, list(group))

    def put_entries(self, key: SlideKey, entries: Sequence[Entry], head: str) -> None:
        """Take a slide's chain in; an earlier word of it changes nothing.

        Args:
            key: of the slide.
            entries: all, from the first on, found sound before.
            head: SHA-256 of the last one's bytes in the bucket (`Review.head`).

        Raises:
            ValueError: these are not the entries of this slide in their order.
        """
        found = Chain.of(key, entries, head)
        if found.entries:
            with self.engine.begin() as connection:
                self._put_chain(connection, key, found)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which all queries see the projection as of one moment."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # Python's sqlite3 begins only to write
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def replace(
        self,
        key: SlideKey,
        captures: Iterable[tuple[str, str]],
        results: Sequence[FrameResult],
        chain_: Chain,
    ) -> None:
        """Forget these captures (device and id) of a slide, and take in what is true of it.

        Other captures of the slide stay: they may have come this moment.
        """
        with self.engine.begin() as connection:
            for device, capture in captures:
                for table in (cells, fields):
                    # Whatever slide they say: a row that was altered must go, too.
                    where = (table.c.site == key.site, table.c.device == device)
                    connection.execute(
                        sa.delete(table).where(*where, table.c.capture_id == capture)
                    )
            connection.execute(sa.delete(slides).where(of_slide(slides, key)))
            chain.forget(connection, key)
            self._put_slide(connection, key, results)
            if chain_.entries:
                self._put_chain(connection, key, chain_)

    def digests(self) -> Iterator[tuple[SlideKey, str]]:
        """Of every slide, in order, a SHA-256 over all that is held of it."""
        with self.engine.connect() as connection:
            every = (sa.select(table.c.site, table.c.slide) for table in _TABLES)
            for site, slide in sorted(connection.execute(sa.union(*every)).all()):
                key = SlideKey(site, slide)
                yield key, _digest(connection, key)

    def digest(self, key: SlideKey) -> str:
        """The same of one slide."""
        with self.engine.connect() as connection:
            return _digest(connection, key)

    def captures(self, key: SlideKey) -> list[tuple[str, str]]:
        """Device and capture id of every field of a slide, and of cells that have none."""
        query = sa.union(
            *(
                sa.select(table.c.device, table.c.capture_id).where(of_slide(table, key))
                for table in (fields, cells)
            )
        )
        with self.engine.connect() as connection:
            return [(device, capture) for device, capture in connection.execute(query)]

    def _put_slide(
        self, connection: Connection, key: SlideKey, results: Sequence[FrameResult]
    ) -> None:
        self._hold(connection, key)
        self._add(connection, fields, [field_row(result) for result in results])
        self._add(connection, cells, [row for result in results for row in cell_rows(result)])
        add_up(connection, key)

    def _put_chain(self, connection: Connection, key: SlideKey, found: Chain) -> None:
        self._hold(connection, key)
        chain.write(connection, key, found)
        add_up(connection, key)

    def _hold(self, connection: Connection, key: SlideKey) -> None:
        """Make the slide's row if need be and lock it, so that two writers add up in turn."""
        blank = key._asdict() | dict.fromkeys((*COUNTS, "fields", "later_fields", "cells"), 0)
        blank |= {"state": "open", "done": False, "rank": 3}
        blank |= {"waiting_since": _NEVER, "updated_at": _NEVER}
        self._add(connection, slides, [blank])
        connection.execute(sa.select(slides.c.site).where(of_slide(slides, key)).with_for_update())

    def _add(self, connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
        """Insert what is not there yet."""
        if rows:
            connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def _insert(self, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
        postgres = self.engine.dialect.name == "postgresql"
        return postgresql.insert(table) if postgres else sqlite.insert(table)

    def _prepare(self) -> None:
        metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            versions = set(connection.scalars(sa.select(about.c.version)))
            if versions - {VERSION}:
                metadata.drop_all(connection)
                metadata.create_all(connection)
            self._add(connection, about, [{"version": VERSION}])


def _digest(connection: Connection, key: SlideKey) -> str:
    digest = hashlib.sha256()
    for table in _TABLES:
        query = sa.select(table).where(of_slide(table, key)).order_by(*table.primary_key.columns)
        for row in connection.execute(query):
            digest.update(msgspec.json.encode(tuple(row), order="sorted") + b"\n")
    return digest.hexdigest()


def _slide_of(result: FrameResult) -> SlideKey:
    return SlideKey(result.site, result.slide)
