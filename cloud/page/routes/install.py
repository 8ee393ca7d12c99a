"""What makes the page an app on a phone: its manifest, its service worker, the page without a net.

The worker is made of files in static/: `shell-worker.js`, and `push-worker.js` where there is one.
"""

import json
from pathlib import PurePath
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from cloud.page.room import Room
from cloud.page.views import Viewer
from wire.web.shelf import Shelf

OFFLINE: Final = "/offline"
_WORKERS: Final = ("shell-worker.js", "push-worker.js")
_KEPT: Final = frozenset({".css", ".js", ".svg", ".png", ".woff2"})
_NOBODY: Final = Viewer("", None, "")


def install(room: Room) -> APIRouter:
    """The routes; open to all, and the same for all."""
    routes = APIRouter()

    @routes.get("/manifest.webmanifest")
    def manifest(request: Request) -> Response:
        etag = request.headers.get("if-none-match")
        found = room.shelf.answer("manifest.webmanifest", etag)
        if found is None:
            raise HTTPException(404)
        return found

    @routes.get("/sw.js")
    def worker() -> Response:
        kept = {"Cache-Control": "no-cache"}
        return Response(_worker(room.shelf), headers=kept, media_type="text/javascript")

    @routes.get(OFFLINE)
    def offline() -> HTMLResponse:
        return HTMLResponse(room.parts.page("offline", viewer=_NOBODY))

    return routes


def _worker(shelf: Shelf) -> str:
    """It names every file it keeps: when one changes, browsers see another worker and take it."""
    shell = [shelf.url(name) for name in shelf.names if PurePath(name).suffix in _KEPT]
    values = {"DIGEST": shelf.digest, "SHELL": shell, "OFFLINE": OFFLINE}
    lines = [f"const {name} = {json.dumps(value)};" for name, value in values.items()]
    lines += [f'importScripts("{shelf.url(name)}");' for name in _WORKERS if shelf.has(name)]
    return "\n".join(['"use strict";', *lines, ""])
