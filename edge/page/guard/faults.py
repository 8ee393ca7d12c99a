"""The last resort: a fault of the program is logged, and the browser told, without details."""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.page.guard.answer import refuse

_log = structlog.get_logger("edge.page")


class Faults:
    """Catches what no route caught. The log gets the traceback, never the request's body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:  # noqa: BLE001  # whatever it is, it must not end the page
            route = getattr(scope.get("route"), "path", "")  # as written, not as asked for
            _log.exception("page_fault", method=scope["method"], route=route)
            if not begun:
                answer = refuse(500, "The station's page failed: see its log. Captures are safe.")
                await answer(scope, receive, send)
