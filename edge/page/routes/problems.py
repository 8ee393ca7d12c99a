"""Exceptions become errors that a person can read; nothing that was sent is repeated in them."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from edge.page.page import Page
from edge.page.routes.answers import failed
from edge.refusal import CaptureRefused


def add_problems(app: FastAPI, page: Page) -> None:
    """Answer each kind of exception."""

    @app.exception_handler(CaptureRefused)
    def refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, CaptureRefused)  # noqa: S101  # Starlette's signature is wider
        error = page.handbook.error(refusal.reason, refusal.sentence, refusal.remedy)
        return failed(page, request, 409, error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, RequestValidationError)  # noqa: S101  # as above
        # The field's name only: FastAPI's own answer repeats what was typed.
        names = sorted({str(error["loc"][-1]) for error in problem.errors()})
        error = page.handbook.error(
            "request-invalid",
            f"The station does not understand what was sent: {', '.join(names)}.",
            "Load the page again and repeat the last step.",
        )
        return failed(page, request, 422, error)

    @app.exception_handler(HTTPException)
    def no_such(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)  # noqa: S101  # as above
        error = page.handbook.error(
            "no-such-page", "The station has no such page.", "Go back to its first page."
        )
        return failed(page, request, problem.status_code, error)
