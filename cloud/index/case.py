"""A slide as its page shows it, from the projection alone (decision 022)."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from cloud.index import chain
from cloud.index.chain import Chain
from cloud.index.index import Index, IndexTroubleError, SlideKey
from cloud.index.rows import read_cell, read_field
from cloud.index.tables import cells, entries, fields, of_slide
from cloud.reviews.desk import Case
from cloud.reviews.entry import Entry
from cloud.reviews.replay import Slide
from wire.messages import CellResult, FrameResult

_log = structlog.get_logger("cloud.index")


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


def put_case(index: Index, case: Case) -> bool:
    """Take in what an action found in the bucket and wrote, so that the next page shows it at once.

    Returns:
        Whether what was held of these fields and entries is what the bucket has. Where it was
        otherwise, somebody has altered the database: that is logged, and put right.
    """
    results = list(case.slide.results.values())
    if not results:
        return True
    key = SlideKey(results[0].site, results[0].slide)
    known = set(index.captures(key))
    if new := [result for result in results if _capture(result) not in known]:
        index.put(new)
    index.put_entries(key, case.entries, case.review.head)
    if _shows(index, key, case):
        return True
    _log.error("projection_altered", **key._asdict())
    found = Chain.of(key, case.entries, case.review.head)
    index.replace(key, [_capture(result) for result in results], results, found)
    return False


def stored_results(index: Index, key: SlideKey) -> list[FrameResult]:
    """The results of a slide that the projection holds, in the order of their captures."""
    with index.reading() as connection:
        return _results(connection, key)


def _shows(index: Index, key: SlideKey, case: Case) -> bool:
    """Whether a page has all of this; what came since may be there beside it."""
    try:
        held = load_case(index, *key)
    except IndexTroubleError:
        return False
    if held is None or held.entries[: len(case.entries)] != case.entries:
        return False
    if len(held.entries) == len(case.entries) and held.review.head != case.review.head:
        return False
    return all(held.slide.results.get(name) == one for name, one in case.slide.results.items())


def _capture(result: FrameResult) -> tuple[str, str]:
    return result.device, result.capture_id


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
