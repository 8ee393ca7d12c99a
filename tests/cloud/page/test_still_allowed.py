"""What waited for the store is written only if its reader still may, when the store is back."""

import asyncio

import pytest
from cut_store import Cut
from obstore.exceptions import GenericError
from reading_desk import run
from reading_room import case_of, open_app
from slide_screen import Here
from structlog.testing import capture_logs

from cloud.accounts.trouble import AccountsTroubleError
from cloud.reviews.entry import See
from cloud.reviews.rules import ReviewRefused

REFUSED = "no-longer-allowed"


class LostAnswer(Cut):
    """Writes the next entry, and says that it did not."""

    def __init__(self):
        super().__init__()
        self.then = None

    async def _write(self, key, data, mode):
        done = await super()._write(key, data, mode)
        if self.then and "/reviews/" in key:
            then, self.then = self.then, None
            then()
            raise GenericError("the answer was lost")
        return done


def with_store(work, tmp_path, objects=None, **settings):
    async def opened():
        store = objects or Cut()
        async with open_app(tmp_path, objects=store, **settings) as (room, client):
            room.waiting.patience_s = 0.2
            await work(Here(room, client, "s1", 1000), store)
            store.away = False

    run(opened())


async def ended(room):
    """Wait until no act waits any more."""
    async with asyncio.timeout(10):
        while room.waiting._acting:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("change", "entries"),
    [
        (lambda room: room.accounts.disable("ada"), []),
        (lambda room: room.accounts.change_role("ada", "admin"), []),
        (lambda room: room.accounts.change_role("ada", "lead"), ["Comment"]),
        (lambda room: None, ["Comment"]),
    ],
    ids=["disabled", "admin", "lead", "as before"],
)
def test_an_act_that_waited_asks_the_accounts_again(tmp_path, change, entries):
    async def work(here, store):
        screen = await here.screen()
        store.away = True
        assert (await screen.act("comment", text="fine")).status_code == 202
        change(here.room)
        store.away = False
        await ended(here.room)
        case = await here.case()
        assert [type(entry.action).__name__ for entry in case.entries] == entries

    with_store(work, tmp_path)


def test_a_signature_is_not_written_after_its_account_was_disabled(tmp_path):
    async def work(here, store):
        screen = await here.read_through(await here.screen())
        store.away = True
        assert (await screen.act("sign")).status_code == 202
        here.room.accounts.disable("ada")
        store.away = False
        await ended(here.room)
        assert (await here.case()).review.reports == []
        assert here.did()[-1][:2] == ("ada", "slide-signed-not-done")
        outcome = here.room.waiting.outcome((here.key, "ada"))
        assert outcome.refused.reason == REFUSED

    with_store(work, tmp_path)


def test_the_accounts_are_asked_before_every_try(tmp_path):
    """The slide was read, and the store went away before the entry was written."""

    async def work(here, store):
        desk, case = here.room.desk, await here.case()
        loading = desk.load

        async def load(*key):
            found = await loading(*key)
            store.away = True
            return found

        desk.load = load
        acting = asyncio.ensure_future(
            desk.act(*here.key, "ada", See(case.slide.unseen(case.review)), last_seen=0)
        )
        await asyncio.sleep(0.3)
        here.room.accounts.disable("ada")
        store.away = False
        with pytest.raises(ReviewRefused) as refused:
            await acting
        assert refused.value.reason == REFUSED
        desk.load = loading
        assert (await here.case()).entries == []

    with_store(work, tmp_path)


def test_who_has_signed_out_wanted_it_all_the_same(tmp_path):
    async def work(here, store):
        screen = await here.screen()
        store.away = True
        assert (await screen.act("comment", text="fine")).status_code == 202
        assert (await here.client.post("/logout")).status_code == 303
        store.away = False
        await ended(here.room)
        assert len((await here.case()).entries) == 1

    with_store(work, tmp_path)


def test_where_two_readers_sign_only_who_is_still_a_lead_amends(tmp_path):
    async def work(here, store):
        await here.sign("ada")
        await here.sign("grace")
        here.room.accounts.change_role("lise", "reader")
        with pytest.raises(ReviewRefused) as refused:
            await here.room.desk.amend(*here.key, "lise", "a new look", **await here.seen())
        assert refused.value.reason == REFUSED
        here.room.accounts.change_role("lise", "lead")
        await here.room.desk.amend(*here.key, "lise", "a new look", **await here.seen())

    with_store(work, tmp_path, second_reader=True)


def test_what_was_written_before_its_answer_was_lost_is_not_called_refused(tmp_path):
    async def work(here, store):
        case = await here.case()
        store.then = lambda: here.room.accounts.disable("ada")
        seen = See(case.slide.unseen(case.review))
        after = await here.room.desk.act(*here.key, "ada", seen, last_seen=0)
        assert after.review.number == 1
        assert len((await case_of(here.room)).entries) == 1

    with_store(work, tmp_path, LostAnswer())


def test_while_the_accounts_do_not_answer_nothing_is_written(tmp_path, monkeypatch):
    async def work(here, store):
        case = await here.case()
        monkeypatch.setattr(
            "cloud.page.still_allowed.standing", lambda *_: _raise(AccountsTroubleError("away"))
        )
        with pytest.raises(ReviewRefused) as refused, capture_logs():
            await here.room.desk.act(
                *here.key, "ada", See(case.slide.unseen(case.review)), last_seen=0
            )
        assert refused.value.reason == "database-away"
        assert (await here.case()).entries == []

    with_store(work, tmp_path)


def _raise(error):
    raise error
