"""The door: every path is closed unless it is named open here."""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.page.guard.sessions import Sessions
from edge.page.settings import PageSettings
from wire.web.answer import changes_something, from_htmx, refuse

_OPEN: Final = frozenset({"/login", "/healthz", "/manifest.webmanifest", "/refusals", "/reload"})
_OPEN_FOLDERS: Final = ("/static/", "/qr/")
_PAGES: Final = frozenset({"/", "/login"})
"""Whole pages: they give a browser without a session a new one."""

STALE: Final = "event: stale\ndata: \n\n"
"""Tells an open page that its session is over."""

_DOORSTEP: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>leukoscope</title>'
    '<meta http-equiv="refresh" content="0"></head>'
    '<body><a href="">Go on to the station</a></body></html>'
)


def cookie_name(settings: PageSettings) -> str:
    """Of the session's cookie. Ports share cookies, so it names the port where it can."""
    return "__Host-leukoscope" if settings.encrypted else f"leukoscope-{settings.port}"


class Door:
    """Lets in who has a session, signed in where there is a password, and the page's own token.

    Puts the session's id into `scope["state"]["session"]`.

    Args:
        app: behind it.
        settings: of the page.
        sessions: of the browsers.
        locked: whether there is a password now.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: PageSettings,
        sessions: Sessions,
        locked: Callable[[], bool],
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._locked = locked
        self._cookie = cookie_name(settings)
        self._attributes = "Path=/; HttpOnly; SameSite=Strict" + (
            "; Secure" if settings.encrypted else ""
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        headers = Headers(scope=scope)
        session = self._session(headers)
        if session is None and scope["path"] in _PAGES and _linked_from_elsewhere(scope, headers):
            await HTMLResponse(_DOORSTEP)(scope, receive, send)
            return
        if answer := self._refusal(scope, headers, session):
            await answer(scope, receive, send)
            return
        if session is not None and (changes_something(scope) or scope["path"] in _PAGES):
            self._sessions.pressed(session)
        given = session
        if session is None and scope["path"] in _PAGES:
            session = self._sessions.new()
        scope["state"]["session"] = session

        async def with_cookie(message: Message) -> None:
            now = scope["state"]["session"]
            if message["type"] == "http.response.start" and now not in (given, None):
                value = f"{self._cookie}={self._sessions.cookie(now)}; {self._attributes}"
                MutableHeaders(scope=message).append("Set-Cookie", value)
            await send(message)

        await self._app(scope, receive, with_cookie)

    def _session(self, headers: Headers) -> str | None:
        # Lenient: on 127.0.0.1 other programs' cookies come along, whatever they hold.
        found = cookie_parser(headers.get("cookie", "")).get(self._cookie)
        return self._sessions.of_cookie(found) if found else None

    def _refusal(self, scope: Scope, headers: Headers, session: str | None) -> Response | None:
        path = scope["path"]
        if changes_something(scope) and not self._has_token(scope, headers, session):
            return _reload(headers, 403)
        if path in _OPEN or path.startswith(_OPEN_FOLDERS):
            return None
        if self._locked() and not self._sessions.may_look(session):
            return _sign_in(path, headers)
        if path == "/events" and session is None:
            return _stale()
        return None

    def _has_token(self, scope: Scope, headers: Headers, session: str | None) -> bool:
        token = headers.get("x-csrf-token") or _field(scope["state"]["body"], "csrf")
        return session is not None and self._sessions.csrf_fits(session, token)


def _linked_from_elsewhere(scope: Scope, headers: Headers) -> bool:
    """Whether a foreign page's link leads here: the browser then keeps the strict cookie back.

    A new session would sign out who is signed in; the doorstep asks again, now from here.
    """
    return scope["method"] == "GET" and headers.get("sec-fetch-site") == "cross-site"


def _field(body: bytes, name: str) -> str:
    try:
        return parse_qs(body.decode(), max_num_fields=20).get(name, [""])[0]
    except ValueError:  # not UTF-8, or too many fields: no token in it
        return ""


def _reload(headers: Headers, status: int) -> Response:
    sentence = "This page is from an earlier session: load it again, then repeat the last step."
    return refuse(status, sentence, **({"HX_Refresh": "true"} if from_htmx(headers) else {}))


def _sign_in(path: str, headers: Headers) -> Response:
    if path == "/events":
        return _stale()
    if from_htmx(headers):
        return refuse(401, "Sign in first.", HX_Redirect="/login")
    return RedirectResponse("/login", 303) if path == "/" else refuse(401, "Sign in first.")


def _stale() -> Response:
    return StreamingResponse(iter([STALE]), media_type="text/event-stream")
