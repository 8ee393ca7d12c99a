"""A step taken back is a step more in the chain, and never somebody else's."""

import pytest
from reading_desk import room, run

from cloud.reviews.entry import Comment, Reclassify, See
from cloud.reviews.rules import OvertakenError, ReviewRefused
from cloud.reviews.undo import undo


async def undone(here, number, reader="ada"):
    last = (await here.case()).review.number
    return await here.desk.undo("home", "s1", reader, number, last_seen=last)


async def not_undoable(here, number, reader="ada"):
    with pytest.raises(ReviewRefused) as caught:
        await undone(here, number, reader)
    return caught.value.reason


def test_each_cell_gets_the_label_back_that_it_had_before():
    async def check():
        async with room() as here:
            (leukemic, *_) = await here.cells("ALL")
            (pale,) = await here.cells("unidentified")
            normal = (await here.cells("Normal"))[:2]
            await here.do(Reclassify([normal[0]], "AML"), "grace")
            before = (await here.case()).slide.report((await here.case()).review)
            await here.do(Reclassify([leukemic, pale, *normal], "excluded"))
            case = await undone(here, 2)
            assert case.review.labels == {
                leukemic: "ALL",
                pale: "unidentified",
                normal[0]: "AML",
                normal[1]: "Normal",
            }
            assert case.slide.report(case.review) == before
            assert {e.action.label for e in case.entries[2:]} == {
                "ALL", "unidentified", "AML", "Normal",
            }  # fmt: skip
            assert case.slide.unidentified(case.review) == [pale]
            assert (await here.examine()).findings == []

    run(check())


def test_what_was_undone_can_be_done_again_by_undoing_that():
    async def check():
        async with room() as here:
            cells = await here.cells("AML")
            await here.do(Reclassify(cells, "Normal"))
            assert (await undone(here, 1)).review.labels[cells[0]] == "AML"
            assert (await undone(here, 2)).review.labels[cells[0]] == "Normal"
            with pytest.raises(OvertakenError):
                await undone(here, 1)

    run(check())


def test_a_cell_that_was_named_again_since_is_not_touched():
    async def check():
        async with room() as here:
            cells = [*(await here.cells("AML")), *(await here.cells("ALL"))]
            await here.do(Reclassify(cells, "Normal"))
            await here.do(Reclassify(cells[:1], "excluded"), "grace")
            with pytest.raises(OvertakenError, match="grace has changed this") as caught:
                await undone(here, 1)
            assert [entry.number for entry in caught.value.newer] == [2]
            assert (await here.case()).review.number == 2
            await undone(here, 2, "grace")
            assert (await here.case()).review.labels == dict.fromkeys(cells, "Normal")

    run(check())


def test_only_one_s_own_reclassification_can_be_undone():
    async def check():
        async with room() as here:
            await here.do(Comment("x"))
            await here.do(See(await here.cells("ALL")))
            await here.do(Reclassify(await here.cells("AML"), "Normal"), "grace")
            for number in (0, 1, 2, 3, 4, -1):
                assert await not_undoable(here, number) == "not-undoable"
            assert (await here.case()).review.number == 3

    run(check())


def test_after_a_signature_nothing_is_undone():
    async def check():
        async with room([["Normal", "AML"]]) as here:
            await here.do(Reclassify(await here.cells("AML"), "Normal"))
            await here.sign()
            assert await not_undoable(here, 1) == "already-signed"
            await here.amend("looked again", [Reclassify(await here.cells("AML"), "ALL")])
            with pytest.raises(OvertakenError):
                await undone(here, 1)

    run(check())


def test_a_cell_named_twice_in_one_step_is_given_back_once():
    async def check():
        async with room([["Normal", "AML"]]) as here:
            (cell,) = await here.cells("AML")
            await here.do(Reclassify([cell, cell], "Normal"))
            case = await here.case()
            assert undo(case.entries, 1, "ada", case.slide.machine) == [Reclassify([cell], "AML")]

    run(check())
