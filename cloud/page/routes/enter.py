"""The way in and out."""

import math
import re
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.names import LONGEST_ALIKE, alike
from cloud.accounts.people import Account
from cloud.page.door import address, viewer
from cloud.page.room import Room
from cloud.page.views import ErrorView
from wire.web.answer import from_htmx
from wire.web.hashing import LONGEST, PasswordBusy

_HERE: Final = re.compile(r"/[A-Za-z0-9._~%/-]*")
"""A path of this page; `//host` and `/\\host` would be another's."""

_log = structlog.get_logger("cloud.page")


def enter(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/login")
    def ask(request: Request, next: Annotated[str, Query(max_length=300)] = "/") -> Response:  # noqa: A002  # its name in the address
        found: Account | None = request.state.account
        if found is not None:
            return RedirectResponse(way(next, found), 303)
        return _login(room, request, next)

    @routes.post("/login")
    def check(
        request: Request,
        name: Annotated[str, Form(max_length=LONGEST_ALIKE)],
        password: Annotated[str, Form(max_length=LONGEST)],
        next: Annotated[str, Form(max_length=300)] = "/",  # noqa: A002  # as above
    ) -> Response:
        found = _admitted(room, request, name, password, next)
        if isinstance(found, Response):
            return found
        request.state.session = room.sessions.enter(found)
        return RedirectResponse(way(next, found), 303)

    @routes.post("/logout")
    def leave(request: Request) -> Response:
        if request.state.account is not None:
            room.audit.note(request.state.account.name, "logout", address=address(request))
        room.sessions.leave(request.state.session)
        if room.push is not None:
            room.push.left(request.state.session)
        request.state.session = room.sessions.new()
        if from_htmx(request.headers):
            return Response(None, 204, {"HX-Redirect": "/login"})
        return RedirectResponse("/login", 303)

    return routes


def _admitted(
    room: Room, request: Request, name: str, password: str, after: str
) -> Account | Response:
    """Whose name and password these are, noted; or why they do not open."""
    where = address(request)
    if wait_s := room.logins.wait_s(where, alike(name)):
        if room.logins.is_news(where):
            room.audit.note("", "login-wait", address=where, account=room.accounts.known(name))
        return _wait(room, request, after, wait_s)
    try:
        found = room.accounts.check_password(name, password)
    except PasswordBusy:
        return _wait(room, request, after, 5.0)
    if found is None:
        # What was typed is not noted: many a password was typed into the name's field.
        room.audit.note("", "login-refused", address=where, account=room.accounts.known(name))
        _log.warning("login_refused", address=where)
        return _login(room, request, after, _error(room, *_WRONG), 403)
    room.audit.note(found.name, "login", address=where)
    room.logins.entered(where, alike(name))
    return found


_WRONG: Final = (
    "login-wrong",
    "That name and password do not belong together.",
    "Try again, or ask whoever keeps the accounts.",
)


def way(asked: str, account: Account) -> str:
    """Where to go after signing in: only to a page of our own, and to one that the role opens."""
    home = "/people" if account.role == "admin" else "/"
    own = _HERE.fullmatch(asked) and not asked.startswith("//")
    return asked if own and asked != "/" else home


def _wait(room: Room, request: Request, after: str, seconds: float) -> Response:
    remedy = f"Try again in {math.ceil(seconds / 60)} min."
    error = _error(room, "login-wait", "There were too many tries to sign in.", remedy)
    answer = _login(room, request, after, error, 429)
    answer.headers["Retry-After"] = str(math.ceil(seconds))
    return answer


def _error(room: Room, code: str, sentence: str, remedy: str) -> ErrorView:
    return ErrorView(code, sentence, remedy, f"{room.settings.page.handbook}#{code}")


def _login(
    room: Room, request: Request, after: str, error: ErrorView | None = None, status: int = 200
) -> HTMLResponse:
    page = room.parts.page("login", viewer=viewer(request), error=error, next=after)
    return HTMLResponse(page, status)
