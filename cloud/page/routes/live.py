"""Server-sent events: the worklist as it changes, and what happens at a slide."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from cloud.accounts.people import Account
from cloud.index.index import SlideKey
from cloud.index.worklist import one
from cloud.live.news import Change, Follower
from cloud.page.asked import Asked
from cloud.page.board import Board
from cloud.page.door import note_look, reader, still_in
from cloud.page.guard.entrance import STALE
from cloud.page.noted import ANY, WORKLIST
from cloud.page.paced import paced
from cloud.page.refused import no_such_slide
from cloud.page.room import Room
from cloud.page.routes.worklist import asked

LEAST_S: Final = 1.0
"""Between two renderings for one page."""

AFRESH_S: Final = 60.0
"""After which a list that nothing changed is made anew: the waiting times go on, and what another
program wrote into the projection is seen."""

_BEGIN: Final = "retry: 2000\n\n"
_BEAT: Final = "event: beat\ndata:\n\n"


def live(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    board = Board(room.index, room.presence, room.parts)

    @routes.get("/live/worklist", dependencies=[Depends(reader)])
    async def worklist(
        request: Request, wanted: Annotated[Asked, Depends(asked)]
    ) -> StreamingResponse:
        await note_look(room, request, "worklist-viewed", WORKLIST)
        news = room.news.follow(None)
        return _answer(_while_in(still_in(room, request), _parts(board, wanted, news)))

    @routes.get("/live/slides/{site}/{slide}")
    async def slide(
        request: Request, site: str, slide: str, account: Annotated[Account, Depends(reader)]
    ) -> StreamingResponse:
        if await asyncio.to_thread(one, room.index, site, slide) is None:
            raise no_such_slide()
        key = SlideKey(site, slide)
        await note_look(room, request, "slide-viewed", key, ANY)
        news = room.news.follow(key)
        return _answer(_while_in(still_in(room, request), _happenings(room, key, account, news)))

    return routes


async def _parts(board: Board, wanted: Asked, news: Follower) -> AsyncGenerator[str, None]:
    """Parts of the worklist whose HTML is other than it was."""
    told: dict[str, str] = {}
    due = 0.0
    async with aclosing(paced(news, LEAST_S, at_once=True)) as batches:
        async for changes in batches:
            now = time.monotonic()
            if not changes and now < due:
                yield _BEAT
                continue
            parts = await board.parts(wanted, now)
            due = now + AFRESH_S
            changed = {name: html for name, html in parts.items() if told.get(name) != html}
            told |= changed
            yield "".join(_event(f"part-{name}", html) for name, html in changed.items()) or _BEAT


async def _happenings(
    room: Room, key: SlideKey, account: Account, news: Follower
) -> AsyncGenerator[str, None]:
    """Each kind of change as an event of its name, `{"by": …, "number": …}`.

    And `readers`: a list of the names of those who read it too.
    """
    told: list[str] | None = None
    batches = paced(news, LEAST_S, at_once=True)
    with room.presence.enter(key, account.name):
        async with aclosing(batches):
            async for changes in batches:
                last = {change.kind: change for change in changes if change.kind != "presence"}
                events = [_event(kind, _said(change)) for kind, change in last.items()]
                others = room.presence.others(key, account.name)
                if others != told:
                    told = others
                    events.append(_event("readers", msgspec.json.encode(others).decode()))
                yield "".join(events) or _BEAT


def _said(change: Change) -> str:
    return msgspec.json.encode({"by": change.by, "number": change.number}).decode()


async def _while_in(
    may_look: Callable[[], bool], events: AsyncGenerator[str, None]
) -> AsyncIterator[str]:
    """A stream for as long as its reader is signed in."""
    yield _BEGIN
    async with aclosing(events):
        async for event in events:
            if not await asyncio.to_thread(may_look):
                yield STALE
                return
            yield event


def _answer(events: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(events, media_type="text/event-stream")


def _event(name: str, data: str) -> str:
    """Not `error`: an event of that name would call the browser's handler of broken streams."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
