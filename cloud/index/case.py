"""A slide as its page shows it, from the projection alone (decision 022)."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud.index import chain
from cloud.index.index import Index, IndexTroubleError, SlideKey
from cloud.index.rows import read_cell, read_field
from cloud.index.tables import cells, entries, fields, of_slide
from cloud.reviews.desk import Case
from cloud.reviews.entry import Entry
from cloud.reviews.replay import Slide
from wire.messages import CellResult, FrameResult


def load_case(index: Index, site: str, slide: str) -> Case | None:
    """What `Desk.load` gives of the same bucket, but for an action: that always asks the bucket.

    Returns:
        None where no field of the slide is known.

    Raises:
        IndexTroubleError: what the projection holds of it is none of what it was given.
    """
    key = SlideKey(site, slide)
    try:
        with index.reading() as connection:
            results = _results(connection, key)
            found = _entries(connection, key)
    except msgspec.MsgspecError as error:
        raise IndexTroubleError(
            f"the index does not hold {site}/{slide} as it was written ({error}): "
            "run leukoscope-cloud reindex"
        ) from error
    if not results:
        return None
    return Case(Slide.of(results), chain.replay(found), [entry for entry, _ in found])


def put_case(index: Index, case: Case) -> None:
    """Take in what an action found and wrote, so that the next page shows it at once."""
    results = list(case.slide.results.values())
    if not results:
        return
    key = SlideKey(results[0].site, results[0].slide)
    known = set(index.captures(key))
    if new := [r for r in results if (r.device, r.capture_id) not in known]:
        index.put(new)
    index.put_entries(key, case.entries, case.review.head)


def stored_results(index: Index, key: SlideKey) -> list[FrameResult]:
    """The results of a slide that the projection holds, in the order of their captures."""
    with index.reading() as connection:
        return _results(connection, key)


def _results(connection: Connection, key: SlideKey) -> list[FrameResult]:
    found: defaultdict[tuple[str, str], list[CellResult]] = defaultdict(list)
    ordered = sa.select(cells).where(of_slide(cells, key)).order_by(cells.c.n)
    # Of one moment: no field is without its cells.
    for row in connection.execute(ordered).mappings():
        found[row["device"], row["capture_id"]].append(read_cell(row))
    wanted = sa.select(fields).where(of_slide(fields, key))
    wanted = wanted.order_by(fields.c.capture_id, fields.c.device)
    return [
        read_field(row, found[row["device"], row["capture_id"]])
        for row in connection.execute(wanted).mappings()
    ]


def _entries(connection: Connection, key: SlideKey) -> Sequence[tuple[Entry, str]]:
    columns = (entries.c.entry, entries.c.head)
    wanted = sa.select(*columns).where(of_slide(entries, key)).order_by(entries.c.number)
    return [
        (msgspec.json.decode(entry, type=Entry), head)
        for entry, head in connection.execute(wanted).all()
    ]
