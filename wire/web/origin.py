"""Refuses requests that a foreign page makes a browser send here."""

import ipaddress
import re
import socket
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wire.web.answer import changes_something, refuse
from wire.web.settings import ServedSettings

_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")


def known_names(settings: ServedSettings) -> frozenset[str]:
    """Names that the page is called by, in lower case."""
    machine = socket.gethostname().lower()
    own = {"localhost", settings.host, machine, f"{machine}.local"}
    return frozenset(own | {name.lower() for name in settings.names})


class OriginGuard:
    """Host and Origin must name this page, and nobody may go around the proxy that encrypts.

    A foreign site whose DNS name is turned to this address (DNS rebinding) sends its own name as
    Host; an address in digits cannot be turned, so those are let through. A foreign form or
    script sends its own Origin.

    Args:
        app: behind it.
        settings: of the page.
        whose: page it is, in the sentences.
    """

    def __init__(self, app: ASGIApp, settings: ServedSettings, whose: str) -> None:
        self._app = app
        self._whose = whose
        self._names = known_names(settings)
        self._encrypted = settings.encrypted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("host", "")):
            answer = refuse(
                421,
                f"This page is not called by that name. Use {self._whose} address, or add the name "
                "to page.names in the settings.",
            )
        elif self._encrypted and scope["scheme"] != "https":
            answer = refuse(403, "This page is reached over https, through its proxy.")
        elif changes_something(scope) and _from_elsewhere(scope, headers):
            answer = refuse(403, f"This request comes from another page. Use {self._whose} own.")
        else:
            await self._app(scope, receive, send)
            return
        await answer(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host.lower())
        return match is not None and (match[1] in self._names or _is_address(match[1]))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _from_elsewhere(scope: Scope, headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        parts = urlsplit(origin)
        return (parts.scheme, parts.netloc) != (scope["scheme"], headers.get("host"))
    return headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
