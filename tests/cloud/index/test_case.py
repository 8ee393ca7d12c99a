import asyncio
import random
import tempfile

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading_desk import TRUSTED, room
from slide_results import cell, field_result
from structlog.testing import capture_logs

from cloud.index.case import load_case, put_case, stored_results
from cloud.index.index import Index, IndexTroubleError, SlideKey
from cloud.index.reindex import Reindexer
from cloud.index.tables import cells, entries, fields
from cloud.reviews.entry import Comment, Reclassify, See, Waive
from cloud.reviews.replay import Slide
from wire.messages import FrameTimings, ModelRef, Quality

LABELS = ("ALL", "AML", "Normal", "unidentified")
S1 = SlideKey("home", "s1")


def test_a_result_is_the_same_again_to_its_last_field(index):
    full = field_result(
        1,
        ["AML", "unidentified"],
        notice="research use only, of an older version",
        explanation="2 of 2 cells: “≥ ½”",
        counts={"ALL": 0, "AML": 1, "Normal": 0, "unidentified": 1},
        quality=Quality(12.5, 0.5, 0.001, -3.25, 0.75),
        model=ModelRef("acgan", "2.0.0", "b" * 64),
        timings_ms=FrameTimings(1.25, 2, 3e-7),
    )
    bare = field_result(2, [], device="scope-2", counts={})
    index.put([bare, full])
    assert stored_results(index, S1) == [full, bare]


def test_cells_of_many_fields_and_of_equal_captures_keep_their_places(index):
    results = [
        field_result(1, ["ALL"] * 12, cells=[cell("ALL", 0.5 + n / 100, n) for n in range(12)]),
        field_result(1, ["Normal"] * 3, device="scope-2"),
        field_result(2, ["AML"], slide="s2"),
    ]
    index.put(results)
    assert stored_results(index, S1) == results[:2]
    assert load_case(index, *S1).slide == Slide.of(results[:2])


def test_there_is_no_case_of_a_slide_without_fields(index):
    assert load_case(index, "home", "none") is None
    index.put([field_result(1, [])])
    case = load_case(index, *S1)
    assert (case.review.number, case.review.state, case.entries) == (0, "open", [])


def test_an_altered_entry_that_is_none_is_named_with_what_mends_it(index):
    async def check():
        async with room() as here:
            await here.do(Comment("fine"))
            put_case(index, await here.case())

    asyncio.run(check())
    with index.engine.begin() as connection:
        connection.execute(sa.update(entries).values(entry=b"{}"))
    with pytest.raises(IndexTroubleError, match="reindex"):
        load_case(index, *S1)


def test_what_an_action_wrote_is_shown_at_once_also_with_fields_that_were_not_known(index):
    async def check():
        async with room() as here:
            index.put([await here.field(9, ["AML"])])
            for action in (Comment("one"), See(await here.cells("ALL"))):
                case = await here.do(action)
                put_case(index, case)
                put_case(index, case)
                assert load_case(index, *S1) == case == await here.case()
            assert len(case.slide.results) == 4

    asyncio.run(check())


LIES = {
    "a label": sa.update(cells).where(cells.c.n == 0).values(label="Normal"),
    "a field's picture": sa.update(fields).values(image_sha256="f" * 64),
    "cells gone": sa.delete(cells),
    "a remark": sa.update(entries).where(entries.c.number == 1).values(entry=b"{}"),
    "a head": sa.update(entries).where(entries.c.number == 2).values(head="f" * 64),
    "an entry gone": sa.delete(entries).where(entries.c.number == 1),
}


@pytest.mark.parametrize("what", LIES)
def test_a_lie_of_the_database_is_found_and_put_right_by_the_next_action(what, sqlite):
    async def check():
        async with room() as here:
            for action in (Comment("one"), Comment("two")):
                assert put_case(sqlite, await here.do(action))
            case, sound = await here.case(), list(sqlite.digests())
            with sqlite.engine.begin() as connection:
                assert connection.execute(LIES[what]).rowcount
            with capture_logs() as logs:
                assert not put_case(sqlite, case)
            assert [line["event"] for line in logs] == ["projection_altered"]
            assert load_case(sqlite, *S1) == case
            assert list(sqlite.digests()) == sound
            assert put_case(sqlite, case)

    asyncio.run(check())


def test_what_came_since_an_action_looked_is_no_lie(index):
    async def check():
        async with room() as here:
            before = await here.do(Comment("one"))
            await here.field(9, ["AML"])
            after = await here.do(Comment("two"))
            assert put_case(index, after)
            assert put_case(index, before)
            assert load_case(index, *S1) == after

    asyncio.run(check())


async def _random_act(here, draw):
    """Something that a reader may do now; nothing where it is refused."""
    case = await here.case()
    cells = draw.sample(sorted(case.slide.machine), k=min(3, len(case.slide.machine)))
    acts = [Comment("again"), Comment("here", cells)]
    if cells:
        acts += [See(cells), Reclassify(cells, draw.choice(("ALL", "Normal", "excluded")))]
    return await here.do(draw.choice([*acts, Waive("too dark")]), draw.choice(("ada", "ben")))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(st.sampled_from(LABELS), max_size=4), min_size=1, max_size=4),
    st.integers(0, 6),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_the_case_of_a_projection_is_that_of_its_bucket_whatever_came_when(
    labels, acts, sign, seed
):
    """By news that come late, twice and in any order; and by a reindex: all the same."""
    draw = random.Random(seed)

    async def check():
        async with room(labels) as here:
            history = [await here.case(), *[await _random_act(here, draw) for _ in range(acts)]]
            if sign:
                case = await here.case()
                await here.do(See(flagged)) if (flagged := case.slide.unseen(case.review)) else None
                await here.do(Waive("enough"))
                history.append(await here.sign())
                await here.field(40, ["AML"])
            expected = await here.case()
            grown, made = (Index(f"sqlite:///{folder}/{name}.sqlite") for name in "ab")
            told = [*history, expected, *draw.choices(history, k=3)]
            draw.shuffle(told)
            for case in told:
                put_case(grown, case)
            assert load_case(grown, *S1) == expected
            report = await Reindexer(here.objects, made, lambda _: None, trusted=TRUSTED).run()
            assert (report.unsound, report.unreadable) == ({}, [])
            assert load_case(made, *S1) == expected
            assert list(grown.digests()) == list(made.digests())
            grown.close()
            made.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check())
