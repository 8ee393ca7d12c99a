"""People: an admin adds accounts, gives roles and passwords, disables and enables."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.names import LONGEST_ALIKE, alike
from cloud.accounts.people import ROLES, Account, By, checked_role
from cloud.accounts.trouble import AccountRefused
from cloud.page.door import address, admin, viewer
from cloud.page.room import Room
from wire.web.answer import from_htmx
from wire.web.hashing import LONGEST

_Name = Annotated[str, Form(max_length=LONGEST_ALIKE)]
_Role = Annotated[str, Form(max_length=20)]
_Password = Annotated[str, Form(max_length=LONGEST)]
_Subject = Annotated[str, Form(max_length=300)]
_Admin = Annotated[Account, Depends(admin)]

_MEANING: Final = {
    "reader": "works through slides, signs",
    "lead": "the same, amends, sees the audit log",
    "admin": "keeps accounts, sees the audit log, opens no slide",
}
"""Of the roles, in words."""


def people(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/people")
    def page(request: Request, who: _Admin) -> Response:
        room.audit.note(who.name, "people-viewed", address=address(request))
        return HTMLResponse(_page(room, request, who))

    @routes.post("/people/add")
    def add(
        request: Request,
        who: _Admin,
        name: _Name,
        role: _Role,
        password: _Password = "",
        subject: _Subject = "",
    ) -> Response:
        oidc = (_issuer(room), subject.strip()) if subject.strip() else None
        room.accounts.add(name.strip(), checked_role(role), password, oidc, _by(request, who))
        return _back(request)

    @routes.post("/people/role")
    def role(request: Request, who: _Admin, name: _Name, role: _Role) -> Response:
        _not_oneself(who, name)
        room.accounts.change_role(name, checked_role(role), _by(request, who))
        return _back(request)

    @routes.post("/people/password")
    def password(request: Request, who: _Admin, name: _Name, password: _Password) -> Response:
        room.accounts.set_password(name, password, _by(request, who))
        return _back(request)

    @routes.post("/people/subject")
    def subject(request: Request, who: _Admin, name: _Name, subject: _Subject) -> Response:
        room.accounts.set_subject(name, _issuer(room), subject.strip(), _by(request, who))
        return _back(request)

    @routes.post("/people/disable")
    def disable(request: Request, who: _Admin, name: _Name) -> Response:
        _not_oneself(who, name)
        return _done(request, room.accounts.disable, name, who)

    @routes.post("/people/enable")
    def enable(request: Request, who: _Admin, name: _Name) -> Response:
        return _done(request, room.accounts.enable, name, who)

    return routes


def _done(
    request: Request, change: Callable[[str, By], Account], name: str, who: Account
) -> Response:
    change(name, _by(request, who))
    return _back(request)


def _by(request: Request, who: Account) -> By:
    return By(who.name, address(request))


def _not_oneself(who: Account, name: str) -> None:
    """So that there is always an admin left who can undo it."""
    if alike(name) == alike(who.name):
        raise AccountRefused(
            "own-account",
            "An admin neither disables nor changes the role of the own account: ask another admin, "
            "or whoever runs the program (`leukoscope-cloud user`).",
        )


def _issuer(room: Room) -> str:
    if room.settings.oidc is None:
        raise AccountRefused("oidc-off", "No OIDC provider is set: leave the subject out.")
    return room.settings.oidc.issuer


def _back(request: Request) -> Response:
    """To the list as it is now."""
    if from_htmx(request.headers):
        return Response(None, 204, {"HX-Redirect": "/people"})
    return RedirectResponse("/people", 303)


def _page(room: Room, request: Request, who: Account) -> str:
    return room.parts.page(
        "people",
        viewer=viewer(request),
        people=room.accounts.list(),
        roles=[(role, _MEANING[role]) for role in ROLES],
        own=who.name,
        oidc=room.settings.oidc is not None,
    )
