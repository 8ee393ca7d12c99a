import asyncio

import pytest
from reading_desk import TRUSTED, room, run
from structlog.testing import capture_logs

from cloud.reviews.entry import Comment, Reclassify, See, Waive
from cloud.reviews.rules import OvertakenError, ReviewRefused
from cloud.slides.recount import Recounter
from cloud.slides.signed import SlideName
from cloud.stores import keys
from wire import topics
from wire.codec import decode
from wire.messages import SlideResult, SlideReview
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE


async def looked_through(here):
    await here.do(See(await here.cells("ALL")))
    await here.do(Reclassify(await here.cells("AML"), "Normal"))
    await here.do(Reclassify(await here.cells("unidentified"), "ALL"))


async def refused(awaitable):
    with pytest.raises(ReviewRefused) as caught:
        await awaitable
    return caught.value.reason


def test_a_slide_is_read_from_open_to_signed_and_every_step_can_be_replayed():
    async def check():
        async with room() as here:
            assert (await here.case()).review.state == "open"
            await looked_through(here)
            await here.do(Comment("smudged at the edge"))
            assert (await here.case()).review.state == "in review"
            case = await here.sign("grace")
            assert case.review.state == "signed"
            again = await here.case()
            assert again.review == case.review
            (report,) = again.review.reports
            assert (report.reader, report.number) == ("grace", 5)
            assert report.report.machine == {"ALL": 1, "AML": 1, "Normal": 4, "unidentified": 1}
            assert report.report.reader == {"ALL": 2, "AML": 0, "Normal": 5, "unidentified": 0}
            assert report.report.blasts_per_100 == pytest.approx(28.571)
            assert [e.reader for e in again.entries] == ["ada"] * 4 + ["grace"]
            assert (await here.examine()).findings == []

    run(check())


def test_signing_waits_until_every_flagged_cell_was_seen_and_the_bin_is_empty_or_waived():
    async def check():
        async with room() as here:
            assert await refused(here.sign()) == "cells-unseen"
            await here.do(See(await here.cells("ALL")))
            assert await refused(here.sign()) == "cells-unseen"
            await here.do(See(await here.cells("AML")))
            assert await refused(here.sign()) == "unidentified-left"
            assert await refused(here.do(Waive("  "))) == "reason-missing"
            await here.do(Waive("out of focus"))
            await here.field(7, ["unidentified"])  # after the waiver, so not waived by it
            assert await refused(here.sign()) == "unidentified-left"
            await here.do(Reclassify([f"scope-1/{(await last_capture(here))}/0"], "excluded"))
            case = await here.sign()
            assert case.review.reports[0].report.excluded == 1
            assert sum(case.review.reports[0].report.reader.values()) == 7

    run(check())


async def last_capture(here):
    return max(name.partition("/")[2] for name in (await here.case()).slide.results)


def test_after_signing_only_an_amendment_with_a_reason_and_the_earlier_report_stays():
    async def check():
        async with room() as here:
            assert await refused(here.amend("why not")) == "not-signed"
            await looked_through(here)
            first = (await here.sign()).review.reports[0]
            cell = (await here.cells("ALL"))[0]
            for action in (See([cell]), Reclassify([cell], "AML"), Comment("x"), Waive("x")):
                assert await refused(here.do(action)) == "already-signed"
            assert await refused(here.sign()) == "already-signed"
            assert await refused(here.amend(" ")) == "reason-missing"
            await here.field(9, ["AML", "unidentified"])
            assert await refused(here.amend("a field came")) == "cells-unseen"
            new = (await here.cells("AML"))[-1:]
            await here.amend(
                "a field came", [Reclassify([cell], "AML")], new, "not needed", reader="grace"
            )
            review = (await here.case()).review
            assert review.state == "amended"
            assert review.reports[0] == first
            last = review.reports[1]
            assert (last.reader, last.reason) == ("grace", "a field came")
            assert last.report.reader == {"ALL": 1, "AML": 2, "Normal": 5, "unidentified": 1}
            assert (await here.examine()).findings == []

    run(check())


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (See(["scope-1/no-such-capture/0"]), "cell-unknown"),
        (Reclassify(["x"], "ALL"), "cell-unknown"),
        (Comment(""), "text-missing"),
        (Comment("x", ["y"]), "cell-unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason_and_nothing_is_written(action, reason):
    async def check():
        async with room() as here:
            assert await refused(here.do(action)) == reason
            assert await here.objects.sizes(keys.REVIEWS) == {}

    run(check())


def test_a_slide_without_results_cannot_be_read():
    async def check():
        async with room() as here:
            assert await refused(here.do(Comment("x"), slide="none")) == "slide-unknown"

    run(check())


def test_of_two_readers_at_once_neither_loses_an_edit():
    async def check():
        async with room([["Normal"] * 30]) as here:
            names = await here.cells("Normal")
            desks = [here.another_desk() for _ in range(3)]

            async def read(number):
                for cell in names[number::3]:
                    await desks[number].act(
                        "home", "s1", f"reader-{number}", Reclassify([cell], "AML"), last_seen=0
                    )

            await asyncio.gather(*(read(number) for number in range(3)))
            case = await here.case()
            assert case.review.labels == dict.fromkeys(names, "AML")
            assert [entry.number for entry in case.entries] == list(range(1, 31))
            assert (await here.examine()).findings == []

    run(check())


def test_who_is_overtaken_at_the_same_cell_is_told_by_whom_and_nothing_is_written_over():
    async def check():
        async with room() as here:
            cell = (await here.cells("ALL"))[0]
            await here.do(Reclassify([cell], "AML"), "ada")
            with pytest.raises(OvertakenError, match="ada has changed this") as caught:
                await here.desk.act(
                    "home", "s1", "grace", Reclassify([cell], "Normal"), last_seen=0
                )
            assert [entry.number for entry in caught.value.newer] == [1]
            assert (await here.case()).review.labels == {cell: "AML"}
            await here.desk.act("home", "s1", "grace", Reclassify([cell], "Normal"), last_seen=1)
            assert (await here.case()).review.labels == {cell: "Normal"}

    run(check())


def test_nobody_signs_over_what_they_have_not_seen():
    async def check():
        async with room() as here:
            await looked_through(here)
            seen = await here.seen()
            await here.do(Comment("wait: look at the edge"), "ada")
            with pytest.raises(OvertakenError):
                await here.desk.sign("home", "s1", "grace", **seen)
            assert (await here.case()).review.state == "in review"

    run(check())


def test_nobody_signs_amends_or_waives_fields_that_were_not_on_the_screen():
    async def check():
        async with room() as here:
            await looked_through(here)
            seen = await here.seen()
            await here.field(7, ["Normal"])  # nothing in it holds a signature up
            with pytest.raises(OvertakenError, match="other fields than you saw, 4 by now"):
                await here.desk.sign("home", "s1", "grace", **seen)
            with pytest.raises(OvertakenError):
                await here.desk.waive("home", "s1", "grace", "too pale", **seen)
            assert len((await here.case()).entries) == seen["last_seen"]
            await here.desk.sign("home", "s1", "grace", **await here.seen())
            seen = await here.seen()
            await here.field(8, ["unidentified"])
            with pytest.raises(OvertakenError):
                await here.desk.amend("home", "s1", "ada", "why", waive="too pale", **seen)
            review = (await here.case()).review
            assert (review.state, review.reports[0].report.reader["Normal"]) == ("signed", 6)

    run(check())


@pytest.mark.parametrize(
    ("action", "reader", "named"),
    [
        (Comment("x" * 2001), "ada", "text"),
        (Waive("x" * 2001), "ada", "reason"),
        (See([]), "ada", "cells"),
        (Reclassify([], "ALL"), "ada", "cells"),
        (Comment("x"), "a" * 65, "reader"),
        (Comment("x"), "", "reader"),
        (Comment("half of a sign: \ud800"), "ada", "surrogates"),
    ],
)
def test_what_could_not_be_read_again_is_refused_before_it_is_in_the_chain_for_ever(
    action, reader, named
):
    async def check():
        async with room() as here:
            with pytest.raises(ReviewRefused, match=named) as caught:
                await here.do(action, reader)
            assert caught.value.reason == "entry-invalid"
            assert await here.objects.sizes(keys.REVIEWS) == {}
            await here.do(Comment("x" * 2000), "a" * 64)
            assert (await here.examine()).findings == []

    run(check())


def test_an_amendment_with_a_reason_of_a_book_is_refused_and_the_signed_report_stays():
    async def check():
        async with room() as here:
            await looked_through(here)
            await here.sign()
            assert await refused(here.amend("x" * 2001)) == "entry-invalid"
            assert (await here.case()).review.state == "signed"

    run(check())


def test_of_many_who_sign_at_once_one_does():
    async def check():
        async with room() as here:
            await looked_through(here)
            seen = await here.seen()
            tried = await asyncio.gather(
                *(here.another_desk().sign("home", "s1", f"r{n}", **seen) for n in range(8)),
                return_exceptions=True,
            )
            assert sum(not isinstance(one, Exception) for one in tried) == 1
            assert all(
                isinstance(one, OvertakenError) for one in tried if isinstance(one, Exception)
            )
            assert len(here.told) == 1

    run(check())


def test_a_signature_is_told_and_the_slide_published_with_what_was_signed():
    async def check():
        async with room() as here:
            await looked_through(here)
            await here.sign("grace")
            await here.amend("second thoughts", [Reclassify(await here.cells("AML"), "AML")])
            told = [decode(payload, SlideReview) for topic, payload in here.told]
            assert {topic for topic, _ in here.told} == {topics.reviews("home", "s1")}
            assert [(one.state, one.number, one.reason) for one in told] == [
                ("signed", 4, ""),
                ("amended", 5, "second thoughts"),
            ]
            assert told[0].counts == {"ALL": 2, "AML": 0, "Normal": 5, "unidentified": 0}
            assert told[1].counts == {"ALL": 2, "AML": 1, "Normal": 4, "unidentified": 0}
            topic = topics.slides("home", "s1")
            while (
                topic not in here.said or decode(here.said[topic], SlideResult).state != "amended"
            ):
                await asyncio.sleep(0.01)
            said = decode(here.said[topic], SlideResult)
            assert said.counts == told[1].counts
            assert {said.notice, *(one.notice for one in told)} == {SIGNED_NOTICE}
            notices = [entry.notice for entry in (await here.case()).entries]
            assert notices == [RESEARCH_USE_ONLY] * 3 + [SIGNED_NOTICE] * 2
            assert said.blasts_per_100 == told[1].blasts_per_100

    run(check())


def test_a_signature_that_was_laid_elsewhere_is_not_published_as_that_slide_s():
    async def check():
        async with room([["Normal"]]) as here:
            for n, slide in ((5, "s2"), (6, "s3")):
                await here.field(n, ["Normal"] * n, slide=slide)
            await here.sign()
            signed = await here.objects.get(keys.review("home", "s1", 1))
            await here.objects.put(keys.review("home", "s2", 1), signed)
            await here.sign(slide="s3")
            await here.objects.put(
                keys.review("home", "s3", 2),
                await here.objects.get(keys.review("home", "s3", 1)),
            )
            counted = {
                slide: await Recounter(here.objects, TRUSTED).count(SlideName("home", slide))
                for slide in ("s1", "s2", "s3")
            }
            assert {slide: (one.state, one.cells) for slide, one in counted.items()} == {
                "s1": ("signed", 1),
                "s2": ("preliminary", 5),
                "s3": ("preliminary", 6),
            }

    with capture_logs() as log:
        run(check())
    assert {line["detail"] for line in log if line["event"] == "review_not_counted"} == {
        "is misplaced: it belongs at reviews/home/s1/000001.json",
        "is misplaced: it belongs at reviews/home/s3/000001.json",
    }


def test_a_writer_cut_off_before_its_witness_is_noticed_and_the_next_entry_brings_it():
    async def check():
        async with room() as here:
            await here.do(Comment("one"))
            await here.objects.delete(keys.witness("home", "s1", 1))
            assert [f.kind for f in (await here.examine()).findings] == ["witness-missing"]
            await here.do(Comment("two"))
            assert (await here.examine()).findings == []

    run(check())


def test_nothing_is_built_on_a_chain_that_is_not_sound():
    async def check():
        async with room() as here:
            await here.do(Comment("one"))
            await here.do(Comment("two"))
            await here.objects.delete(keys.review("home", "s1", 1))
            assert await refused(here.do(Comment("three"))) == "chain-broken"

    run(check())
