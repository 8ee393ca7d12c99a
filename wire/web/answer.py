"""Short answers of the guards, and what they read of a request."""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def from_htmx(headers: Headers) -> bool:
    """Whether a script of the page asks, not the browser's address line."""
    return headers.get("hx-request") == "true"


def changes_something(scope: Scope) -> bool:
    """Whether the request may change the state."""
    return scope["method"] not in SAFE_METHODS


def refuse(status: int, sentence: str, **headers: str) -> Response:
    """A refusal in one sentence; underscores in header names become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return PlainTextResponse(f"{sentence}\n", status, headers=named)
