"""The way in and out."""

import math
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from edge.page.guard.passwords import LONGEST, PasswordBusy, PasswordError
from edge.page.page import Page
from edge.page.views import ErrorView
from wire.web.answer import from_htmx

_log = structlog.get_logger("edge.page")


def enter(page: Page) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/login")
    def ask(request: Request) -> Response:
        if not page.locked or page.sessions.may_look(request.state.session):
            return RedirectResponse("/", 303)
        return _login(page, request)

    @routes.post("/login")
    def check(request: Request, password: Annotated[str, Form(max_length=LONGEST)]) -> Response:
        if page.locked and (answer := _refusal(page, request, password)):
            return answer
        request.state.session = page.sessions.enter()
        return RedirectResponse("/", 303)

    @routes.post("/logout")
    def leave(request: Request) -> Response:
        page.sessions.leave(request.state.session)
        request.state.session = page.sessions.new()
        if from_htmx(request.headers):
            return Response(None, 204, {"HX-Redirect": "/login"})
        return RedirectResponse("/login", 303)

    return routes


def _refusal(page: Page, request: Request, password: str) -> Response | None:
    """Why this password does not open; None when it does."""
    address = request.client.host if request.client else ""
    if wait_s := page.attempts.wait_s(address):
        return _wait(page, request, wait_s)
    try:
        fits = page.passwords.fits(password)
    except PasswordBusy:
        return _wait(page, request, 5.0)
    except (PasswordError, OSError) as error:
        _log.error("page_password_unreadable", cause=str(error))
        return _login(page, request, _unreadable(page), 409)
    if not fits:
        _log.warning("page_login_refused", address=address)
        return _login(page, request, _wrong(page), 403)
    page.attempts.forget(address)
    return None


def _wrong(page: Page) -> ErrorView:
    return page.handbook.error(
        "login-wrong",
        "That is not the station's password.",
        "Try again, or ask whoever runs the station.",
    )


def _unreadable(page: Page) -> ErrorView:
    return page.handbook.error(
        "login-unreadable",
        "The station cannot read its password file.",
        "Whoever runs the station sets the password again: leukoscope-edge page password.",
    )


def _wait(page: Page, request: Request, seconds: float) -> Response:
    error = page.handbook.error(
        "login-wait",
        "There were too many tries to sign in.",
        f"Try again in {math.ceil(seconds / 60)} min.",
    )
    answer = _login(page, request, error, 429)
    answer.headers["Retry-After"] = str(math.ceil(seconds))
    return answer


def _login(
    page: Page, request: Request, error: ErrorView | None = None, status: int = 200
) -> HTMLResponse:
    csrf = page.sessions.csrf(request.state.session)
    return HTMLResponse(page.parts.page("login", page.reading.blank(error), csrf=csrf), status)
