"""The projection's tables. Everything in them can be made anew from the bucket."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

VERSION: Final = 3
"""Of these tables. A projection of another version is thrown away and made anew."""


class Moment(TypeDecorator[datetime]):
    """A time with its zone, kept as UTC without one: SQLite knows no zones."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, and without saying so."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say so again."""
        return None if value is None else value.replace(tzinfo=UTC)


NAME: Final = sa.String(63).with_variant(postgresql.VARCHAR(63, collation="C"), "postgresql")
"""A name of a topic; in the order of its bytes, whatever language the database speaks."""

metadata: Final = sa.MetaData()

about: Final = sa.Table(
    "about",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
)

slides: Final = sa.Table(
    "slides",
    metadata,
    sa.Column("site", NAME, primary_key=True),
    sa.Column("slide", NAME, primary_key=True),
    sa.Column("state", sa.String(9), nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    # 0 is looked at first; see `urgency`.
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("waiting_since", Moment, nullable=False),
    sa.Column("fields", sa.Integer, nullable=False),
    # Of these, those that are in no signed report though the slide has one.
    sa.Column("later_fields", sa.Integer, nullable=False),
    sa.Column("cells", sa.Integer, nullable=False),
    sa.Column("all_", sa.Integer, nullable=False),
    sa.Column("aml", sa.Integer, nullable=False),
    sa.Column("normal", sa.Integer, nullable=False),
    sa.Column("unidentified", sa.Integer, nullable=False),
    sa.Column("blasts_per_100", sa.Float),
    sa.Column("blasts_low", sa.Float),
    sa.Column("blasts_high", sa.Float),
    sa.Column("updated_at", Moment, nullable=False),
    # Each order of the worklist, so that a page is read off an index and nothing is sorted.
    sa.Index("slides_undone", "done", "rank", "waiting_since", "site", "slide"),
    sa.Index("slides_state", "state", "rank", "waiting_since", "site", "slide"),
    sa.Index("slides_all", "rank", "waiting_since", "site", "slide"),
    sa.Index("slides_token", "slide", "site"),
    sa.Index("slides_totals", "state", "rank", "done"),
)

reviews: Final = sa.Table(
    "reviews",
    metadata,
    sa.Column("site", NAME, primary_key=True),
    sa.Column("slide", NAME, primary_key=True),
    # Of the last entry of the chain, and its SHA-256.
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("state", sa.String(9), nullable=False),
    # Of the last signed report; 0 while there is none.
    sa.Column("signed_fields", sa.Integer, nullable=False),
)

entries: Final = sa.Table(
    "entries",
    metadata,
    sa.Column("site", NAME, primary_key=True),
    sa.Column("slide", NAME, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # SHA-256 of its bytes in the bucket, which the next one names, and what it says: the very
    # bytes that were signed. The signature is looked at before it comes in here, and is not kept.
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("entry", sa.LargeBinary, nullable=False),
)

fields: Final = sa.Table(
    "fields",
    metadata,
    sa.Column("site", NAME, primary_key=True),
    sa.Column("device", NAME, primary_key=True),
    sa.Column("capture_id", sa.String(36), primary_key=True),
    sa.Column("slide", NAME, nullable=False),
    sa.Column("notice", sa.Text, nullable=False),
    sa.Column("label", sa.String(12), nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    # As the result has them; the columns below are counted from its cells.
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("captured_at", Moment, nullable=False),
    sa.Column("classified_at", Moment, nullable=False),
    sa.Column("all_", sa.Integer, nullable=False),
    sa.Column("aml", sa.Integer, nullable=False),
    sa.Column("normal", sa.Integer, nullable=False),
    sa.Column("unidentified", sa.Integer, nullable=False),
    sa.Column("image_key", sa.String(300), nullable=False),
    sa.Column("image_sha256", sa.String(64), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("model_version", sa.String(100), nullable=False),
    sa.Column("model_sha256", sa.String(64), nullable=False),
    sa.Column("finder", sa.String(100), nullable=False),
    sa.Column("quality", sa.JSON(none_as_null=True)),
    sa.Column("timings_ms", sa.JSON, nullable=False),
    sa.Index("fields_of_slide", "site", "slide"),
)

cells: Final = sa.Table(
    "cells",
    metadata,
    sa.Column("site", NAME, primary_key=True),
    sa.Column("device", NAME, primary_key=True),
    sa.Column("capture_id", sa.String(36), primary_key=True),
    # Its place in the result's list.
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("slide", NAME, nullable=False),
    sa.Column("x", sa.Integer, nullable=False),
    sa.Column("y", sa.Integer, nullable=False),
    sa.Column("w", sa.Integer, nullable=False),
    sa.Column("h", sa.Integer, nullable=False),
    sa.Column("label", sa.String(12), nullable=False),
    sa.Column("probability", sa.Float, nullable=False),
    sa.Column("probabilities", sa.JSON, nullable=False),
    sa.Column("real", sa.Float, nullable=False),
    # The gallery: by class, least certain first.
    sa.Index("cells_of_slide", "site", "slide", "label", "probability"),
)

COUNTS: Final = ("all_", "aml", "normal", "unidentified")
"""Columns of counts, in the order of `wire.words.Label`."""


def of_slide(table: sa.Table, key: tuple[str, str]) -> sa.ColumnElement[bool]:
    """Only rows of this site and slide."""
    return sa.and_(table.c.site == key[0], table.c.slide == key[1])
