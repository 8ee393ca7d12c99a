"""How routes answer what went wrong: in a part of the page, as JSON, or as a whole page."""

from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from cloud.page.door import viewer
from cloud.page.room import Room
from cloud.page.views import ErrorView
from wire.web.answer import from_htmx

_INTO_THE_ERROR: Final = {"HX-Retarget": "#error", "HX-Reswap": "innerHTML"}


def failed(
    room: Room, request: Request, status: int, code: str, sentence: str, remedy: str = ""
) -> Response:
    """An error as whoever asked can show it."""
    error = ErrorView(code, sentence, remedy, f"{room.settings.page.handbook}#{code}")
    if from_htmx(request.headers):
        return HTMLResponse(room.parts.part("error", error=error), status, _INTO_THE_ERROR)
    if _wants_json(request):
        told = {"reason": code, "sentence": sentence, "remedy": remedy}
        return JSONResponse(told, status)
    return HTMLResponse(room.parts.page("problem", viewer=viewer(request), error=error), status)


def _wants_json(request: Request) -> bool:
    if request.url.path.startswith(("/api/", "/push/", "/pictures/", "/live/")):
        return True
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted
