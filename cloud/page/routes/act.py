"""What a reader does to cells. Each act answers with the parts that it changed, or with why not."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from cloud.page.acts import Acts, Deed, DoneInPartError
from cloud.page.door import address
from cloud.page.gallery import named
from cloud.page.reading import Reading, Screen, form_screen, reading
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.reviews.desk import Case
from cloud.reviews.entry import Comment, ReaderLabel, Reclassify, See
from cloud.reviews.rules import ReviewRefused
from cloud.reviews.steps import steps

_NAMES: Final = 2_000_000
"""Bytes of the names of cells."""

_Reading = Annotated[Reading, Depends(reading)]
_Screen = Annotated[Screen, Depends(form_screen)]
_Names = Annotated[str, Form(max_length=_NAMES)]
_Text = Annotated[str, Form(max_length=2000)]


def act(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/slides/{site}/{slide}")
    acts = Acts(room)

    async def done(request: Request, mine: Reading, screen: Screen, deed: Deed) -> HTMLResponse:
        return await acts.answer(mine, screen, deed, address(request))

    @routes.post("/see")
    async def see(request: Request, mine: _Reading, screen: _Screen, cells: _Names) -> HTMLResponse:
        action = See(_some(cells))
        work = _plain(room, mine, action, screen)
        deed = Deed("cells-seen", work, detail=f"cells={len(action.cells)}", light=True)
        return await done(request, mine, screen, deed)

    @routes.post("/reclassify")
    async def reclassify(
        request: Request,
        mine: _Reading,
        screen: _Screen,
        cells: _Names,
        label: Annotated[ReaderLabel, Form()],
    ) -> HTMLResponse:
        action = Reclassify(_some(cells), label)
        detail = f"cells={len(action.cells)} label={label}"
        deed = Deed(
            "cells-reclassified",
            _plain(room, mine, action, screen),
            detail=detail,
            said=f"{_cells(len(action.cells))} called {label}.",
        )
        return await done(request, mine, screen, deed)

    @routes.post("/undo")
    async def undo(
        request: Request, mine: _Reading, screen: _Screen, entry: Annotated[int, Form(ge=1)]
    ) -> HTMLResponse:
        deed = Deed(
            "step-undone",
            lambda: _take_back(room, mine, entry, screen),
            detail=f"entry={entry}",
            said="Your last step is undone.",
            shows=True,
        )
        return await done(request, mine, screen, deed)

    @routes.post("/comment")
    async def comment(
        request: Request, mine: _Reading, screen: _Screen, text: _Text = "", cells: _Names = ""
    ) -> HTMLResponse:
        action = Comment(text, list(named(cells)))
        deed = Deed(
            "commented",
            _plain(room, mine, action, screen),
            detail=f"cells={len(action.cells)}",
            said="The comment is kept.",
            shows=True,
        )
        return await done(request, mine, screen, deed)

    return routes


def _plain(
    room: Room, mine: Reading, action: See | Reclassify | Comment, screen: Screen
) -> Callable[[], Awaitable[Case]]:
    async def work() -> Case:
        return await room.desk.act(*mine.key, mine.me.name, action, last_seen=screen.number)

    return work


async def _take_back(room: Room, mine: Reading, entry: int, screen: Screen) -> Case:
    """Give the cells of one's last step their labels back."""
    case = await room.desk.load(*mine.key)
    last = steps(case.entries, mine.me.name, case.slide.machine)
    if not last or last[0].number != entry:
        raise ReviewRefused(
            "not-undoable",
            "That is not your last step any more: somebody has named its cells since, or it is "
            "undone already. Look at the slide as it is now.",
        )
    known = max(screen.number, entry)  # a proposal behind that is not ended unseen
    for done, change in enumerate(last[0].back):
        try:
            case = await room.desk.act(*mine.key, mine.me.name, change, last_seen=known)
        except ReviewRefused as refused:
            if not done:
                raise
            raise DoneInPartError(
                "undone-in-part",
                f"Part of your last step is undone, as the page shows; not the rest. {refused}",
                case,
            ) from refused
    return case


def _some(cells: str) -> list[str]:
    found = list(named(cells))
    if not found:
        raise PageRefused(
            422, "request-invalid", "No cell was named.", "Select cells, then do it again."
        )
    return found


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count} cells are"
