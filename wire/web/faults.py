"""The last resort: a fault of the program is logged, and the browser told, without details."""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wire.web.answer import refuse

_log = structlog.get_logger("wire.web")


class Faults:
    """Catches what no route caught. The log gets the traceback, never the request's body.

    Args:
        app: behind it.
        sentence: what the browser is told.
    """

    def __init__(self, app: ASGIApp, sentence: str) -> None:
        self._app = app
        self._sentence = sentence

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
                await refuse(500, self._sentence)(scope, receive, send)
