"""Static files, the refusals page, and how the room is."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from cloud.index.index import Index
from cloud.page.door import viewer
from cloud.page.room import Room
from wire.web.refusals import refusals_page


def files(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/static/{name:path}")
    def static(request: Request, name: str) -> Response:
        found = room.shelf.answer(name, request.headers.get("if-none-match"))
        if found is None:
            raise HTTPException(404)
        return found

    @routes.get("/refusals")
    def refusals(request: Request) -> HTMLResponse:
        page = room.parts.page("refusals", viewer=viewer(request), text=refusals_page())
        return HTMLResponse(page)

    @routes.get("/healthz")
    def health() -> JSONResponse:
        """Which parts are in trouble, by name alone: anybody may ask, and a cause names slides."""
        room.health.set("index", _index_trouble(room.index))
        troubles = sorted(room.health.troubles())
        said: dict[str, Any] = {"ok": not troubles, "troubles": troubles}
        if ended := room.health.ended():
            said["ended"] = ended
        return JSONResponse(said, 200 if not troubles else 503)

    return routes


def _index_trouble(index: Index) -> str | None:
    try:
        with index.engine.connect() as connection:
            connection.execute(sa.select(1))
    except sa.exc.SQLAlchemyError as error:
        return type(error).__name__
    return None
