"""The entrance: every path is closed unless it is named open here."""

import asyncio
from typing import Final
from urllib.parse import parse_qs, quote

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.accounts.people import Account
from cloud.accounts.sessions import Sessions
from cloud.accounts.trouble import AccountsTroubleError
from cloud.page.settings import PageSettings
from wire.web.answer import changes_something, from_htmx, refuse

_OPEN: Final = frozenset(
    {
        "/login", "/oidc/login", "/oidc/callback", "/healthz", "/metrics", "/refusals",
        "/manifest.webmanifest", "/sw.js", "/offline",
    }
)  # fmt: skip
_NO_ONES: Final = ("/static/", "/healthz", "/metrics")
"""The same for everybody: nobody is asked who they are."""

_DOORS: Final = frozenset({"/login", "/oidc/login"})
"""They give a browser without a session a new one."""

STALE: Final = "event: stale\ndata: \n\n"
"""Tells an open page that its session is over."""

_AWAY: Final = (
    "The reading room's database does not answer, so nobody knows who you are; nothing was shown "
    "or done. Try again in a moment. Whoever runs the program finds the cause in its log."
)

_TOKEN_FIELD_BYTES: Final = 100_000
"""Forms without a script are small; the token of a larger body stands in the header."""

_log = structlog.get_logger("cloud.page")


def cookie_name(settings: PageSettings) -> str:
    """Of the session's cookie. Ports share cookies, so it names the port where it can."""
    return "__Host-leukoscope-room" if settings.encrypted else f"leukoscope-room-{settings.port}"


class Entrance:
    """Lets in who is signed in, and changes only with the page's own token.

    Puts `session`, `account` (None where nobody is signed in) and `csrf` into `scope["state"]`.
    A route that signs in or out puts another session there; the answer then brings its cookie.

    Args:
        app: behind it.
        settings: of the page.
        sessions: of the browsers.
    """

    def __init__(self, app: ASGIApp, settings: PageSettings, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._cookie = cookie_name(settings)
        # Lax, not Strict: the browser comes back from an OIDC provider by a foreign link.
        self._attributes = "Path=/; HttpOnly; SameSite=Lax" + (
            "; Secure" if settings.encrypted else ""
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        headers = Headers(scope=scope)
        try:
            session, account = await self._known(scope, headers)
            answer = self._refusal(scope, headers, session, account)
            if answer is None and session and account and _is_a_press(scope, headers):
                await asyncio.to_thread(self._sessions.pressed, session)
        except AccountsTroubleError as trouble:
            _log.error("database_away", cause=str(trouble))
            session, account, answer = None, None, refuse(503, _AWAY)
        if answer is not None:
            await answer(scope, receive, send)
            return
        given = session
        if session is None and scope["path"] in _DOORS:
            session = self._sessions.new()
        csrf = self._sessions.csrf(session) if session else ""
        scope["state"] |= {"session": session, "account": account, "csrf": csrf}

        async def with_cookie(message: Message) -> None:
            now = scope["state"]["session"]
            if message["type"] == "http.response.start" and now not in (given, None):
                value = f"{self._cookie}={self._sessions.cookie(now)}; {self._attributes}"
                MutableHeaders(scope=message).append("Set-Cookie", value)
            await send(message)

        await self._app(scope, receive, with_cookie)

    async def _known(self, scope: Scope, headers: Headers) -> tuple[str | None, Account | None]:
        if scope["path"].startswith(_NO_ONES):
            return None, None
        # Lenient: on 127.0.0.1 other programs' cookies come along, whatever they hold.
        found = cookie_parser(headers.get("cookie", "")).get(self._cookie)
        session = self._sessions.of_cookie(found) if found else None
        if session is None:
            return None, None
        return session, await asyncio.to_thread(self._sessions.of, session)

    def _refusal(
        self, scope: Scope, headers: Headers, session: str | None, account: Account | None
    ) -> Response | None:
        path = scope["path"]
        is_open = path in _OPEN or path.startswith(_NO_ONES)
        if account is None and not is_open:
            return _sign_in(scope, headers)
        if changes_something(scope) and not self._has_token(scope, headers, session):
            return _reload(headers)
        return None

    def _has_token(self, scope: Scope, headers: Headers, session: str | None) -> bool:
        token = headers.get("x-csrf-token") or _field(scope["state"]["body"], "csrf")
        return session is not None and self._sessions.csrf_fits(session, token)


def _is_a_press(scope: Scope, headers: Headers) -> bool:
    """Whether a person is behind it; what an open page fetches by itself keeps no session alive."""
    if changes_something(scope):
        return True
    return headers.get("sec-fetch-mode", "navigate") == "navigate" and not from_htmx(headers)


def _field(body: bytes, name: str) -> str:
    if len(body) > _TOKEN_FIELD_BYTES:
        return ""
    try:
        return parse_qs(body.decode(), max_num_fields=20).get(name, [""])[0]
    except ValueError:  # not UTF-8, or too many fields: no token in it
        return ""


def _reload(headers: Headers) -> Response:
    sentence = "This page is from an earlier session: load it again, then repeat the last step."
    return refuse(403, sentence, **({"HX_Refresh": "true"} if from_htmx(headers) else {}))


def _sign_in(scope: Scope, headers: Headers) -> Response:
    path: str = scope["path"]
    if path.startswith("/live/"):
        return StreamingResponse(iter([STALE]), media_type="text/event-stream")
    if from_htmx(headers):
        return refuse(401, "Sign in first.", HX_Redirect="/login")
    looks = scope["method"] == "GET" and headers.get("sec-fetch-mode", "navigate") == "navigate"
    if looks and not path.startswith(("/api/", "/pictures/", "/push/")):
        return RedirectResponse(f"/login?next={quote(path)}" if path != "/" else "/login", 303)
    return refuse(401, "Sign in first.")
