import asyncio

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from reading_desk import TRUSTED, room
from slide_results import field_result, memory, reading

from cloud.index.case import load_case, put_case
from cloud.index.index import Index
from cloud.index.reindex import Reindexer
from cloud.index.tables import cells, entries, fields, reviews, slides
from cloud.index.worklist import Wanted, one, page
from cloud.reviews.command import verify
from cloud.reviews.entry import Comment
from cloud.reviews.signing import fingerprint
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


ENTRY_ALTERATIONS = {
    "an entry": sa.update(entries).where(entries.c.number == 1).values(entry=b"{}"),
    "an entry's head": sa.update(entries).where(entries.c.number == 2).values(head="f" * 64),
    "an entry gone": sa.delete(entries).where(entries.c.number == 2),
    "an entry of its own": sa.update(entries).where(entries.c.number == 2).values(number=7),
    "how far the chain is": sa.update(reviews).values(number=9, state="open"),
    "the whole chain gone": sa.delete(reviews),
}


@pytest.mark.parametrize("what", ENTRY_ALTERATIONS)
def test_entries_that_a_projection_holds_otherwise_are_found_and_go(what, sqlite):
    async def check():
        async with room([["Normal"]]) as here:
            await here.do(Comment("fine"))
            await here.sign()

            async def reindexed(**options):
                run = Reindexer(here.objects, sqlite, lambda _: None, trusted=TRUSTED, **options)
                return (await run.run()).mended

            assert await reindexed() == ["home/s1"]
            sound = list(sqlite.digests())
            with sqlite.engine.begin() as connection:
                assert connection.execute(ENTRY_ALTERATIONS[what]).rowcount
            assert await reindexed(mend=False) == ["home/s1"]
            assert await reindexed() == ["home/s1"]
            assert list(sqlite.digests()) == sound
            assert await reindexed() == []

    asyncio.run(check())


async def _misplace(here):
    """A sound entry of another slide, laid under this one's key."""
    await here.field(5, ["Normal"], slide="s2")
    await here.do(Comment("of another slide"), slide="s2")
    await here.sign(slide="s2")
    for number in (1, 2):
        await here.objects.put(
            keys.review("home", "s1", number),
            await here.objects.get(keys.review("home", "s2", number)),
        )


async def _alter(here):
    key = keys.review("home", "s1", 1)
    await here.objects.put(key, (await here.objects.get(key)).replace(b"fine", b"five"))


async def _remove(here):
    for number in (1, 2):
        await here.objects.delete(keys.review("home", "s1", number))


async def _lay_rubbish(here):
    await here.objects.put(keys.review("home", "s1", 2), b"rubbish")


UNSOUND = {
    "misplaced": (_misplace, "misplaced"),
    "altered": (_alter, "witness-differs"),
    "removed, all of it": (_remove, "gap"),
    "unreadable": (_lay_rubbish, "witness-differs"),
}


@pytest.mark.parametrize("what", UNSOUND)
def test_a_chain_that_is_not_sound_is_named_and_not_taken_in(what, sqlite):
    spoil, kind = UNSOUND[what]

    async def check():
        async with room([["Normal"]]) as here:
            await here.do(Comment("fine"))
            await here.sign()
            put_case(sqlite, await here.case())
            assert one(sqlite, "home", "s1").state == "signed"
            await spoil(here)
            report = await Reindexer(here.objects, sqlite, lambda _: None, trusted=TRUSTED).run()
            assert list(report.unsound) == ["home/s1"]
            assert kind in report.unsound["home/s1"]
            assert one(sqlite, "home", "s1").state == "open"
            case = load_case(sqlite, "home", "s1")
            assert (case.entries, case.review.number) == ([], 0)
            again = await Reindexer(here.objects, sqlite, lambda _: None, trusted=TRUSTED).run()
            assert (again.same, list(again.unsound)) == (True, ["home/s1"])
            (verdict,) = await verify(here.objects, TRUSTED, {}, "s1")
            assert kind in [finding.kind for finding in verdict.findings]

    asyncio.run(check())


def test_a_signature_by_a_stranger_counts_only_where_no_key_is_configured(sqlite):
    async def check():
        async with room([["Normal"]]) as here:
            stranger = Ed25519PrivateKey.generate()
            here.desk = here.another_desk(stranger)
            await here.sign()
            report = await Reindexer(here.objects, sqlite, lambda _: None, trusted=TRUSTED).run()
            assert "key-untrusted" in report.unsound["home/s1"]
            assert one(sqlite, "home", "s1").state == "open"
            report = await Reindexer(here.objects, sqlite, lambda _: None).run()
            assert report.unsound == {}
            assert one(sqlite, "home", "s1").state == "signed"
            known = {fingerprint(stranger.public_key()): stranger.public_key()}
            report = await Reindexer(here.objects, sqlite, lambda _: None, trusted=known).run()
            assert (report.same, report.unsound) == (True, {})

    asyncio.run(check())


def test_a_review_of_a_field_that_came_after_the_listing_is_no_unsound_one(sqlite):
    async def check():
        async with room([["Normal"]]) as here:

            class Meanwhile(Reindexer):
                async def _read(self, batch):
                    found = await super()._read(batch)
                    if not self.report.results:
                        await here.field(7, ["Normal"])
                        await here.sign()
                    return found

            report = await Meanwhile(here.objects, sqlite, lambda _: None, trusted=TRUSTED).run()
            assert report.unsound == {}
            assert one(sqlite, "home", "s1").state == "signed"

    asyncio.run(check())


def test_an_entry_whose_witness_is_yet_to_come_is_taken_in(sqlite):
    async def check():
        async with room([["Normal"]]) as here:
            await here.sign()
            await here.objects.delete(keys.witness("home", "s1", 1))
            report = await Reindexer(here.objects, sqlite, lambda _: None, trusted=TRUSTED).run()
            assert (report.unsound, one(sqlite, "home", "s1").state) == ({}, "signed")

    asyncio.run(check())
