"""After a signature the report lies in the bucket, whatever stopped when."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from reading_desk import run
from signing_room import PAGES, Signing, amended, reports, signing_room
from structlog.testing import capture_logs

from cloud.reports.fhir.check import FhirError, check_bundle
from cloud.reports.gather import report_facts
from cloud.reports.pdf.draw import PdfError
from cloud.reviews.entry import Comment
from cloud.signing import after
from cloud.signing.drawer import Drawer
from cloud.signing.letters import Letters
from cloud.signing.notes import Notes
from cloud.stores import keys
from cloud.stores.keys import ReportName

BOTH = {"fhir.json", "pdf"}


async def due(here):
    return await Notes(here.objects).by_slide()


def test_a_signed_report_is_kept_as_fhir_and_as_pages_and_no_note_stays_behind():
    async def check():
        async with signing_room() as signing, signing.running():
            here = signing.here
            case = await here.sign()
            await signing.done()
            assert await reports(here.objects) == {3: BOTH}
            bundle = await signing.after.taken("home", "s1", 3, "fhir.json")
            check_bundle(bundle, facts=report_facts(case))
            assert await signing.after.taken("home", "s1", 3, "pdf") == PAGES
            await amended(here, "a second look")
            await signing.done()
            assert await reports(here.objects) == {3: BOTH, 4: BOTH}
            assert signing.count("leukoscope_reports_kept_total") == 2
            assert signing.count("leukoscope_reports_due") == 0
            assert set(signing.warnings) == {None}

    run(check())


def test_a_program_that_was_killed_right_after_a_signature_keeps_the_report_at_its_next_start():
    async def check():
        async with signing_room() as signing:
            await signing.here.sign()
            await amended(signing.here, "a second look")
            assert await reports(signing.here.objects) == {}
            async with Signing(signing.here).running() as another:
                await another.done()
            assert await reports(signing.here.objects) == {3: BOTH, 4: BOTH}

    run(check())


def test_whatever_was_done_when_it_was_killed_the_rest_is_done_and_nothing_twice():
    async def check():
        async with signing_room() as signing:
            case = await signing.here.sign()
            await signing.after.make(case, 3)
            before = {key: await signing.objects.get(key) for key in await all_reports(signing)}
            await signing.objects.delete(keys.report("home", "s1", 3, "pdf"))
            async with signing.running():
                await signing.done()
            now = {key: await signing.objects.get(key) for key in await all_reports(signing)}
            assert before == now
            assert signing.count("leukoscope_reports_kept_total") == 1

    run(check())


async def all_reports(signing):
    return await signing.objects.sizes(keys.reports("home", "s1"))


def test_what_lies_there_is_never_written_over():
    async def check():
        async with signing_room() as signing:
            for ending in BOTH:
                key = keys.report("home", "s1", 3, ending)
                await signing.objects.put(key, b"as it was first")
            case = await signing.here.sign()
            assert await signing.after.make(case, 3) == b"as it was first"
            assert await signing.after.taken("home", "s1", 3, "pdf") == b"as it was first"

    run(check())


def test_a_note_of_a_signature_that_another_entry_overtook_goes_away_and_a_fresh_one_stays():
    async def check():
        async with signing_room() as signing:
            here = signing.here
            await here.do(Comment("this one has the place"))
            for number in (3, 4):
                await signing.notes.put("home", "s1", number)
            async with signing.running():
                while (await due(here)) != {("home", "s1"): [4]}:
                    await asyncio.sleep(0.01)
                await here.sign()  # as entry 4, which was noted before it was written
                await signing.done()
            assert await reports(here.objects) == {4: BOTH}

    run(check())


def test_a_note_that_no_signature_followed_for_a_day_goes_away():
    async def check():
        async with signing_room() as signing:
            name = ReportName("home", "s1", 9)
            old = (datetime.now(UTC) - timedelta(days=2)).isoformat().encode()
            await signing.objects.put(keys.report_due(name), old)
            async with signing.running():
                await signing.done()
            assert await reports(signing.here.objects) == {}

    run(check())


def test_slides_that_were_signed_before_there_were_reports_get_theirs_when_they_are_opened():
    async def check():
        async with signing_room() as signing:
            case = await signing.here.sign()
            await signing.notes.drop(ReportName("home", "s1", 3))
            await signing.after.kept(case)
            async with signing.running():
                await signing.done()
                assert await reports(signing.here.objects) == {3: BOTH}
                await signing.after.kept(case)
                assert await due(signing.here) == {}, "once is enough"

    run(check())


class NoPango(Drawer):
    async def _draw(self, facts):
        raise PdfError("a PDF needs Pango")


def test_where_no_pages_can_be_drawn_the_report_is_kept_all_the_same():
    async def check():
        async with signing_room(drawer=NoPango(None)) as signing, signing.running():
            await signing.here.sign()
            await signing.done()
            assert await reports(signing.here.objects) == {3: {"fhir.json"}}

    run(check())


def test_nothing_is_kept_of_a_chain_that_is_not_sound_and_that_is_said():
    async def check():
        async with signing_room() as signing:
            await signing.here.sign()
            entry = keys.review("home", "s1", 1)
            data = await signing.here.objects.get(entry)
            await signing.here.objects.delete(entry)
            async with signing.running():
                while not signing.warnings or signing.warnings[-1] is None:
                    await asyncio.sleep(0.01)
                assert signing.warnings[-1] == (
                    "1 signed report waits: the reviews of slide s1 are not sound: chain-broken"
                )
                assert await reports(signing.here.objects) == {}
                await signing.here.objects.put(entry, data)
                await signing.done()
                while signing.warnings[-1] is not None:
                    await asyncio.sleep(0.01)
            assert await reports(signing.here.objects) == {3: BOTH}

    run(check())


class Slow(Drawer):
    def __init__(self):
        super().__init__(None)
        self.drawn = []

    async def _draw(self, facts):
        self.drawn.append(facts.number)
        await asyncio.sleep(0.05)
        if facts.number == 0:
            raise PdfError("not today")
        return PAGES


def test_a_report_that_is_being_drawn_is_drawn_once_and_who_gives_up_stops_nobody():
    async def check():
        async with signing_room() as signing:
            case = await signing.here.case()
            slow, facts = Slow(), report_facts(case)
            waiting = [asyncio.ensure_future(slow.draw(facts)) for _ in range(5)]
            await asyncio.sleep(0.01)
            waiting[0].cancel()
            assert await asyncio.gather(*waiting[1:]) == [PAGES] * 4
            assert slow.drawn == [2]
            assert await slow.draw(facts) == PAGES
            assert slow.drawn == [2, 2]
            await slow.close()

    run(check())


@pytest.mark.parametrize("key", ["reports-due/home/s1/x", "reports-due/home", "slides/a/b/c/d"])
def test_what_is_no_note_is_left_alone(key):
    async def check():
        assert keys.read_report_name(key) is None
        async with signing_room() as signing:
            await signing.objects.put(key, b"")
            assert await due(signing.here) == {}

    run(check())


def test_a_report_that_cannot_be_made_is_a_dead_letter_and_the_next_one_goes_on(monkeypatch):
    made = after.keep_fhir

    async def broken(objects, case, codes, number):
        if number == 3:
            raise FhirError("is no FHIR bundle: input_value='a reader wrote this'")
        return await made(objects, case, codes, number)

    monkeypatch.setattr(after, "keep_fhir", broken)

    async def check():
        async with signing_room() as signing, signing.running():
            await signing.here.sign()
            await amended(signing.here, "a second look")
            await signing.done()
            assert await reports(signing.here.objects) == {4: BOTH}
            letters = Letters(signing.objects)
            (name,) = await letters.names()
            letter = await letters.read(name)
            assert (letter.number, letter.status) == (3, 0)
            assert "input_value" in letter.reason

    with capture_logs() as log:
        run(check())
    assert "a reader wrote this" not in repr(log)
    assert "report_not_made" in [line["event"] for line in log]


def test_it_ends_when_told_also_at_the_very_moment_at_which_something_is_due():
    async def check():
        async with signing_room() as signing:
            task = asyncio.ensure_future(signing.outbox.keep())
            await asyncio.sleep(0.05)
            signing.notes.woken.set()
            await asyncio.sleep(0)  # the wait is over, and the task has not gone on yet
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=5)
            assert task in done
            assert task.cancelled()

    run(check())
