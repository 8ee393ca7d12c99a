"""The guards put together, in the order a request meets them."""

from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from edge.page.guard.door import Door
from edge.page.guard.sessions import Sessions
from edge.page.settings import PageSettings
from wire.web.body import BodyLimit
from wire.web.faults import Faults
from wire.web.headers import SecurityHeaders
from wire.web.origin import OriginGuard

MAX_BYTES: Final = 4096
"""Of a request's body: a slide's number, a count."""

_FAULT: Final = "The station's page failed: see its log. Captures are safe."


class Guards:
    """Every HTTP request passes them all; WebSockets there are none.

    Args:
        app: behind them.
        settings: of the page.
        sessions: of the browsers.
        locked: whether there is a password now.
    """

    def __init__(
        self, app: ASGIApp, settings: PageSettings, sessions: Sessions, locked: Callable[[], bool]
    ) -> None:
        self._app = app
        door = BodyLimit(Door(app, settings, sessions, locked), MAX_BYTES)
        checked = OriginGuard(door, settings, "the station's")
        self._guarded = SecurityHeaders(Faults(checked, _FAULT))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            scope.setdefault("state", {})
            await self._guarded(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})
