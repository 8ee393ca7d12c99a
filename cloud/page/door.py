"""Who is at the door: the account of a request, what it may do, and the note that it did."""

import asyncio
from collections.abc import Callable

from fastapi import Request

from cloud.accounts.people import Account
from cloud.index.index import SlideKey
from cloud.page.noted import ANY, Look
from cloud.page.refused import PageRefused
from cloud.page.room import Room
from cloud.page.views import Viewer


def account(request: Request) -> Account:
    """Whoever is signed in; a dependency of routes, as are the three below."""
    found: Account | None = request.state.account
    if found is None:
        raise PageRefused(401, "sign-in", "You are not signed in.", "Sign in, then go on.")
    return found


def reader(request: Request) -> Account:
    """Somebody who reads slides."""
    return _with_role(request, "Slides are for readers.", "reader", "lead")


def lead(request: Request) -> Account:
    """The lead of the readers."""
    return _with_role(request, "This is for the lead of the readers.", "lead")


def admin(request: Request) -> Account:
    """Whoever keeps the accounts."""
    return _with_role(request, "Accounts are kept by an admin.", "admin")


def overseer(request: Request) -> Account:
    """Whoever may look into the audit log."""
    return _with_role(request, "The audit log is for leads and admins.", "lead", "admin")


def viewer(request: Request) -> Viewer:
    """Whoever looks, for the templates."""
    found: Account | None = request.state.account
    csrf: str = request.state.csrf
    return Viewer(found.name if found else "", found.role if found else None, csrf)


def still_in(room: Room, request: Request) -> Callable[[], bool]:
    """Whether the session of a request goes on; for streams, which outlast the look at the door."""
    session: str | None = request.state.session
    return lambda: room.sessions.of(session) is not None


def address(request: Request) -> str:
    """Where a request came from."""
    return request.client.host if request.client else ""


async def note(
    room: Room, request: Request, did: str, site: str = "", slide: str = "", detail: str = ""
) -> None:
    """Write into the audit log, BEFORE what is noted is shown or done.

    Args:
        room: whose log it is.
        request: says who and from where.
        did: a code, such as `slide-viewed`.
        site: of the slide.
        slide: its token.
        detail: `key=value key=value`; never a reader's own words.

    Raises:
        AccountsTroubleError: it could not be noted: then it is not done.
    """
    who = request.state.account.name if request.state.account else ""
    await asyncio.to_thread(room.audit.note, who, did, site, slide, detail, address(request))


async def note_look(room: Room, request: Request, did: str, key: SlideKey, field: str = "") -> None:
    """Write that something is looked at BEFORE it is shown, unless the session had it noted lately.

    For what an open page asks for by itself; a page that somebody opens has its line each time.

    Args:
        room: whose log it is.
        request: says who and from where.
        did: a code, such as `slide-viewed`.
        key: the slide.
        field: `device/capture`, where it is about one field; see `Look`.

    Raises:
        AccountsTroubleError: it could not be noted: then it is not shown.
    """
    async with room.noted.missing(Look(request.state.session, key, field)) as missing:
        if missing:
            await note(room, request, did, *key, _of_field(field))


async def note_page(room: Room, request: Request, did: str, key: SlideKey, field: str = "") -> None:
    """The same of a page that somebody opens: a line each time."""
    await note(room, request, did, *key, _of_field(field))
    room.noted.keep(Look(request.state.session, key, field))


def _of_field(field: str) -> str:
    return f"field={field}" if field not in {"", ANY} else ""


def _with_role(request: Request, sentence: str, *roles: str) -> Account:
    found = account(request)
    if found.role not in roles:
        raise PageRefused(
            403,
            "role-forbids",
            f"{sentence} You are signed in as {found.name}, {found.role}.",
            "Ask an admin for the role, or sign in with another account.",
        )
    return found
