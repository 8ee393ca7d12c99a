"""A slide: the whole page, its parts as they are now, and more of its cells."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse

from cloud.page.door import note_look, note_page, viewer
from cloud.page.draft import read_draft
from cloud.page.ended import Told, how_it_ended
from cloud.page.gallery import MOST, more_of
from cloud.page.reading import (
    Reading,
    Screen,
    case_now,
    form_screen,
    query_screen,
    reading,
    seen_by,
)
from cloud.page.room import Room
from cloud.page.show_slide import Shows
from cloud.page.slide_view import SlideView
from cloud.reviews.entry import ReaderLabel

_Reading = Annotated[Reading, Depends(reading)]


def slide(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    shows = Shows(room.parts, room.settings)

    @routes.get("/slides/{site}/{slide}")
    async def page(request: Request, mine: _Reading) -> HTMLResponse:
        case = await case_now(room, mine.key)
        await note_page(room, request, "slide-viewed", mine.key)
        if case.review.reports:  # a bucket that somebody mended may lack what was signed
            room.waiting.aside(mine.key, partial(room.after.kept, case))
        view = await seen_by(room, case, mine.me)
        return HTMLResponse(await asyncio.to_thread(shows.page, view, viewer(request)))

    @routes.get("/slides/{site}/{slide}/parts")
    async def parts(
        request: Request, mine: _Reading, screen: Annotated[Screen, Depends(query_screen)]
    ) -> HTMLResponse:
        case = await case_now(room, mine.key)
        await note_look(room, request, "slide-viewed", mine.key)
        told = how_it_ended(room.waiting, mine.whose, screen.promised)
        view = await seen_by(room, case, mine.me, screen.bins)
        return await _answer(shows, view, screen, told)

    @routes.post("/slides/{site}/{slide}/draft")
    async def draft(
        request: Request,
        mine: _Reading,
        screen: Annotated[Screen, Depends(form_screen)],
        draft: Annotated[str, Form(max_length=2_000_000)],
    ) -> HTMLResponse:
        """The parts as they would be; nothing is written."""
        drawn = read_draft(draft)
        case = await case_now(room, mine.key)
        await note_look(room, request, "slide-viewed", mine.key)
        told = how_it_ended(room.waiting, mine.whose, screen.promised)
        sent = told.fate in {"waits", "written"}
        view = await seen_by(room, case, mine.me, screen.bins, None if sent else drawn)
        return await _answer(shows, view, screen, told)

    @routes.get("/slides/{site}/{slide}/cells")
    async def cells(
        request: Request,
        mine: _Reading,
        screen: Annotated[Screen, Depends(query_screen)],
        bin: Annotated[ReaderLabel, Query()],  # noqa: A002  # its name in the address
        after: Annotated[int, Query(ge=0, le=MOST)],
    ) -> HTMLResponse:
        case = await case_now(room, mine.key)
        await note_look(room, request, "slide-viewed", mine.key)
        view = await seen_by(room, case, mine.me)
        if view.number != screen.number or view.shown != screen.shown:
            # Something has moved: the next cells may not be those behind the page's last one.
            told = how_it_ended(room.waiting, mine.whose, screen.promised)
            return await _answer(shows, view, screen, told)
        more = await asyncio.to_thread(more_of, case, case.review, bin, after)
        return HTMLResponse(await asyncio.to_thread(shows.more, view, more))

    return routes


async def _answer(shows: Shows, view: SlideView, screen: Screen, told: Told) -> HTMLResponse:
    """The parts, and how an act ended that had to wait for the store."""
    html = await asyncio.to_thread(
        shows.answer,
        view,
        said=told.said,
        refused=told.refused,
        have=screen.have.split(),
        promise=screen.promised,
        fate=told.fate,
    )
    return HTMLResponse(html)
