"""A field at full size, and its cells as they are now."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from cloud.page.door import note_look, note_page, viewer
from cloud.page.draft import Draft, read_draft
from cloud.page.field_view import FieldView, field_view
from cloud.page.reading import Reading, case_now, reading
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.page.routes.pictures import CaptureId, Name
from cloud.page.show_slide import CLASSES

_Reading = Annotated[Reading, Depends(reading)]


def field(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/slides/{site}/{slide}/fields/{device}/{capture}")

    @routes.get("")
    async def page(
        request: Request, mine: _Reading, device: Name, capture: CaptureId
    ) -> HTMLResponse:
        view = await _seen(room, mine, f"{device}/{capture}")
        await note_page(room, request, "field-viewed", mine.key, view.facts.name)
        context = _context(view, mine)
        html = await asyncio.to_thread(
            room.parts.page, "field", viewer=viewer(request), here="", **context
        )
        return HTMLResponse(html)

    @routes.get("/part")
    async def part(
        request: Request, mine: _Reading, device: Name, capture: CaptureId
    ) -> HTMLResponse:
        """What others or an act may have changed."""
        return await _part(room, request, mine, await _seen(room, mine, f"{device}/{capture}"))

    @routes.post("/part")
    async def draft(
        request: Request,
        mine: _Reading,
        device: Name,
        capture: CaptureId,
        draft: Annotated[str, Form(max_length=2_000_000)],
    ) -> HTMLResponse:
        """The same with the draft of an amendment; nothing is written."""
        view = await _seen(room, mine, f"{device}/{capture}", read_draft(draft))
        return await _part(room, request, mine, view)

    return routes


async def _seen(room: Room, mine: Reading, name: str, draft: Draft | None = None) -> FieldView:
    case = await case_now(room, mine.key)
    view = await asyncio.to_thread(field_view, case, name, mine.me.name, draft)
    if view is None:
        raise PageRefused(
            404,
            "field-unknown",
            "The slide has no such field.",
            "Go back to the slide and open the field there.",
        )
    return view


async def _part(room: Room, request: Request, mine: Reading, view: FieldView) -> HTMLResponse:
    await note_look(room, request, "field-viewed", mine.key, view.facts.name)
    context = _context(view, mine)
    return HTMLResponse(await asyncio.to_thread(room.parts.part, "field/cells", **context))


def _context(view: FieldView, mine: Reading) -> dict[str, Any]:
    return {
        "view": view,
        "base": f"/slides/{view.site}/{view.slide}",
        "me": mine.me.name,
        "classes": CLASSES,
    }
