"""Bodies are small. Anything larger is refused before it is read."""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wire.web.answer import refuse

PATIENCE_S: Final = 10.0
"""Seconds within which the body has to be there."""


class BodyLimit:
    """Reads the body whole, up to the limit, and hands it on as one message.

    Puts it into `scope["state"]["body"]`, too.

    Args:
        app: behind it.
        max_bytes: of a request's body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if _announced(Headers(scope=scope)) > self._max_bytes:
            await self._too_large(scope, receive, send)
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                body = await _read(receive, self._max_bytes)
        except TimeoutError:
            await refuse(408, "The request's body did not come in time.")(scope, receive, send)
            return
        except ClientDisconnect:
            return
        if body is None:
            await self._too_large(scope, receive, send)
            return
        scope["state"]["body"] = body
        await self._app(scope, _replayed(body, receive), send)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        sentence = f"A request may hold {self._max_bytes} bytes."
        await refuse(413, sentence, connection="close")(scope, receive, send)


def _announced(headers: Headers) -> int:
    announced = headers.get("content-length", "0")
    return int(announced) if announced.isdecimal() else 0


async def _read(receive: Receive, max_bytes: int) -> bytes | None:
    """The body; None when it passes the limit."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > max_bytes:
            return None
        more = message.get("more_body", False)
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once, then what the connection says (that the browser has gone)."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
