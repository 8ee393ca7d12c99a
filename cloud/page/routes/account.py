"""One's own account: the password that only its owner should know."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.names import alike
from cloud.accounts.people import Account, By
from cloud.page.door import account as signed_in
from cloud.page.door import address, viewer
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from wire.web.answer import from_htmx
from wire.web.hashing import LONGEST, PasswordBusy

_Me = Annotated[Account, Depends(signed_in)]
_Password = Annotated[str, Form(max_length=LONGEST)]


def account(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/account")
    def page(request: Request, me: _Me) -> Response:
        own = next(one for one in room.accounts.list() if one.name == me.name)
        changed = request.query_params.get("changed") == "1"
        return HTMLResponse(
            room.parts.page("account", viewer=viewer(request), own=own, changed=changed)
        )

    @routes.post("/account/password")
    def password(
        request: Request, me: _Me, old: _Password, new: _Password, again: _Password
    ) -> Response:
        _check(room, request, me, old)
        if new != again:
            raise PageRefused(
                409, "passwords-differ", "The new password was typed in two ways.", "Type it again."
            )
        room.accounts.set_password(me.name, new, By(me.name, address(request)))
        request.state.session = room.sessions.enter(me)  # all others are over
        if from_htmx(request.headers):
            return Response(None, 204, {"HX-Redirect": "/account?changed=1"})
        return RedirectResponse("/account?changed=1", 303)

    return routes


def _check(room: Room, request: Request, me: Account, password: str) -> None:
    """Whoever finds an open screen does not know it."""
    where = address(request)
    if room.logins.wait_s(where, alike(me.name)):
        raise PageRefused(429, "login-wait", "There were too many tries.", "Wait a few minutes.")
    try:
        fits = room.accounts.check_password(me.name, password) is not None
    except PasswordBusy as error:
        raise PageRefused(
            429, "login-wait", "Many are signing in just now.", "Try again in a few seconds."
        ) from error
    if not fits:
        room.audit.note(me.name, "password-refused", address=where)
        raise PageRefused(
            403, "password-wrong", "That is not your password.", "Type the one you sign in with."
        )
    room.logins.entered(where, alike(me.name))
