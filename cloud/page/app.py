"""The reading room's page as an ASGI application."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, FastAPI

from cloud.page.guard import Guards
from cloud.page.room import Room
from cloud.page.routes.account import account
from cloud.page.routes.act import act
from cloud.page.routes.api import api
from cloud.page.routes.audit import audit
from cloud.page.routes.enter import enter
from cloud.page.routes.field import field
from cloud.page.routes.files import files
from cloud.page.routes.install import install
from cloud.page.routes.live import live
from cloud.page.routes.metrics import metrics
from cloud.page.routes.oidc import oidc
from cloud.page.routes.people import people
from cloud.page.routes.pictures import pictures
from cloud.page.routes.problems import add_problems
from cloud.page.routes.push import push
from cloud.page.routes.report import report
from cloud.page.routes.sign import sign
from cloud.page.routes.slide import slide
from cloud.page.routes.worklist import worklist

ROUTES: Final[tuple[Callable[[Room], APIRouter], ...]] = (
    enter,
    oidc,
    files,
    metrics,
    worklist,
    api,
    live,
    slide,
    act,
    sign,
    report,
    install,
    push,
    pictures,
    field,
    audit,
    people,
    account,
)
"""One line for each file in routes/."""


def create_app(room: Room) -> FastAPI:
    """The application in an opened room."""
    # No /docs and no /openapi.json: they would load scripts from elsewhere.
    app = FastAPI(title="leukoscope reading room", openapi_url=None)
    app.state.room = room
    add_problems(app, room)
    for routes in ROUTES:
        app.include_router(routes(room))
    app.add_middleware(Guards, settings=room.settings.page, sessions=room.sessions)
    return app
