"""The guards put together, in the order a request meets them."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from cloud.accounts.sessions import Sessions
from cloud.page.guard.entrance import Entrance
from cloud.page.guard.nul import NoNul
from cloud.page.settings import PageSettings
from wire.web.body import BodyLimit
from wire.web.faults import Faults
from wire.web.headers import SecurityHeaders
from wire.web.origin import OriginGuard

MAX_BYTES: Final = 2 * 1024 * 1024
"""Of a request's body: the names of all cells of a large slide."""

_FAULT: Final = "The reading room's page failed: see its log. Nothing that was written is lost."


class Guards:
    """Every HTTP request passes them all; WebSockets there are none.

    Args:
        app: behind them.
        settings: of the page.
        sessions: of the browsers.
    """

    def __init__(self, app: ASGIApp, settings: PageSettings, sessions: Sessions) -> None:
        self._app = app
        entrance = BodyLimit(NoNul(Entrance(app, settings, sessions)), MAX_BYTES)
        checked = OriginGuard(entrance, settings, "the reading room's")
        self._guarded = SecurityHeaders(Faults(checked, _FAULT), tls_only=settings.tls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            scope.setdefault("state", {})
            await self._guarded(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})
