"""A slide's line of the worklist, made anew out of its fields and its chain."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud.index.rows import SlideKey
from cloud.index.tables import COUNTS, fields, of_slide, reviews, slides
from cloud.index.urgency import urgency
from cloud.slides.tally import blasts_per_100


def add_up(connection: Connection, key: SlideKey) -> None:
    """Make the slide's row anew out of its fields: nothing is counted up, so nothing miscounts."""
    columns = [sa.func.sum(fields.c[name]) for name in COUNTS]
    counted, waiting, updated, *sums = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.min(fields.c.captured_at),
            sa.func.max(fields.c.classified_at),
            *columns,
        ).where(of_slide(fields, key))
    ).one()
    if counted == 0:  # a slide of which only reviews are left is not shown
        connection.execute(sa.delete(slides).where(of_slide(slides, key)))
        return
    counts = dict(zip(COUNTS, (int(n) for n in sums), strict=True))
    values = counts | _derived(counts)
    values |= _reviewed(connection, key, counted)
    values |= {"fields": counted, "waiting_since": waiting, "updated_at": updated}
    connection.execute(sa.update(slides).where(of_slide(slides, key)).values(values))


def _reviewed(connection: Connection, key: SlideKey, fields: int) -> dict[str, Any]:
    """A slide is done when somebody answers for each of its fields, not only for the first."""
    query = sa.select(reviews.c.state, reviews.c.signed_fields).where(of_slide(reviews, key))
    state, signed_fields = connection.execute(query).one_or_none() or ("open", 0)
    signed = state in ("signed", "amended")
    return {
        "state": state,
        "done": signed and signed_fields == fields,
        # A signature may be heard of before all of the fields that it is about.
        "later_fields": max(0, fields - signed_fields) if signed else 0,
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
