"""Where a site asks for two readers, one alone signs nothing."""

import asyncio

import msgspec
import pytest
from reading_desk import KEY, TRUSTED, room, run

from cloud.reviews.entry import (
    Comment,
    Propose,
    Reclassify,
    See,
    Sign,
    Waive,
    basis,
    digest,
    read,
)
from cloud.reviews.rules import OvertakenError, ReviewRefused
from cloud.reviews.signing import sign
from cloud.reviews.steps import steps
from cloud.slides.recount import Recounter
from cloud.slides.signed import SlideName
from cloud.stores import keys
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE


async def looked_through(here):
    await here.do(See(await here.cells("ALL")))
    await here.do(Reclassify(await here.cells("AML"), "Normal"))
    await here.do(Waive("too pale"))


async def refused(awaitable):
    with pytest.raises(ReviewRefused) as caught:
        await awaitable
    return caught.value.reason


def two_readers(labels=None):
    return room(second_reader=True) if labels is None else room(labels, second_reader=True)


def test_the_first_signature_is_a_proposal_and_the_second_reader_s_signs():
    async def check():
        async with two_readers() as here:
            assert await refused(here.sign()) == "cells-unseen"
            await looked_through(here)
            case = await here.sign("ada")
            assert (case.review.state, case.review.reports, here.told) == ("in review", [], [])
            assert (case.proposal.reader, case.proposal.number) == ("ada", 4)
            counted = await Recounter(here.objects, TRUSTED).count(SlideName("home", "s1"))
            assert counted.state == "preliminary"
            case = await here.sign("grace")
            (report,) = case.review.reports
            assert case.review.state == "signed"
            assert (report.reader, report.first.reader) == ("grace", "ada")
            assert report.report == report.first.report
            assert case.proposal is None
            assert len(here.told) == 1
            assert [e.notice for e in case.entries[3:]] == [RESEARCH_USE_ONLY, SIGNED_NOTICE]
            assert (await here.examine()).findings == []
            assert (await here.case()).review == case.review

    run(check())


def test_nobody_is_their_own_second_reader_also_once_the_site_asks_for_none():
    async def check():
        async with two_readers() as here:
            await looked_through(here)
            await here.sign("ada")
            assert await refused(here.sign("ada")) == "second-reader"
            here.second_reader = False
            here.desk = here.another_desk()
            assert await refused(here.sign("ada")) == "second-reader"
            assert (await here.case()).review.state == "in review"
            await here.sign("grace")
            assert (await here.case()).review.reports[0].first.reader == "ada"

    run(check())


@pytest.mark.parametrize("change", ["label", "waiver", "field", "undo"])
def test_whatever_changes_after_a_proposal_ends_it(change):
    async def check():
        async with two_readers() as here:
            await looked_through(here)
            await here.sign("ada")
            if change == "label":
                await here.do(Reclassify(await here.cells("AML"), "ALL"), "grace")
            elif change == "waiver":
                await here.do(Waive("still too pale"), "grace")
            elif change == "undo":
                case = await here.case()
                (step,) = steps(case.entries, "ada", case.slide.machine)
                for back in step.back:
                    await here.do(back)
            else:
                await here.field(7, ["Normal"])
            assert (await here.case()).proposal is None
            case = await here.sign("grace")
            assert (case.review.state, case.proposal.reader) == ("in review", "grace")
            case = await here.sign("ada")
            (report,) = case.review.reports
            assert (report.reader, report.first.reader) == ("ada", "grace")
            assert (await here.examine()).findings == []

    run(check())


def test_looking_and_remarking_leave_a_proposal_as_it_is():
    async def check():
        async with two_readers() as here:
            await looked_through(here)
            await here.sign("ada")
            await here.do(See(await here.cells("Normal")), "grace")
            await here.do(Comment("agreed"), "grace")
            assert (await here.case()).proposal.reader == "ada"
            await here.sign("grace")
            assert (await here.case()).review.state == "signed"

    run(check())


def test_nobody_ends_a_proposal_or_confirms_one_without_having_seen_it():
    async def check():
        async with two_readers() as here:
            await looked_through(here)
            seen = await here.seen()
            cells = await here.cells("AML")
            await here.sign("ada")
            with pytest.raises(OvertakenError, match="ada has changed this"):
                await here.desk.sign("home", "s1", "grace", **seen)
            with pytest.raises(OvertakenError, match="ada has changed this"):
                await here.desk.waive("home", "s1", "grace", "pale", **seen)
            act = here.desk.act
            with pytest.raises(OvertakenError):
                await act("home", "s1", "grace", Reclassify(cells, "ALL"), last_seen=3)
            await act("home", "s1", "grace", Comment("unaware of it"), last_seen=3)
            assert (await here.case()).proposal.reader == "ada"

    run(check())


def test_of_many_who_sign_at_once_one_proposes_and_the_others_are_told():
    async def check():
        async with two_readers() as here:
            await looked_through(here)
            seen = await here.seen()
            tried = await asyncio.gather(
                *(here.another_desk().sign("home", "s1", f"r{n}", **seen) for n in range(6)),
                return_exceptions=True,
            )
            overtaken = [one for one in tried if isinstance(one, OvertakenError)]
            assert len(overtaken) == 5
            case = await here.case()
            assert (case.review.number, case.review.state) == (4, "in review")

    run(check())


def test_an_amendment_needs_no_proposal_and_a_signed_slide_takes_none():
    async def check():
        async with two_readers() as here:
            await looked_through(here)
            await here.sign("ada")
            await here.sign("grace")
            assert await refused(here.sign("ada")) == "already-signed"
            case = await here.amend("looked again", [Reclassify(await here.cells("AML"), "AML")])
            assert (case.review.state, case.review.reports[1].first) == ("amended", None)

    run(check())


# --- forged with the right key, at the right place, with a witness ---


async def append(here, reader, action, fields=None):
    case = await here.case()
    results = list(case.slide.results.values())[:fields]
    last = case.review.number
    _, entry = read(await here.objects.get(keys.review("home", "s1", last)))
    forged = msgspec.structs.replace(
        entry,
        number=last + 1,
        before=case.review.head,
        reader=reader,
        basis=basis(results),
        action=action,
    )
    data = sign(forged, KEY)
    await here.objects.put(keys.review("home", "s1", last + 1), data)
    await here.objects.put(keys.witness("home", "s1", last + 1), digest(data).encode())
    return [(finding.number, finding.kind) for finding in (await here.examine()).findings]


def other_report(case):
    report = case.slide.report(case.review)
    return msgspec.structs.replace(report, reader=report.reader | {"ALL": 9})


FORGERIES = {
    "signed by the one who proposed": ("ada", Sign, None, "rule-broken"),
    "proposed again by the same": ("ada", Propose, None, "rule-broken"),
    "proposed over another's": ("grace", Propose, None, "rule-broken"),
    "signed with another report": ("grace", Sign, other_report, "report-differs"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_signature_that_no_second_reader_could_have_given_is_found(name):
    reader, kind, report, found = FORGERIES[name]

    async def check():
        async with two_readers() as here:
            await looked_through(here)
            case = await here.sign("ada")
            said = report(case) if report else case.slide.report(case.review)
            assert await append(here, reader, kind(said)) == [(5, found)]

    run(check())


def test_a_proposal_of_another_report_or_of_what_nobody_looked_through_is_found():
    async def check():
        async with two_readers() as here:
            await looked_through(here)
            assert await append(here, "ada", Propose(other_report(await here.case()))) == [
                (4, "report-differs")
            ]
        async with two_readers() as here:
            await here.do(Comment("not looked at"))
            case = await here.case()
            forged = Propose(case.slide.report(case.review))
            assert await append(here, "ada", forged) == [(2, "rule-broken")]

    run(check())


def test_a_proposal_of_fewer_fields_does_not_make_two_readers_of_one():
    """What the chain cannot know is whether the site asked for two: see decision 023."""

    async def check():
        async with two_readers([["Normal"], ["Normal"]]) as here:
            await here.do(Comment("a slide without suspicion"))
            half = (await here.case()).slide
            half = type(half).of(list(half.results.values())[:1])
            case = await here.case()
            assert await append(here, "ada", Propose(half.report(case.review)), fields=1) == []
            assert (await here.case()).proposal is None
            case = await here.case()
            assert await append(here, "grace", Sign(case.slide.report(case.review))) == []
            assert (await here.case()).review.reports[0].first is None

    run(check())
