"""What a reader answers for: waiving, signing, amending."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from cloud.page.acts import Acts, Deed
from cloud.page.door import address
from cloud.page.draft import read_draft
from cloud.page.reading import Reading, Screen, case_now, form_screen, may_amend, reading
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.reviews.desk import Case

_DRAFT: Final = 2_000_000
"""Characters of an amendment's draft, which names cells."""

_Reading = Annotated[Reading, Depends(reading)]
_Screen = Annotated[Screen, Depends(form_screen)]
_Text = Annotated[str, Form(max_length=2000)]
_Draft = Annotated[str, Form(max_length=_DRAFT)]
_Digest = Annotated[str, Form(max_length=64)]


def sign(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/slides/{site}/{slide}")
    acts = Acts(room)
    desk = room.desk

    async def done(request: Request, mine: Reading, screen: Screen, deed: Deed) -> HTMLResponse:
        return await acts.answer(mine, screen, deed, address(request))

    @routes.post("/waive")
    async def waive(
        request: Request, mine: _Reading, screen: _Screen, reason: _Text = ""
    ) -> HTMLResponse:
        async def work() -> Case:
            return await desk.waive(
                *mine.key, mine.me.name, reason, shown=screen.shown, last_seen=screen.number
            )

        said = "The unidentified cells may stay so."
        return await done(request, mine, screen, Deed("cells-waived", work, said=said, shows=True))

    @routes.post("/sign")
    async def signed(request: Request, mine: _Reading, screen: _Screen) -> HTMLResponse:
        async def work() -> Case:
            return await desk.sign(
                *mine.key, mine.me.name, shown=screen.shown, last_seen=screen.number
            )

        deed = Deed("slide-signed", work, said="The report is signed.", shows=True, signs=True)
        return await done(request, mine, screen, deed)

    @routes.post("/amend")
    async def amend(
        request: Request,
        mine: _Reading,
        screen: _Screen,
        draft: _Draft,
        reason: _Text = "",
        drawn: _Digest = "",
    ) -> HTMLResponse:
        if not may_amend(room, mine.me):
            raise PageRefused(
                403,
                "role-forbids",
                "Two readers sign here, so what is signed is amended by a lead.",
                "Tell the lead what is to be changed, and why.",
            )
        asked = read_draft(draft)
        changes = asked.tidy(await case_now(room, mine.key))

        async def work() -> Case:
            return await desk.amend(
                *mine.key, mine.me.name, reason, changes, asked.seen, asked.waive,
                shown=screen.shown, last_seen=screen.number, drawn=drawn,
            )  # fmt: skip

        said = "The amendment is signed."
        deed = Deed("slide-amended", work, said=said, shows=True, signs=True, draft=asked)
        return await done(request, mine, screen, deed)

    return routes
