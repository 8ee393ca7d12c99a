"""The worklist: for readers as a page, for programs as JSON."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.people import Account
from cloud.index.worklist import sites
from cloud.page.asked import STATES, Asked, AskedError
from cloud.page.door import account, note, reader, viewer
from cloud.page.lines import Line, listed
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE

_Part = Annotated[str, Query(max_length=400)]


def asked(
    state: _Part = "", site: _Part = "", rank: _Part = "", q: _Part = "", after: _Part = ""
) -> Asked:
    """The filter in the address; a dependency of routes."""
    try:
        return Asked.read(state, site, rank, q, after)
    except AskedError as error:
        raise PageRefused(
            422,
            "filter-unknown",
            f"The worklist has no such filter: {error}.",
            "A token has letters, digits, - and _. Go back to the worklist and choose again.",
        ) from error


def worklist(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    Wanted = Annotated[Asked, Depends(asked)]  # noqa: N806  # a type

    @routes.get("/")
    async def page(
        request: Request, who: Annotated[Account, Depends(account)], wanted: Wanted
    ) -> Response:
        if who.role == "admin":  # keeps accounts, and opens no slide
            return RedirectResponse("/people", 303)
        await note(room, request, "worklist-viewed")
        return HTMLResponse(await asyncio.to_thread(_page, room, request, wanted))

    @routes.get("/api/worklist", dependencies=[Depends(reader)])
    async def told(request: Request, wanted: Wanted) -> dict[str, Any]:
        await note(room, request, "worklist-viewed")
        return await asyncio.to_thread(_told, room, wanted)

    return routes


def _page(room: Room, request: Request, wanted: Asked) -> str:
    context = listed(room.index, room.presence, wanted).context()
    states = [(word, name) for word, (name, _) in STATES.items()]
    return room.parts.page(
        "worklist", viewer=viewer(request), states=states, sites=sites(room.index), **context
    )


def _told(room: Room, wanted: Asked) -> dict[str, Any]:
    found = listed(room.index, room.presence, wanted)
    after = found.next and wanted.query(after=found.next)
    return {
        "notice": RESEARCH_USE_ONLY,
        "slides": [_line(line) for line in found.lines],
        "next": f"/api/worklist{after}" if after else None,
        "states": found.totals.states,
        "waiting_by_urgency": found.totals.undone,
    }


def _line(line: Line) -> dict[str, Any]:
    slide = line.slide
    return {
        "notice": SIGNED_NOTICE if line.signed else RESEARCH_USE_ONLY,
        "site": slide.site,
        "slide": slide.slide,
        "state": slide.state,
        "preliminary": not line.signed,
        "rank": slide.rank,
        "urgency": slide.urgency,
        "waiting_since": slide.waiting_since,
        "waited_s": round(line.waited_s),
        "done": slide.done,
        "fields": slide.fields,
        "later_fields": slide.later_fields,
        "cells": slide.cells,
        "counts": slide.counts,
        "blasts_per_100": slide.blasts_per_100,
        "blasts_interval": slide.blasts_interval,
        "updated_at": slide.updated_at,
        "reading": list(line.reading),
        "page": f"/slides/{slide.site}/{slide.slide}",
    }
