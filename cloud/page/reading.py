"""A reader before a slide: what a request to any route of a slide is about."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from fastapi import Depends, Form, Query, Request

from cloud.accounts.people import Account
from cloud.index.case import load_case
from cloud.index.index import IndexTroubleError, SlideKey
from cloud.page.door import reader
from cloud.page.draft import Draft
from cloud.page.gallery import shown_of
from cloud.page.refused import PageRefused, no_such_slide
from cloud.page.room import Room
from cloud.page.slide_view import SlideView, view_of
from cloud.page.still_allowed import amends
from cloud.page.waiting import Whose
from cloud.reports.gather import ReportError
from cloud.reviews.desk import Case
from wire import topics

_WORDS: Final = 400
"""Characters of what a page says that it shows."""

_log = structlog.get_logger("cloud.page")


@dataclass(frozen=True, slots=True)
class Screen:
    """What a page says of itself."""

    number: int
    """Of the last entry that it shows."""
    shown: str
    """`Case.shown` of what it shows."""
    bins: str
    """How many cells of each bin; see `gallery.shown_of`."""
    have: str
    """Digests of its bins."""
    promised: str = ""
    """Id of the act of which the page does not know yet how it ended."""


def form_screen(
    number: Annotated[int, Form(ge=0, le=10**9)],
    shown: Annotated[str, Form(max_length=64)] = "",
    bins: Annotated[str, Form(max_length=_WORDS)] = "",
    have: Annotated[str, Form(max_length=_WORDS)] = "",
    promised: Annotated[str, Form(max_length=64)] = "",
) -> Screen:
    """Of a form; a dependency of routes."""
    return Screen(number, shown, bins, have, promised)


def query_screen(
    number: Annotated[int, Query(ge=0, le=10**9)] = 0,
    shown: Annotated[str, Query(max_length=64)] = "",
    bins: Annotated[str, Query(max_length=_WORDS)] = "",
    have: Annotated[str, Query(max_length=_WORDS)] = "",
    promised: Annotated[str, Query(max_length=64)] = "",
) -> Screen:
    """Of an address; a dependency of routes."""
    return Screen(number, shown, bins, have, promised)


@dataclass(frozen=True, slots=True)
class Reading:
    """Who looks at which slide."""

    key: SlideKey
    me: Account

    @property
    def whose(self) -> Whose:
        """For `Waiting`."""
        return self.key, self.me.name


def reading(
    request: Request, site: str, slide: str, me: Annotated[Account, Depends(reader)]
) -> Reading:
    """A dependency of routes; whether there is such a slide is found out later."""
    try:
        key = SlideKey(topics.checked_name(site, "site"), topics.checked_name(slide, "slide"))
    except topics.TopicError as error:
        raise no_such_slide() from error
    return Reading(key, me)


async def case_now(room: Room, key: SlideKey) -> Case:
    """The slide from the projection.

    Raises:
        PageRefused: `slide-unknown`; `slide-not-shown`.
    """
    try:
        case = await asyncio.to_thread(load_case, room.index, *key)
    except IndexTroubleError as error:
        raise _not_shown(key, error) from error
    if case is None:
        raise no_such_slide()
    return case


def may_amend(room: Room, me: Account) -> bool:
    """Where two readers sign, one of them alone does not change what both have signed."""
    return amends(me, second_reader=room.settings.second_reader)


async def seen_by(
    room: Room, case: Case, me: Account, bins: str = "", draft: Draft | None = None
) -> SlideView:
    """What this reader sees of it.

    Raises:
        PageRefused: `slide-not-shown`.
    """
    try:
        return await asyncio.to_thread(
            view_of, case, me.name, shown_of(bins), draft, may_amend=may_amend(room, me)
        )
    except ReportError as error:
        first = next(iter(case.slide.results.values()))
        raise _not_shown(SlideKey(first.site, first.slide), error) from error


def _not_shown(key: SlideKey, error: Exception) -> PageRefused:
    """Rather nothing than figures that nobody signed, or cells that nobody found."""
    _log.error("slide_not_shown", site=key.site, slide=key.slide, exc_info=error)
    return PageRefused(
        503,
        "slide-not-shown",
        f"This slide is not shown: {error}.",
        "Tell whoever runs the reading room: leukoscope-cloud reindex makes its database anew.",
    )
