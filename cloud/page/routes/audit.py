"""The audit log, for leads and admins; that somebody looked into it is noted, too."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from cloud.accounts.audit import Wanted
from cloud.accounts.chain import Line
from cloud.accounts.people import Account
from cloud.page.door import address, overseer, viewer
from cloud.page.refused import PageRefused
from cloud.page.room import Room

_PAGE: Final = 100
_Part = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for."""

    slide: str = ""
    who: str = ""
    since: str = ""
    before: int | None = None

    def wanted(self) -> Wanted:
        """In the log's own words.

        Raises:
            PageRefused: `filter-unknown`.
        """
        try:
            day = datetime.fromisoformat(self.since).replace(tzinfo=UTC) if self.since else None
        except ValueError as error:
            raise PageRefused(
                422,
                "filter-unknown",
                "The day is none.",
                "Write it as 2026-05-04, or choose it in the field.",
            ) from error
        return Wanted(slide=self.slide.strip(), who=self.who.strip(), since=day)

    def query(self, **changed: object) -> str:
        """The same as an address, with something changed."""
        plain = {"slide": self.slide, "who": self.who, "since": self.since} | changed
        kept = urlencode({name: value for name, value in plain.items() if value})
        return f"/audit?{kept}" if kept else "/audit"


def asked(
    slide: _Part = "",
    who: _Part = "",
    since: _Part = "",
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Filter:
    """The filter in the address; a dependency of routes."""
    return Filter(slide, who, since, before)


def audit(room: Room) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get("/audit")
    def page(
        request: Request,
        who: Annotated[Account, Depends(overseer)],
        wanted: Annotated[Filter, Depends(asked)],
    ) -> Response:
        lines = wanted.wanted()
        about = room.accounts.known(lines.who) if lines.who else ""
        room.audit.note(who.name, "audit-viewed", address=address(request), account=about)
        found = room.audit.page(lines, wanted.before, _PAGE + 1)
        return HTMLResponse(_page(room, request, wanted, found))

    return routes


def _page(room: Room, request: Request, wanted: Filter, found: list[Line]) -> str:
    shown = found[:_PAGE]
    more = len(found) > _PAGE
    return room.parts.page(
        "audit",
        viewer=viewer(request),
        wanted=wanted,
        lines=shown,
        names=[account.name for account in room.accounts.list()],
        earlier=wanted.query(before=shown[-1].number) if more else "",
        latest=wanted.query() if wanted.before is not None else "",
    )
