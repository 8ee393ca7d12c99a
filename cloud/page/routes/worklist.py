"""The worklist: for readers as a page, for programs as JSON."""

import asyncio
import time
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.people import Account
from cloud.index.worklist import sites
from cloud.page.asked import STATES, Asked, AskedError
from cloud.page.door import account, note_page, viewer
from cloud.page.lines import listed
from cloud.page.noted import WORKLIST
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.page.tally import Tally

TALLY_S: Final = 2.0
"""How old the page's totals may be, in seconds: its stream brings new ones at once."""

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
    tally = Tally(room.index)
    Wanted = Annotated[Asked, Depends(asked)]  # noqa: N806  # a type

    @routes.get("/")
    async def page(
        request: Request, who: Annotated[Account, Depends(account)], wanted: Wanted
    ) -> Response:
        if who.role == "admin":  # keeps accounts, and opens no slide
            return RedirectResponse("/people", 303)
        await note_page(room, request, "worklist-viewed", WORKLIST)
        return HTMLResponse(await asyncio.to_thread(_page, room, tally, request, wanted))

    return routes


def _page(room: Room, tally: Tally, request: Request, wanted: Asked) -> str:
    counted = tally.totals(time.monotonic() - TALLY_S)
    context = listed(room.index, room.presence, wanted, counted).context()
    states = [(word, name) for word, (name, _) in STATES.items()]
    return room.parts.page(
        "worklist", viewer=viewer(request), states=states, sites=sites(room.index), **context
    )
