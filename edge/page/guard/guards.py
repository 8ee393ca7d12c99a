"""The guards put together, in the order a request meets them."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from edge.page.guard.body import BodyLimit
from edge.page.guard.door import Door
from edge.page.guard.faults import Faults
from edge.page.guard.headers import SecurityHeaders
from edge.page.guard.origin import OriginGuard
from edge.page.guard.sessions import Sessions
from edge.page.settings import PageSettings


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
        door = BodyLimit(Door(app, settings, sessions, locked))
        self._guarded = SecurityHeaders(Faults(OriginGuard(door, settings)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            scope.setdefault("state", {})
            await self._guarded(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})
