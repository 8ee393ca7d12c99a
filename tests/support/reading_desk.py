"""A reader's desk over a bucket in memory."""

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from slide_results import field_result, memory, reading

from cloud.reviews.desk import Desk, read_chain
from cloud.reviews.entry import Waive
from cloud.reviews.signing import fingerprint
from cloud.reviews.verify import examine
from cloud.slides.results import read_results
from cloud.slides.sums import SlideSums
from cloud.worker.outcome import store_reading

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = {fingerprint(KEY.public_key()): KEY.public_key()}

LABELS = [["ALL", "Normal"], ["unidentified", "Normal"], ["Normal", "AML", "Normal"]]
"""Of the three fields of slide s1: flagged are the first cell and the second of the third field."""


class Room:
    """A bucket with a slide, a desk, and all that was published."""

    def __init__(self, store, objects, *, second_reader=False):
        self.store, self.objects = store, objects
        self.second_reader, self.due = second_reader, None
        self.told, self.said = [], {}
        self.doubts = []
        self.sums = SlideSums(
            "desk", objects, self._say, self.doubts.append, trusted=TRUSTED, pause_s=0
        )
        self.desk = self.another_desk()

    def another_desk(self, key=KEY):
        return Desk(
            self.objects,
            key,
            TRUSTED,
            self.sums,
            lambda *publication: self.told.append(publication),
            second_reader=self.second_reader,
            due=self.due,
        )

    async def _say(self, topic, payload):
        self.said[topic] = payload

    async def field(self, number, labels, slide="s1", **changes):
        result = field_result(number, labels, slide=slide, **changes)
        await store_reading(reading(result), self.objects)
        return result

    async def case(self, slide="s1"):
        return await self.desk.load("home", slide)

    async def cells(self, label, slide="s1"):
        """Names of the cells that the machine called so."""
        machine = (await self.case(slide)).slide.machine
        return [name for name, said in machine.items() if said == label]

    async def seen(self, slide="s1"):
        """What a reader hands back who has everything on the screen now."""
        case = await self.case(slide)
        return {"shown": case.shown, "last_seen": case.review.number}

    async def do(self, action, reader="ada", slide="s1"):
        """Act, having seen everything."""
        if isinstance(action, Waive):
            seen = await self.seen(slide)
            return await self.desk.waive("home", slide, reader, action.reason, **seen)
        last = (await self.case(slide)).review.number
        return await self.desk.act("home", slide, reader, action, last_seen=last)

    async def sign(self, reader="ada", slide="s1"):
        return await self.desk.sign("home", slide, reader, **await self.seen(slide))

    async def amend(self, reason, *rest, reader="ada", slide="s1", **more):
        more |= await self.seen(slide)
        return await self.desk.amend("home", slide, reader, reason, *rest, **more)

    async def examine(self, slide="s1", heads=None):
        chain = await read_chain(self.objects, "home", slide)
        return examine(chain, await read_results(self.objects, "home", slide), TRUSTED, heads)


@asynccontextmanager
async def room(labels=LABELS, *, second_reader=False):
    """A room with slide s1."""
    opened = Room(*memory(), second_reader=second_reader)
    keeping = asyncio.ensure_future(opened.sums.keep())
    for number, some in enumerate(labels):
        await opened.field(number, some)
    yield opened
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await opened.sums.finish(10)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
