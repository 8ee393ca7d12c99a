"""A slide's report as a file: what was signed as it is kept, and else as it stands now."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from cloud.page.door import note
from cloud.page.reading import Reading, case_now, reading
from cloud.page.refused import PageRefused, store_away
from cloud.page.room import Room
from cloud.reports.fhir.check import FhirError
from cloud.reports.gather import ReportError, report_facts
from cloud.reports.keep import FHIR, PDF
from cloud.reports.pdf.draw import PdfError
from cloud.reviews.desk import Case
from cloud.signing.after import TYPES

_PATIENCE_S: Final = 4.0
"""How long the store may take to hand a report out."""

_DRAWING_S: Final = 60.0
"""How long a report may take to be made: many cells on a busy machine, or a store that is away."""

_Reading = Annotated[Reading, Depends(reading)]
_Number = Annotated[int | None, Query(ge=1, le=10**6)]
_Done = TypeVar("_Done")


def report(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/slides/{site}/{slide}")

    @routes.get("/report.pdf")
    async def pages(request: Request, mine: _Reading, number: _Number = None) -> Response:
        """For people."""
        return await handed_out(request, mine, number, PDF)

    @routes.get("/report.fhir.json")
    async def bundle(request: Request, mine: _Reading, number: _Number = None) -> Response:
        """For the patient's file."""
        return await handed_out(request, mine, number, FHIR)

    async def handed_out(
        request: Request, mine: Reading, number: int | None, ending: str
    ) -> Response:
        case = await case_now(room, mine.key)
        signed = _signed(case, number)
        what = f"report={signed or 'preliminary'} file={ending}"
        await note(room, request, "report-taken", *mine.key, what)
        try:
            if signed is None:
                data = await _within(_DRAWING_S, _as_it_stands(room, case, ending))
            else:
                data = await _as_signed(room, mine, signed, ending)
        except ReportError as error:
            raise _unknown(str(error)) from error
        except (PdfError, FhirError) as error:
            raise _not_made(error) from error
        return _file(mine, signed, ending, data)

    return routes


def _signed(case: Case, number: int | None) -> int | None:
    """Number of the signature that is asked for; None: nobody has signed."""
    signed = [report.number for report in case.review.reports]
    if number is not None and number not in signed:
        raise _unknown(f"entry {number} signs no report of this slide")
    return number or (signed[-1] if signed else None)


async def _as_it_stands(room: Room, case: Case, ending: str) -> bytes:
    facts = await asyncio.to_thread(report_facts, case)
    return await room.after.drawn(facts, ending)


async def _as_signed(room: Room, mine: Reading, number: int, ending: str) -> bytes:
    kept = await _within(_PATIENCE_S, room.after.taken(*mine.key, number, ending))
    if kept is not None:
        return kept
    return await _within(_DRAWING_S, _kept_now(room, mine, number, ending))


async def _kept_now(room: Room, mine: Reading, number: int, ending: str) -> bytes:
    """It was signed a moment ago, or by a program that kept none."""
    case = await room.desk.load(*mine.key)
    await room.after.kept(case)  # so that the outbox has it, too
    await room.after.make(case, number)
    kept = await room.after.taken(*mine.key, number, ending)
    if kept is not None:
        return kept
    facts = await asyncio.to_thread(report_facts, case, number)
    return await room.after.drawn(facts, ending)  # says why it could not be kept


async def _within(seconds: float, work: Coroutine[Any, Any, _Done]) -> _Done:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise store_away() from error


def _file(mine: Reading, signed: int | None, ending: str, data: bytes) -> Response:
    """A file with a name of its own, so that a signed report is not taken for a preliminary one."""
    state = "preliminary" if signed is None else f"signed-{signed}"
    name = f"{mine.key.slide}-{state}.{ending}"
    return Response(
        data,
        media_type=TYPES[ending],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _unknown(why: str) -> PageRefused:
    return PageRefused(
        404,
        "report-unknown",
        f"There is no such report: {why}.",
        "Go back to the slide: it lists its reports.",
    )


def _not_made(error: Exception) -> PageRefused:
    return PageRefused(
        503,
        "report-not-made",
        f"This report could not be made: {error}.",
        "Tell whoever runs the reading room. What is signed stays signed.",
    )
