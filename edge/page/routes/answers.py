"""How routes answer: with parts of the page, or with an error that says what to do."""

from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from edge.page.page import Page
from edge.page.views import ErrorView
from wire.web.answer import from_htmx

_INTO_THE_ERROR: Final = {"HX-Retarget": "#error", "HX-Reswap": "innerHTML"}


def done(page: Page) -> HTMLResponse:
    """All is well: what error there was is taken away. What changed comes by the events."""
    return HTMLResponse(page.parts.part("error", page.reading.blank(None)))


def failed(page: Page, request: Request, status: int, error: ErrorView) -> Response:
    """An error as the asker can show it: a fragment, JSON, or a whole page."""
    if from_htmx(request.headers):
        html = page.parts.part("error", page.reading.blank(error))
        return HTMLResponse(html, status, _INTO_THE_ERROR)
    if request.url.path.startswith("/api/"):
        told = {"code": error.code, "sentence": error.sentence, "remedy": error.remedy}
        return JSONResponse(told, status)
    return HTMLResponse(page.parts.page("problem", page.reading.blank(error)), status)
