"""Files: static ones, the web manifest, QR codes, the refusals page."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from edge.page.page import Page
from edge.page.refusals import refusals_page

_FOR_GOOD: Final = "public, max-age=31536000, immutable"


def files(page: Page) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    shelf = page.shelf

    def answer(name: str, etag: str | None, kept: str) -> Response:
        found = shelf.file(name)
        if found is None:
            raise HTTPException(404)
        headers = {"Cache-Control": kept, "ETag": f'"{shelf.digest}"'}
        if etag == headers["ETag"]:
            return Response(None, 304, headers)
        return Response(found[0], headers=headers, media_type=found[1])

    @routes.get("/static/{name:path}")
    def static(request: Request, name: str) -> Response:
        of_digest = name.startswith(f"{shelf.digest}/")
        plain = name.removeprefix(f"{shelf.digest}/")
        kept = _FOR_GOOD if of_digest else "no-cache"
        return answer(plain, request.headers.get("if-none-match"), kept)

    @routes.get("/manifest.webmanifest")
    def manifest(request: Request) -> Response:
        return answer("manifest.webmanifest", request.headers.get("if-none-match"), "no-cache")

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
