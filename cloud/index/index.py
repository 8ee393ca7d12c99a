"""The projection: takes results in, in any order and any number of times."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from cloud.index.rows import Row, cell_rows, field_row
from cloud.index.tables import COUNTS, VERSION, about, cells, fields, metadata, reviews, slides
from cloud.index.urgency import urgency
from cloud.slides.tally import blasts_per_100
from wire.messages import FrameResult

_NEVER: Final = datetime.fromtimestamp(0, UTC)
"""Stands in a slide's row for the moment until it is added up."""


class IndexTroubleError(RuntimeError):
    """The database cannot be used; the message says why."""


class SlideKey(NamedTuple):
    """Which slide."""

    site: str
    slide: str


class ReviewLine(NamedTuple):
    """How far a slide's chain is."""

    number: int
    head: str
    state: str
    signed_fields: int
    """How many fields the last signed report is about; 0 while nobody has signed."""


_TABLES: Final = (slides, reviews, fields, cells)


class Index:
    """Slides, fields and cells in SQL. Thread-safe; several programs may share one database.

    Args:
        url: of SQLAlchemy: `sqlite:///FILE` or `postgresql+psycopg://…`.

    Raises:
        IndexTroubleError: it cannot be reached, or is of a kind that is not known.
    """

    def __init__(self, url: str) -> None:
        try:
            self.engine = _engine(url)
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

    def put_review(self, key: SlideKey, review: ReviewLine) -> None:
        """Note how far the chain of a slide is; an earlier word changes nothing."""
        with self.engine.begin() as connection:
            self._put_review(connection, key, review)

    def replace(
        self,
        key: SlideKey,
        captures: Iterable[tuple[str, str]],
        results: Sequence[FrameResult],
        review: ReviewLine | None,
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
            for table in (slides, reviews):
                connection.execute(sa.delete(table).where(_of(table, key)))
            self._put_slide(connection, key, results)
            if review is not None:
                self._put_review(connection, key, review)

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
                sa.select(table.c.device, table.c.capture_id).where(_of(table, key))
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
        _add_up(connection, key)

    def _put_review(self, connection: Connection, key: SlideKey, review: ReviewLine) -> None:
        self._hold(connection, key)
        insert = self._insert(reviews)
        later = insert.on_conflict_do_update(
            index_elements=[reviews.c.site, reviews.c.slide],
            set_={name: insert.excluded[name] for name in ReviewLine._fields},
            where=insert.excluded.number > reviews.c.number,
        )
        connection.execute(later, [key._asdict() | review._asdict()])
        _add_up(connection, key)

    def _hold(self, connection: Connection, key: SlideKey) -> None:
        """Make the slide's row if need be and lock it, so that two writers add up in turn."""
        blank = key._asdict() | dict.fromkeys((*COUNTS, "fields", "later_fields", "cells"), 0)
        blank |= {"state": "open", "done": False, "rank": 3}
        blank |= {"waiting_since": _NEVER, "updated_at": _NEVER}
        self._add(connection, slides, [blank])
        connection.execute(sa.select(slides.c.site).where(_of(slides, key)).with_for_update())

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


def _add_up(connection: Connection, key: SlideKey) -> None:
    """Make the slide's row anew out of its fields: nothing is counted up, so nothing miscounts."""
    columns = [sa.func.sum(fields.c[name]) for name in COUNTS]
    counted, waiting, updated, *sums = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.min(fields.c.captured_at),
            sa.func.max(fields.c.classified_at),
            *columns,
        ).where(_of(fields, key))
    ).one()
    if counted == 0:  # a slide of which only reviews are left is not shown
        connection.execute(sa.delete(slides).where(_of(slides, key)))
        return
    counts = dict(zip(COUNTS, (int(n) for n in sums), strict=True))
    values = counts | _derived(counts)
    values |= _reviewed(connection, key, counted)
    values |= {"fields": counted, "waiting_since": waiting, "updated_at": updated}
    connection.execute(sa.update(slides).where(_of(slides, key)).values(values))


def _reviewed(connection: Connection, key: SlideKey, fields: int) -> dict[str, Any]:
    """A slide is done when somebody answers for each of its fields, not only for the first."""
    query = sa.select(reviews.c.state, reviews.c.signed_fields).where(_of(reviews, key))
    state, signed_fields = connection.execute(query).one_or_none() or ("open", 0)
    signed = state in ("signed", "amended")
    return {
        "state": state,
        "done": signed and signed_fields == fields,
        "later_fields": fields - signed_fields if signed else 0,
    }


def _derived(counts: Mapping[str, int]) -> dict[str, Any]:
    by_label = {"ALL": counts["all_"], "AML": counts["aml"], "Normal": counts["normal"]}
    per_100, interval = blasts_per_100(by_label)  # type: ignore[arg-type]  # the keys are labels
    blasts = counts["all_"] + counts["aml"]
    low, high = interval or (None, None)
    return {
        "cells": sum(counts.values()),
        "blasts_per_100": per_100,
        "blasts_low": low,
        "blasts_high": high,
        "rank": urgency(blasts, per_100, interval, counts["unidentified"]),
    }


def _digest(connection: Connection, key: SlideKey) -> str:
    digest = hashlib.sha256()
    for table in _TABLES:
        query = sa.select(table).where(_of(table, key)).order_by(*table.primary_key.columns)
        for row in connection.execute(query):
            digest.update(msgspec.json.encode(tuple(row)) + b"\n")
    return digest.hexdigest()


def _engine(url: str) -> Engine:
    engine = sa.create_engine(url)
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


def _of(table: sa.Table, key: SlideKey) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.site == key.site, table.c.slide == key.slide)


def _slide_of(result: FrameResult) -> SlideKey:
    return SlideKey(result.site, result.slide)
