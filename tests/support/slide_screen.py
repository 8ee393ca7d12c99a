"""A slide's page without a browser: what the page knows, it sends with each act.

One room serves all tests of a file that want nothing special of it; each has a slide of its own.
"""

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager
from html import unescape
from itertools import count

from reading_desk import LABELS
from reading_room import case_of, client_of, open_app, open_bench, put_field

from cloud.index.case import load_case
from cloud.index.index import SlideKey
from cloud.reviews.entry import See

_NUMBERS = count(1)


class Here:
    """A slide of a room, and ada's browser."""

    def __init__(self, room, client, slide, number, clients=None):
        self.room, self.client, self.slide, self.number = room, client, slide, number
        self._clients = clients or {}
        self.path = f"/slides/home/{slide}"
        self.key = SlideKey("home", slide)

    async def field(self, labels, **changes):
        """One field more."""
        self.number += 1
        return await put_field(self.room, self.number, labels, slide=self.slide, **changes)

    async def case(self):
        """The slide by its bucket; the projection takes it in."""
        return await case_of(self.room, self.slide)

    async def projected(self):
        """The slide by the projection."""
        return await asyncio.to_thread(load_case, self.room.index, "home", self.slide)

    async def do(self, action, reader="grace"):
        """Act past the page."""
        number = (await self.case()).review.number
        await self.room.desk.act("home", self.slide, reader, action, last_seen=number)
        return await self.case()

    async def seen(self):
        """What a reader hands back who has everything on the screen now."""
        case = await self.case()
        return {"shown": case.shown, "last_seen": case.review.number}

    async def page(self):
        """The page as people read it."""
        answer = await self.client.get(self.path)
        assert answer.status_code == 200
        return unescape(answer.text)

    async def screen(self, client=None):
        """The page, freshly opened."""
        screen = Screen(client or self.client, self.path)
        screen.take(await screen.client.get(self.path))
        return screen

    @asynccontextmanager
    async def another(self, name):
        """Somebody else's page of the slide."""
        if name in self._clients:
            yield await self.screen(self._clients[name])
            return
        async with client_of(self.room, name) as client:
            yield await self.screen(client)

    async def sign(self, reader="grace"):
        """See, waive and sign, past the page."""
        case = await self.case()
        desk, whose = self.room.desk, ("home", self.slide, reader)
        if unseen := case.slide.unseen(case.review):
            await self.do(See(unseen), reader)
        if case.slide.unidentified(case.review):
            await desk.waive(*whose, "too pale", **await self.seen())
        await desk.sign(*whose, **await self.seen())
        return await self.case()

    async def read_through(self, screen):
        """See what is flagged and waive the rest, by the page."""
        case = await self.case()
        if unseen := case.slide.unseen(case.review):
            await screen.act("see", cells=" ".join(unseen))
        if case.slide.unidentified(case.review):
            await screen.act("waive", reason="too pale to name")
        return screen

    def did(self):
        """What the audit log has of the slide."""
        lines = [line for line in self.room.audit.lines() if line.slide == self.slide]
        return [(line.who, line.did, line.detail) for line in lines]


class Screen:
    """The page of a slide in one reader's browser."""

    def __init__(self, client, path):
        self.client, self.path = client, path
        self.number, self.shown, self.drawn, self.html = 0, "", "", ""
        self.promised, self.fate = "", ""

    def take(self, answer):
        """What the answer says of itself is what the page knows from now on."""
        self.html = unescape(answer.text)
        if found := re.search(r'data-number="(\d+)" data-shown="(\w+)"', answer.text):
            self.number, self.shown = int(found[1]), found[2]
        if found := re.search(r'data-promise="(\w*)" data-fate="(\w*)"', answer.text):
            self.promised, self.fate = found[1], found[2]
        if found := re.search(r'data-drawn="(\w*)"', answer.text):
            self.drawn = found[1]
        return answer

    async def act(self, verb, **form):
        """Press something; the answer is taken in."""
        known = {"number": self.number, "shown": self.shown}
        if verb == "amend":
            known["drawn"] = self.drawn
        headers = {"HX-Request": "true"}
        answer = await self.client.post(f"{self.path}/{verb}", data=known | form, headers=headers)
        return self.take(answer)

    async def refreshed(self):
        """The parts as they are now."""
        known = {"promised": self.promised}
        return self.take(await self.client.get(f"{self.path}/parts", params=known))

    def refusal(self):
        """Code of the refusal that is shown; empty where there is none."""
        found = re.search(r'class="error" data-code="([\w-]+)"', self.html)
        return found[1] if found else ""

    def cells(self, label):
        """Names of the cells that the page shows in a bin, as it is in the last answer."""
        bin_ = re.search(rf'id="bin-{label}".*?</section>', self.html, re.DOTALL)
        return re.findall(r'data-cell="([^"]+)"', bin_[0]) if bin_ else []


class Shared:
    """A room for all tests of a file; `with_slide` gives each a slide of its own."""

    def __init__(self, folder):
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._runner.run(self._open(folder))

    async def _open(self, folder):
        self.room = await self._stack.enter_async_context(open_bench(folder))
        self._clients = {
            name: await self._stack.enter_async_context(client_of(self.room, name))
            for name in ("ada", "grace", "root")
        }

    def __call__(self, work, labels=LABELS, who="ada"):
        """Run a test, `work(here)`, on a fresh slide."""

        async def opened():
            number = next(_NUMBERS)
            here = Here(self.room, self._clients[who], f"s{number}", 1000 * number, self._clients)
            for some in labels:
                await here.field(some)
            await asyncio.wait_for(work(here), 60)

        self._runner.run(opened())

    def close(self):
        """Close the room."""
        self._runner.run(self._stack.aclose())
        self._runner.close()


def with_room(work, tmp_path, **settings):
    """Run a test, `work(here)`, in a room of its own."""

    async def opened():
        async with open_app(tmp_path, **settings) as (room, client):
            await work(Here(room, client, "s1", 1000))

    asyncio.run(asyncio.wait_for(opened(), 60))
