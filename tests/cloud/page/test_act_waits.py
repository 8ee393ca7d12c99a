"""The store is away: reading goes on, an act waits, and the page says so and how it ended."""

import asyncio
import contextlib
import json

from cut_store import Cut
from reading_desk import run
from reading_room import open_app
from slide_screen import Here
from structlog.testing import capture_logs

from cloud.live.news import Change
from cloud.reviews.rules import ReviewRefused

PATIENCE_S = 0.3


def with_cut(work, tmp_path):
    async def opened():
        objects = Cut()
        async with open_app(tmp_path, objects=objects) as (room, client):
            room.waiting.patience_s = PATIENCE_S
            here = Here(room, client, "s1", 1000)
            screen = await here.screen()
            objects.away = True
            await work(here, screen, objects)
            objects.away = False
            with contextlib.suppress(asyncio.CancelledError):
                await room.waiting.close()

    run(opened())


async def settled(news):
    """Wait until it is told that an act of ada's has ended."""
    async with asyncio.timeout(10):
        async for change in news:
            if change is not None and (change.kind, change.by) == ("waiting", "ada"):
                return change
    return None


def test_an_act_waits_and_is_told_when_it_is_written(tmp_path):
    async def work(here, screen, objects):
        news = here.room.news.follow(here.key)
        (pale,) = screen.cells("unidentified")
        answer = await screen.act("reclassify", cells=pale, label="AML")
        assert (answer.status_code, screen.refusal()) == (202, "store-away")
        assert "Your change waits for it" in screen.html
        assert (await here.client.get("/slides/home/s1")).status_code == 200
        objects.away = False
        assert await settled(news) == Change(*here.key, "waiting", "ada", 1)
        await screen.refreshed()
        assert "The store is back: your change is written." in screen.html
        assert pale in screen.cells("AML")
        screen.promised = ""  # known now
        assert "The store is back" not in (await screen.refreshed()).text

    with_cut(work, tmp_path)


def test_the_next_act_is_refused_until_then(tmp_path):
    async def work(here, screen, objects):
        news = here.room.news.follow(here.key)
        one, two, *_ = screen.cells("Normal")
        await screen.act("reclassify", cells=one, label="AML")
        answer = await screen.act("reclassify", cells=two, label="AML")
        assert (answer.status_code, screen.refusal()) == (503, "store-away")
        assert "your last change still waits" in screen.html
        async with here.another("grace") as theirs:  # everybody waits for themselves
            assert (await theirs.act("see", cells=two)).status_code == 202
        objects.away = False
        await settled(news)
        await screen.refreshed()
        assert (await screen.act("reclassify", cells=two, label="AML")).status_code == 200

    with_cut(work, tmp_path)


def test_a_second_act_waits_its_turn_and_is_refused_once_the_first_waits_for_the_store(tmp_path):
    async def work(here, screen, objects):
        news = here.room.news.follow(here.key)
        one, two, *_ = screen.cells("Normal")
        first, second = await asyncio.gather(
            screen.act("reclassify", cells=one, label="AML"),
            screen.act("reclassify", cells=two, label="AML"),
        )
        refused, promised = sorted([first, second], key=lambda one: -one.status_code)
        assert (promised.status_code, refused.status_code) == (202, 503)
        assert "your last change still waits" in refused.text
        objects.away = False
        assert await settled(news) == Change(*here.key, "waiting", "ada", 1)
        assert "The store is back: your change is written." in (await screen.refreshed()).text

    with_cut(work, tmp_path)


def test_two_short_acts_of_one_reader_are_both_written(tmp_path):
    async def work(here, screen, objects):
        objects.away = False
        here.room.waiting.patience_s = 30
        one, two, *_ = screen.cells("Normal")
        answers = await asyncio.gather(
            screen.act("reclassify", cells=one, label="AML"),
            screen.act("reclassify", cells=two, label="ALL"),
        )
        assert [answer.status_code for answer in answers] == [200, 200]
        assert (await here.case()).review.labels == {one: "AML", two: "ALL"}

    with_cut(work, tmp_path)


def test_of_several_that_ended_unheard_none_is_lost(tmp_path):
    async def work(here, screen, objects):
        waiting, whose = here.room.waiting, (here.key, "ada")
        waiting.patience_s = 30
        case, back = await here.projected(), asyncio.Event()

        async def done():
            await back.wait()
            return case

        async def refused():
            raise ReviewRefused("cells-unseen", "Look at them.")

        pages = [asyncio.ensure_future(waiting.within(whose, act)) for act in (done, refused, done)]
        await asyncio.sleep(0.05)
        for page in pages:
            page.cancel()
        back.set()
        await asyncio.sleep(0.05)
        await screen.refreshed()
        assert "The store is back: your change is written." in screen.html
        assert screen.refusal() == "cells-unseen"
        assert waiting.outcome(whose) is None

    with_cut(work, tmp_path)


async def away_with_a_signed_slide(here, objects):
    """Signed; and then the store goes away before the next act."""
    objects.away = False
    await here.sign("ada")
    screen = await here.screen()
    objects.away = True
    return screen


def test_whoever_was_promised_something_is_told_how_it_ended_also_a_second_time(tmp_path):
    async def work(here, screen, objects):
        news = here.room.news.follow(here.key)
        (pale,) = screen.cells("unidentified")
        await screen.act("reclassify", cells=pale, label="AML")
        assert screen.fate == "waits"
        await screen.refreshed()
        assert (screen.fate, screen.refusal()) == ("waits", "store-away")
        objects.away = False
        await settled(news)
        for _ in range(2):  # another page of the same reader may have been told before
            await screen.refreshed()
            assert (screen.fate, screen.refusal()) == ("written", "")
            assert "The store is back: your change is written." in screen.html

    with_cut(work, tmp_path)


def test_a_draft_that_waits_is_drawn_again_only_where_it_is_refused(tmp_path):
    async def work(here, screen, objects):
        news = here.room.news.follow(here.key)
        screen = await away_with_a_signed_slide(here, objects)
        draft = json.dumps({"changes": [{"cells": screen.cells("Normal")[:1], "label": "ALL"}]})
        await screen.act("draft", draft=draft)
        answer = await screen.act("amend", draft=draft, reason=" ")
        assert (answer.status_code, screen.fate) == (202, "waits")
        await screen.act("draft", draft=draft, promised=screen.promised)
        assert 'data-mode="signed"' in screen.html
        assert screen.refusal() == "store-away"
        objects.away = False
        await settled(news)
        await screen.act("draft", draft=draft, promised=screen.promised)
        assert (screen.fate, screen.refusal()) == ("refused", "reason-missing")
        assert 'data-mode="amend"' in screen.html

    with_cut(work, tmp_path)


def test_a_draft_that_was_written_meanwhile_is_not_drawn_again(tmp_path):
    async def work(here, screen, objects):
        news = here.room.news.follow(here.key)
        screen = await away_with_a_signed_slide(here, objects)
        draft = json.dumps({"changes": [{"cells": screen.cells("Normal")[:1], "label": "ALL"}]})
        await screen.act("draft", draft=draft)
        assert (await screen.act("amend", draft=draft, reason="nucleoli")).status_code == 202
        objects.away = False
        await settled(news)
        await screen.act("draft", draft=draft, promised=screen.promised)
        assert screen.fate == "written"
        assert 'data-mode="signed"' in screen.html
        assert [one.reason for one in (await here.case()).review.reports] == ["", "nucleoli"]

    with_cut(work, tmp_path)


def test_whoever_was_promised_something_by_a_room_that_was_stopped_is_told_that(tmp_path):
    async def work(here, screen, objects):
        (pale,) = screen.cells("unidentified")
        await screen.act("reclassify", cells=pale, label="AML")
        await here.room.waiting.close()
        await screen.refreshed()
        assert (screen.fate, screen.refusal()) == ("refused", "room-stopped")
        assert "look whether the change is there" in screen.html

    with_cut(work, tmp_path)


def test_not_more_outcomes_are_kept_than_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr("cloud.page.waiting.MOST_ENDED", 1)

    async def work(here, screen, objects):
        waiting, both = here.room.waiting, [(here.key, name) for name in ("ada", "grace")]
        assert (await screen.act("sign")).status_code == 202
        async with here.another("grace") as theirs:
            assert (await theirs.act("sign")).status_code == 202
        objects.away = False
        async with asyncio.timeout(10):
            while any(waiting.waits(whose) for whose in both):
                await asyncio.sleep(0.02)
        kept = [waiting.outcome(whose) for whose in both]
        assert sum(one is not None for one in kept) == 1

    with_cut(work, tmp_path)


def test_what_is_refused_in_the_end_is_told_too(tmp_path):
    async def work(here, screen, objects):
        news = here.room.news.follow(here.key)
        assert (await screen.act("sign")).status_code == 202
        objects.away = False
        assert await settled(news) == Change(*here.key, "waiting", "ada", 0)
        await screen.refreshed()
        assert screen.refusal() == "cells-unseen"
        acts = [line.did for line in here.room.audit.lines() if line.slide]
        assert acts[-2:] == ["slide-signed", "slide-signed-not-done"]

    with_cut(work, tmp_path)


def test_an_act_is_not_lost_when_its_reader_goes_away(tmp_path):
    async def work(here, screen, objects):
        here.room.waiting.patience_s = 30
        news = here.room.news.follow(here.key)
        (pale,) = screen.cells("unidentified")
        acting = asyncio.ensure_future(screen.act("reclassify", cells=pale, label="AML"))
        while not any(did == "cells-reclassified" for _, did, _ in here.did()):  # it has begun
            await asyncio.sleep(0.02)
        acting.cancel()
        objects.away = False
        assert (await settled(news)).number == 1

    with_cut(work, tmp_path)


def test_a_fault_of_the_program_is_told_as_one(tmp_path, monkeypatch):
    async def work(here, screen, objects):
        async def breaks(*_, **__):
            await asyncio.sleep(2 * PATIENCE_S)
            raise RuntimeError("a bug")

        monkeypatch.setattr(here.room.desk, "act", breaks)
        news = here.room.news.follow(here.key)
        with capture_logs() as logs:
            assert (await screen.act("see", cells=screen.cells("ALL")[0])).status_code == 202
            assert (await settled(news)).number == 0
        await screen.refreshed()
        assert screen.refusal() == "act-failed"
        assert "act_failed" in [log["event"] for log in logs]

    with_cut(work, tmp_path)


def test_at_the_end_of_the_program_what_was_not_written_is_noted_as_cut_off(tmp_path):
    async def work(here, screen, objects):
        assert (await screen.act("sign")).status_code == 202
        await here.room.waiting.close()
        assert not here.room.waiting.waits((here.key, "ada"))
        acts = [line.did for line in here.room.audit.lines() if line.slide]
        assert acts[-1] == "slide-signed-cut-off"

    with_cut(work, tmp_path)
