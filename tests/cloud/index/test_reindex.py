import asyncio

import pytest
import sqlalchemy as sa
from reading_desk import room
from slide_results import field_result, memory, reading

from cloud.index.index import Index
from cloud.index.reindex import Reindexer
from cloud.index.tables import cells, fields, slides
from cloud.index.worklist import Wanted, one, page
from cloud.reviews.entry import Comment
from cloud.stores import keys
from cloud.worker.outcome import store_reading

RESULTS = [
    field_result(n, ["ALL", "Normal", "unidentified"][: n % 4], slide=f"s{n % 3}")
    for n in range(12)
]


@pytest.fixture
def bucket():
    """With a dozen results of three slides."""
    _, objects = memory()

    async def fill():
        for result in RESULTS:
            await store_reading(reading(result), objects)

    asyncio.run(fill())
    return objects


def reindex(objects, index, **options):
    return asyncio.run(Reindexer(objects, index, lambda _: None, **options).run())


def test_a_projection_made_anew_equals_one_that_grew(bucket, index, tmp_path):
    for result in RESULTS:
        index.put([result])
    grown = list(index.digests())
    report = reindex(bucket, index)
    assert (report.results, report.slides, report.same) == (12, 3, True)
    empty = Index(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    report = reindex(bucket, empty)
    assert report.mended == ["home/s0", "home/s1", "home/s2"]
    assert list(empty.digests()) == grown
    empty.close()


ALTERATIONS = {
    "a count": sa.update(slides).where(slides.c.slide == "s1").values(aml=7),
    "a field gone": sa.delete(fields).where(fields.c.capture_id == RESULTS[1].capture_id),
    "a field moved": sa.update(fields)
    .where(fields.c.capture_id == RESULTS[1].capture_id)
    .values(slide="s0"),
    "a field of its own": sa.update(fields)
    .where(fields.c.capture_id == RESULTS[1].capture_id)
    .values(capture_id="0" * 36),
    "a cell's label": sa.update(cells).where(cells.c.slide == "s1").values(label="AML"),
    "cells gone": sa.delete(cells).where(cells.c.slide == "s1"),
    "a slide gone": sa.delete(slides).where(slides.c.slide == "s1"),
    "a slide's name": sa.update(slides).where(slides.c.slide == "s1").values(slide="own"),
    "a state": sa.update(slides).where(slides.c.slide == "s1").values(state="signed", done=True),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_whatever_a_projection_holds_of_its_own_is_found_and_goes(what, bucket, index):
    index.put(RESULTS)
    sound = list(index.digests())
    with index.engine.begin() as connection:
        assert connection.execute(ALTERATIONS[what]).rowcount
    altered = list(index.digests())
    report = reindex(bucket, index, mend=False)
    assert "home/s1" in report.mended
    assert list(index.digests()) == altered  # only looked
    assert reindex(bucket, index).mended == report.mended
    assert list(index.digests()) == sound
    assert reindex(bucket, index).same


def test_the_states_of_slides_come_from_their_chains(index):
    async def check():
        async with room([["Normal"], []]) as here:
            await here.field(5, ["Normal"], slide="s2")
            await here.field(6, ["Normal"], slide="s3")
            await here.do(Comment("fine"), slide="s2")
            await here.sign(slide="s1")
            report = await Reindexer(here.objects, index, lambda _: None).run()
            assert len(report.mended) == 3
            states = {slide: one(index, "home", slide).state for slide in ("s1", "s2", "s3")}
            assert states == {"s1": "signed", "s2": "in review", "s3": "open"}
            assert [line.slide for line in page(index, Wanted()).slides] == ["s2", "s3"]
            await here.sign(slide="s2")
            report = await Reindexer(here.objects, index, lambda _: None).run()
            assert report.mended == ["home/s2"]
            assert one(index, "home", "s2").state == "signed"
            assert (await Reindexer(here.objects, index, lambda _: None).run()).same
            assert one(index, "home", "s1").done
            await here.field(7, ["AML"], slide="s1")
            await Reindexer(here.objects, index, lambda _: None).run()
            line = one(index, "home", "s1")
            assert (line.state, line.done, line.later_fields) == ("signed", False, 1)

    asyncio.run(check())


def test_a_field_that_comes_meanwhile_is_not_lost(bucket, index):
    index.put(RESULTS)
    late = field_result(50, ["AML"], slide="s1")
    other = field_result(51, ["AML"], slide="new")

    class Meanwhile(Reindexer):
        async def _compare(self, fresh):
            for result in (late, other):
                await store_reading(reading(result), bucket)
                self._index.put([result])
            await super()._compare(fresh)

    report = asyncio.run(Meanwhile(bucket, index, lambda _: None).run())
    assert report.same
    assert one(index, "home", "s1").fields == 5
    assert one(index, "home", "new").fields == 1


def test_results_without_their_slide_entry_get_one(bucket, index):
    entry = keys.slide_field("home", "s1", "scope-1", RESULTS[1].capture_id)
    asyncio.run(bucket.delete(entry))
    assert reindex(bucket, index, mend=False).entries_written == 1
    assert asyncio.run(bucket.get(entry)) is None
    assert reindex(bucket, index).entries_written == 1
    assert asyncio.run(bucket.get(entry)) is not None
    assert reindex(bucket, index).entries_written == 0


def test_a_result_of_another_version_is_named_and_left_out(bucket, index):
    key = keys.result("home", "scope-1", RESULTS[1].capture_id)
    asyncio.run(bucket.put(key, b'{"schema": 2}'))
    assert reindex(bucket, index).unreadable == [key]
    assert one(index, "home", "s1").fields == 3
