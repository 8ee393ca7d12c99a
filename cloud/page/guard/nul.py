"""No request holds a NUL: no name and no text has one, and PostgreSQL takes none."""

from starlette.types import ASGIApp, Receive, Scope, Send

from wire.web.answer import refuse

_WRITTEN = (b"\0", b"%00", rb"\u0000")
"""As it is, in a form or an address, in JSON."""


class NoNul:
    """Refuses it wherever it stands; comes behind `BodyLimit`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        held = (scope["path"].encode(), scope["query_string"], scope["state"]["body"])
        if any(nul in part for part in held for nul in _WRITTEN):
            await refuse(400, "A request may not hold a NUL.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)
