"""What can be seen: the page, and the station's state for programs."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from edge.page.page import Page
from wire.words import RESEARCH_USE_ONLY


def see(page: Page) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/")
    def first_page(request: Request) -> HTMLResponse:
        csrf = page.sessions.csrf(request.state.session)
        locked = page.locked
        return HTMLResponse(page.parts.page("page", page.reading.now(), csrf=csrf, locked=locked))

    @routes.get("/api/state")
    def state() -> dict[str, Any]:
        return {"notice": RESEARCH_USE_ONLY, **asdict(page.desk.state)}

    @routes.get("/healthz")
    def health() -> dict[str, Any]:
        now = page.desk.state
        return {"ok": not now.troubles, "camera": not now.camera_problem, "broker": now.broker}

    @routes.get("/reload")
    def reload() -> Response:
        return Response(None, 204, {"HX-Refresh": "true"})

    return routes
