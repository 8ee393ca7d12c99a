"""The way in by OpenID Connect: to the provider, and back from it."""

import asyncio
import re
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from cloud.accounts.begun import Begun, BegunLogins
from cloud.accounts.people import Account
from cloud.accounts.provider import OidcError, Provider, Unverified
from cloud.accounts.settings import OidcSettings
from cloud.page.door import address, note
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.page.routes.enter import way
from wire.web.attempts import Attempts

_BEGINS: Final = 20
"""Of one address within five minutes; a laboratory may have one for all its screens."""

_CODE: Final = re.compile(r"[a-z_]{1,60}")
"""What OAuth calls an error."""

_Part = Annotated[str, Query(max_length=4000)]

_log = structlog.get_logger("cloud.page")


def oidc(room: Room) -> APIRouter:
    """The routes; without a provider they say so."""
    routes = APIRouter()
    settings = room.settings.oidc
    flow = None if settings is None else _Flow(room, settings)

    @routes.get("/oidc/login")
    async def begin(
        request: Request, after: Annotated[str, Query(alias="next", max_length=300)] = "/"
    ) -> Response:
        found: Account | None = request.state.account
        if found is not None:
            return RedirectResponse(way(after, found), 303)
        return await _on(flow).begin(request, after)

    @routes.get("/oidc/callback")
    async def back(
        request: Request, state: _Part = "", code: _Part = "", error: _Part = "", iss: _Part = ""
    ) -> Response:
        begun = await _on(flow).begun(request, state)
        if error:
            raise _refused_there(error)
        return await _on(flow).finish(request, begun, code, iss)

    return routes


class _Flow:
    def __init__(self, room: Room, settings: OidcSettings) -> None:
        self._room = room
        self._issuer = settings.issuer
        self._provider = Provider(settings)
        self._logins = BegunLogins(room.database)
        self._attempts = Attempts(allowed=_BEGINS)

    async def begin(self, request: Request, after: str) -> Response:
        """To the provider."""
        if self._attempts.wait_s(address(request)):
            raise PageRefused(
                429, "login-wait", "There were too many tries to sign in.", "Wait a few minutes."
            )
        session: str = request.state.session
        begun = await asyncio.to_thread(self._logins.begin, session, after)
        try:
            return RedirectResponse(await self._provider.sign_in_at(begun), 303)
        except OidcError as error:
            raise _told(error) from error

    async def begun(self, request: Request, state: str) -> Begun:
        """What this browser began, once."""
        session: str = request.state.session or ""
        taken = await asyncio.to_thread(self._logins.take, session, state)
        if taken is None:
            raise PageRefused(
                400,
                "oidc-not-begun",
                "This sign-in was not begun in this browser, was used already, or took too long.",
                "Sign in again.",
            )
        return taken

    async def finish(self, request: Request, begun: Begun, code: str, issuer: str) -> Response:
        """In, where an account is known by the provider's subject."""
        try:
            if issuer not in ("", self._issuer):  # RFC 9207: another provider's answer
                raise Unverified("another issuer answered")
            subject = await self._provider.subject(begun, code)
        except OidcError as error:
            await note(self._room, request, "login-refused", detail="by=oidc")
            _log.warning("oidc_refused", reason=error.reason, cause=_cause(error))
            raise _told(error) from error
        accounts, sessions = self._room.accounts, self._room.sessions
        found = await asyncio.to_thread(accounts.by_oidc, self._issuer, subject)
        if found is None:
            await note(self._room, request, "login-refused", detail="by=oidc")
            raise _unknown(subject)
        where = address(request)
        await asyncio.to_thread(
            self._room.audit.note, found.name, "login", detail="by=oidc", address=where
        )
        request.state.session = await asyncio.to_thread(sessions.enter, found)
        self._attempts.forget(where)
        return RedirectResponse(way(begun.after, found), 303)


def _on(flow: _Flow | None) -> _Flow:
    if flow is None:
        raise PageRefused(
            404, "oidc-off", "There is no single sign-on here.", "Sign in with your password."
        )
    return flow


def _told(error: OidcError) -> PageRefused:
    status = 403 if isinstance(error, Unverified) else 503
    return PageRefused(status, error.reason, str(error))


def _cause(error: OidcError) -> str:
    return error.cause if isinstance(error, Unverified) else repr(error.__cause__)


def _refused_there(error: str) -> PageRefused:
    code = error if _CODE.fullmatch(error) else "without a code"
    return PageRefused(
        403,
        "oidc-refused",
        f"The single sign-on did not let you in ({code}).",
        "Try again, or ask whoever runs it.",
    )


def _unknown(subject: str) -> PageRefused:
    """Nobody registers here by themselves."""
    return PageRefused(
        403,
        "oidc-unknown",
        "The single sign-on knows you, but no account of the reading room is open to you.",
        f"Give whoever keeps the accounts this OIDC subject: {subject}",
    )
