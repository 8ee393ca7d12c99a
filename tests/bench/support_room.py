"""A reading room full of slides, in this process or served by one of its own.

    python tests/bench/support_room.py FOLDER --slides N --cells N --people N

serves one until its standard input ends, and prints what a reader needs as one line of JSON.
"""

import asyncio
import json
import random
import sys
import threading
from argparse import ArgumentParser
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from reading_room import account_of, open_bench
from slide_results import field_result, reading

from cloud.index.case import put_case
from cloud.page.guard.entrance import cookie_name
from cloud.page.server import serve
from cloud.reviews.entry import Reclassify, See
from cloud.worker.outcome import store_reading
from wire.web.serving import listen

FIELD = 10
"""Cells of a field."""

MIXES = (
    {"Normal": 95, "unidentified": 5},
    {"Normal": 85, "ALL": 10, "unidentified": 5},
    {"Normal": 40, "AML": 45, "unidentified": 15},
)


@asynccontextmanager
async def filled(folder, slides, cells, **settings):
    """A room with so many slides; a third of them reviewed, half of these signed."""
    async with open_bench(folder, **settings) as room:
        draw = random.Random(1)
        for number in range(slides):
            await _slide(room, number, cells, draw)
        yield room


def token(number):
    """Of the slide with this number."""
    return f"s{number:05}"


async def _slide(room, number, cells, draw):
    mix = MIXES[number % len(MIXES)]
    begun = datetime.now(UTC) - timedelta(minutes=draw.randrange(7 * 1440))
    results = []
    for place in range(-(-cells // FIELD)):
        labels = draw.choices(list(mix), list(mix.values()), k=min(FIELD, cells - FIELD * place))
        taken = begun + timedelta(seconds=3 * place)
        times = {"captured_at": taken, "classified_at": taken + timedelta(seconds=2)}
        made = field_result(1000 * number + place, labels, slide=token(number), **times)
        results.append(made)
        await store_reading(reading(made), room.objects)
    await asyncio.to_thread(room.index.put, results)
    if number % 3 == 0:
        await _review(room, token(number), sign=number % 2 == 0)


async def _review(room, slide, *, sign):
    """Everything seen and named by one who reads; and signed."""
    name, case = ("home", slide), await room.desk.load("home", slide)
    for action in _named(case):
        last = case.review.number
        case = await room.desk.act(*name, "grace", action, last_seen=last)
    if sign:
        seen = {"shown": case.shown, "last_seen": case.review.number}
        case = await room.desk.sign(*name, "grace", **seen)
    await asyncio.to_thread(put_case, room.index, case)


def _named(case):
    flagged, unnamed = case.slide.unseen(case.review), case.slide.unidentified(case.review)
    if flagged:
        yield See(flagged)
    for cell in unnamed:
        yield Reclassify([cell], "Normal")


def sign_in(room, name):
    """What a browser of this reader sends."""
    if name not in {one.name for one in room.accounts.list()}:
        room.accounts.add(name, "reader", oidc=("https://id.example", name))
    session = room.sessions.enter(account_of(room, name))
    return {
        "cookie": {cookie_name(room.settings.page): room.sessions.cookie(session)},
        "csrf": room.sessions.csrf(session),
    }


async def serve_until_the_end(chosen):
    """Serve it; the end is that of standard input."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    settings = {"page": {"port": 0}}
    async with filled(Path(chosen.folder), chosen.slides, chosen.cells, **settings) as room:
        people = [sign_in(room, f"reader-{n}") for n in range(chosen.people)]

        def until_the_end():
            sys.stdin.read()
            loop.call_soon_threadsafe(stop.set)

        def opened(address):
            print(json.dumps({"address": address, "people": people}), flush=True)
            threading.Thread(target=until_the_end, daemon=True).start()

        with closing(listen(room.settings.page)) as listening:
            await serve(room, listening, stop, opened)


if __name__ == "__main__":
    asked = ArgumentParser()
    asked.add_argument("folder")
    for name in ("--slides", "--cells", "--people"):
        asked.add_argument(name, type=int, required=True)
    asyncio.run(serve_until_the_end(asked.parse_args()))
