"""Files: static ones, the web manifest, QR codes, the refusals page."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from edge.page.page import Page
from wire.web.refusals import refusals_page


def files(page: Page) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    def answer(request: Request, name: str) -> Response:
        found = page.shelf.answer(name, request.headers.get("if-none-match"))
        if found is None:
            raise HTTPException(404)
        return found

    @routes.get("/static/{name:path}")
    def static(request: Request, name: str) -> Response:
        return answer(request, name)

    @routes.get("/manifest.webmanifest")
    def manifest(request: Request) -> Response:
        return answer(request, "manifest.webmanifest")

    @routes.get("/qr/{code}.svg")
    def qr(code: str) -> Response:
        svg = page.handbook.svg(code)
        if not svg:
            raise HTTPException(404)
        return Response(svg, media_type="image/svg+xml")

    @routes.get("/refusals")
    def refusals() -> HTMLResponse:
        return HTMLResponse(
            page.parts.page("refusals", page.reading.blank(None), text=refusals_page())
        )

    return routes
