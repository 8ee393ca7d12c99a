"""Exceptions become errors that a person can read; nothing that was sent is repeated in them."""

from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from cloud.accounts.trouble import AccountRefused, AccountsTroubleError
from cloud.live.news import TooManyFollowersError
from cloud.page.door import note
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.page.routes.answers import failed
from cloud.pictures.problem import PictureError
from cloud.reviews.rules import ReviewRefused

_NOT_FOUND: Final = frozenset({"slide-unknown", "picture-unknown", "picture-gone"})
_AWAY: Final = frozenset({"store-away"})

_log = structlog.get_logger("cloud.page")


def add_problems(app: FastAPI, room: Room) -> None:
    """Answer each kind of exception."""

    @app.exception_handler(PageRefused)
    async def page_refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, PageRefused)  # noqa: S101  # Starlette's signature is wider
        if refusal.code == "role-forbids":
            try:
                await _note_refused(room, request)
            except AccountsTroubleError as trouble:  # here nobody would come for it
                return database_away(request, trouble)
        return failed(room, request, refusal.status, refusal.code, refusal.sentence, refusal.remedy)

    @app.exception_handler(ReviewRefused)
    @app.exception_handler(AccountRefused)
    def verdict(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, ReviewRefused | AccountRefused)  # noqa: S101  # as above
        return failed(room, request, _status(refusal.reason), refusal.reason, str(refusal))

    @app.exception_handler(PictureError)
    def no_picture(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, PictureError)  # noqa: S101  # as above
        return failed(room, request, _status(refusal.code), refusal.code, refusal.sentence)

    @app.exception_handler(AccountsTroubleError)
    @app.exception_handler(SQLAlchemyError)
    def database_away(request: Request, trouble: Exception) -> Response:
        _log.error("database_away", cause=type(trouble).__name__, exc_info=trouble)
        return failed(
            room,
            request,
            503,
            "database-away",
            "The reading room's database does not answer; nothing was shown or done.",
            "Try again in a moment. Whoever runs the program finds the cause in its log.",
        )

    @app.exception_handler(TooManyFollowersError)
    def too_many(request: Request, trouble: Exception) -> Response:
        return failed(room, request, 503, "too-many-pages", str(trouble))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, RequestValidationError)  # noqa: S101  # as above
        # The field's name only: FastAPI's own answer repeats what was typed.
        names = sorted({str(error["loc"][-1]) for error in problem.errors()})
        return failed(
            room,
            request,
            422,
            "request-invalid",
            f"The reading room does not understand what was sent: {', '.join(names)}.",
            "Load the page again and repeat the last step.",
        )

    @app.exception_handler(HTTPException)
    def no_such(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)  # noqa: S101  # as above
        return failed(
            room,
            request,
            problem.status_code,
            "no-such-page",
            "The reading room has no such page.",
            "Go back to the worklist.",
        )


async def _note_refused(room: Room, request: Request) -> None:
    place = request.path_params
    await note(room, request, "access-refused", place.get("site", ""), place.get("slide", ""))


def _status(code: str) -> int:
    if code in _NOT_FOUND:
        return 404
    return 503 if code in _AWAY else 409
