"""The reading room without broker or S3: a bucket in memory, and all that stands on it.

async with open_app(tmp_path) as (room, client):       # client: httpx, signed in as ada, reader
    await put_field(room, 7, ["ALL", "Normal"], slide="s2")
    answer = await client.get("/slides/home/s1")

with served_room(tmp_path) as served:                  # a real server, for browsers
    served.address, served.slides["open"], served.cookie("ada")
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from unittest.mock import patch

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from reading_desk import KEY, LABELS, TRUSTED
from slide_results import field_result, memory, reading
from stages import SLIDES, put_stages

from cloud.accounts.open import open_accounts
from cloud.accounts.people import Account
from cloud.index.case import put_case
from cloud.index.open import open_index
from cloud.live.news import News
from cloud.page.app import create_app
from cloud.page.guard.entrance import cookie_name
from cloud.page.health import Health
from cloud.page.room import Room, furnish
from cloud.page.server import serve
from cloud.page.still_allowed import still_allowed
from cloud.pictures import open_pictures
from cloud.push.push import open_push
from cloud.reading import Reading
from cloud.reviews.desk import Case, Desk
from cloud.settings import CloudSettings
from cloud.signing.open import open_signing
from cloud.slides.sums import SlideSums
from cloud.stores.objects import Objects
from cloud.worker.outcome import store_reading
from wire.messages import FrameResult
from wire.web.serving import listen

PEOPLE = {"ada": "reader", "grace": "reader", "lise": "lead", "root": "admin"}
"""Accounts of every room, by name."""

BY_ROLE = {"reader": "ada", "lead": "lise", "admin": "root"}
PASSWORD = "four blue lymphocytes"  # noqa: S105  # of a room that lives for a test
BASE = "http://127.0.0.1:8740"
_APPS: dict[int, FastAPI] = {}
"""By the id of an open room: making one costs more than most tests."""

_CHEAP = partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
"""A hash that costs as much as it should takes longer than most tests."""


def room_settings(**settings: object) -> CloudSettings:
    """Of a room that keeps nothing outside its folder."""
    return CloudSettings(**({"site": "home", "picture_cache_mb": 0} | settings))


@asynccontextmanager
async def open_bench(
    folder: Path, objects: Objects | None = None, *, fresh: bool = False, **settings: object
) -> AsyncIterator[Room]:
    """A room with nothing in it; `fresh` reads templates and static files at every use."""
    chosen = room_settings(**(_urls(folder) | settings))
    said: dict[str, bytes] = {}
    async with AsyncExitStack() as open_:
        index = open_.enter_context(closing(open_index(chosen)))
        database = open_.enter_context(closing(open_accounts(chosen)))
        objects = objects or memory()[1]
        sums = SlideSums(
            "room", objects, _say_into(said), lambda _: None, trusted=TRUSTED, pause_s=0
        )
        signing = open_signing(chosen, objects)
        open_.push_async_callback(signing.close)
        desk = Desk(
            objects,
            KEY,
            TRUSTED,
            sums,
            lambda topic, payload: said.update({topic: payload}),
            second_reader=chosen.second_reader,
            due=signing.notes.put,
            still_allowed=still_allowed(database, second_reader=chosen.second_reader),
        )
        pictures = open_pictures(chosen, index, objects)
        open_.push_async_callback(pictures.close)
        health = Health()
        for part in ("broker", "store"):
            health.set(part, None)
        keeping = asyncio.ensure_future(sums.keep())
        open_.push_async_callback(_ended, keeping)
        with patch("wire.web.hashing.PasswordHasher", _CHEAP):
            room = furnish(
                chosen,
                index=index,
                objects=objects,
                desk=desk,
                database=database,
                pictures=pictures,
                after=signing.after,
                push=open_push(chosen, database),
                news=News(),
                health=health,
                fresh=fresh,
            )
        for name, role in PEOPLE.items():
            room.accounts.add(name, role, oidc=("https://id.example", name))
        open_.callback(_APPS.pop, id(room), None)
        yield room
        await sums.finish(10)


@asynccontextmanager
async def open_app(
    folder: Path,
    role: str | None = "reader",
    *,
    labels: Sequence[Sequence[str]] = LABELS,
    objects: Objects | None = None,
    **settings: object,
) -> AsyncIterator[tuple[Room, httpx.AsyncClient]]:
    """A room with slide s1 of site home, and a browser's end of it; no role: not signed in."""
    async with open_bench(folder, objects, **settings) as room:
        for number, some in enumerate(labels):
            await put_field(room, number, some)
        async with client_of(room, BY_ROLE[role] if role else None) as client:
            yield room, client


def client_of(room: Room, name: str | None = None, **more: object) -> httpx.AsyncClient:
    """A browser's end without a browser, signed in by this name; it sends the token by itself."""
    headers, cookies = {"Origin": BASE}, {}
    if name is not None:
        session = room.sessions.enter(account_of(room, name))
        headers["X-CSRF-Token"] = room.sessions.csrf(session)
        cookies[cookie_name(room.settings.page)] = room.sessions.cookie(session)
    app = _APPS.get(id(room)) or create_app(room)
    _APPS[id(room)] = app
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(
        **(
            {"transport": transport, "base_url": BASE, "headers": headers, "cookies": cookies}
            | more
        )
    )


def account_of(room: Room, name: str) -> Account:
    """Of this name."""
    return next(Account(one.name, one.role) for one in room.accounts.list() if one.name == name)


async def put_field(
    room: Room, number: int, labels: Sequence[str], slide: str = "s1", **changes: object
) -> FrameResult:
    """A made-up field, into bucket and projection, as a worker and the feeder would."""
    return await put_reading(room, reading(field_result(number, labels, slide=slide, **changes)))


async def put_reading(room: Room, made: Reading) -> FrameResult:
    """A field, into bucket and projection."""
    await store_reading(made, room.objects)
    room.index.put([made.result])
    return made.result


async def case_of(room: Room, slide: str = "s1", site: str = "home") -> Case:
    """As the desk sees it; the projection learns what it lacks of it."""
    case = await room.desk.load(site, slide)
    put_case(room.index, case)
    return case


@dataclass
class Served:
    """A room that is being served, on a thread of its own."""

    address: str = ""
    room: Room = field(default=None)  # type: ignore[assignment]  # set before it is handed out
    loop: asyncio.AbstractEventLoop = field(default=None)  # type: ignore[assignment]  # as above
    slides: dict[str, str] = field(default_factory=lambda: dict(SLIDES))
    """Tokens by stage, see `stages.SLIDES`; all of site home."""

    def do(self, work):
        """Run a coroutine in the room, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def cookie(self, name: str = "ada") -> dict[str, str]:
        """Signs this person in: for Playwright's `context.add_cookies([…])`."""
        session = self.room.sessions.enter(account_of(self.room, name))
        return {
            "name": cookie_name(self.room.settings.page),
            "value": self.room.sessions.cookie(session),
            "url": self.address,
        }

    def url(self, stage: str) -> str:
        """Of the slide at this stage."""
        return f"{self.address}/slides/home/{self.slides[stage]}"


@contextmanager
def served_room(folder: Path, *, stages: bool = True, **settings: object) -> Iterator[Served]:
    """A real server on 127.0.0.1, with a slide at every stage unless told otherwise."""
    served, opened = Served(), threading.Event()
    stop = asyncio.Event()
    failures: list[BaseException] = []

    async def run() -> None:
        page = {"port": 0} | settings.pop("page", {})
        async with open_bench(folder, page=page, **settings) as room:
            if stages:
                await put_stages(room)
            with closing(listen(room.settings.page)) as listening:
                served.room, served.loop = room, asyncio.get_running_loop()

                def is_open(address: str) -> None:
                    served.address = address
                    opened.set()

                await serve(room, listening, stop, is_open)

    def serving() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001  # told to the test below
            failures.append(error)
        finally:
            opened.set()

    thread = threading.Thread(target=serving, name="served-room", daemon=True)
    thread.start()
    assert opened.wait(120), "the room did not open"
    if failures:
        raise failures[0]
    try:
        yield served
    finally:
        served.loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive(), "the room did not close"
        if failures:
            raise failures[0]


def _urls(folder: Path) -> dict[str, str]:
    return {f"{name}_url": f"sqlite:///{folder / name}.sqlite" for name in ("index", "accounts")}


def _say_into(said: dict[str, bytes]):
    async def say(topic: str, payload: bytes) -> None:
        said[topic] = payload

    return say


async def _ended(task: asyncio.Future) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
