"""How an act is carried out: noted, written, taken into the projection, told, and answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
import structlog
from fastapi.responses import HTMLResponse

from cloud.index.case import put_case
from cloud.index.worklist import one
from cloud.live.news import Change, Kind
from cloud.page.draft import Draft
from cloud.page.reading import Reading, Screen, case_now, seen_by
from cloud.page.refused import no_such_slide
from cloud.page.room import Room
from cloud.page.show_slide import Shows
from cloud.page.waiting import Promise, it_waits
from cloud.reviews.desk import Case
from cloud.reviews.rules import OvertakenError, ReviewRefused

_LOOK_S: Final = 2.0
"""How long the bucket is looked at for what somebody else did, before the projection has to do."""

_AWAY: Final = frozenset({"store-away", "database-away"})

_log = structlog.get_logger("cloud.page")


@dataclass(frozen=True, slots=True)
class Deed:
    """One act."""

    did: str
    """For the audit log."""
    work: Callable[[], Awaitable[Case]]
    """Writes it, and gives the slide after it."""
    detail: str = ""
    """For the audit log: `key=value`."""
    said: str = ""
    """To whoever did it."""
    shows: bool = False
    """Whether that is shown in passing, too: the page itself hardly looks other than before."""
    light: bool = False
    """Changes neither figures nor bins."""
    signs: bool = False
    draft: Draft | None = None
    """Of the amendment that it is: where that is refused, the page goes on showing it."""


class DoneInPartError(ReviewRefused):
    """Some of an act's entries are written, and there for ever; the rest was refused."""

    def __init__(self, reason: str, sentence: str, case: Case) -> None:
        super().__init__(reason, sentence)
        self.case = case


class Acts:
    """Carries acts out.

    Args:
        room: where.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._shows = Shows(room.parts, room.settings)

    async def answer(self, mine: Reading, screen: Screen, deed: Deed, address: str) -> HTMLResponse:
        """Do it, and answer with the parts that the page shows from now on.

        Args:
            mine: who, and on which slide.
            screen: what they had before them.
            deed: what they do.
            address: where the request came from.

        Raises:
            PageRefused: `slide-unknown`.
        """
        room = self._room
        if await asyncio.to_thread(one, room.index, *mine.key) is None:
            raise no_such_slide()
        try:
            case = await room.waiting.within(
                mine.whose, lambda: self._carry_out(mine, deed, address)
            )
        except ReviewRefused as refused:
            return await self._refused(mine, screen, deed, refused)
        if isinstance(case, Promise):
            return await self._waits(mine, screen, case)
        return await self._done(mine, screen, deed, case)

    async def _carry_out(self, mine: Reading, deed: Deed, address: str) -> Case:
        rest = (*mine.key, deed.detail, address)
        in_part: DoneInPartError | None = None
        async with self._room.audit.act(mine.me.name, deed.did, *rest):
            if deed.signs:
                await self._hold_page_to_bucket(mine)
            try:
                case = await deed.work()
            except DoneInPartError as error:
                in_part, case = error, error.case
        await self._written(mine, deed, case)
        if in_part is not None:
            did = f"{deed.did}-in-part"
            await asyncio.to_thread(self._room.audit.note, mine.me.name, did, *rest)
            raise in_part
        return case

    async def _written(self, mine: Reading, deed: Deed, case: Case) -> None:
        await self._take_in(case)
        kind: Kind = "signed" if deed.signs and case.review.reports else "review"
        self._room.news.tell(Change(*mine.key, kind, mine.me.name, case.review.number))

    async def _hold_page_to_bucket(self, mine: Reading) -> None:
        """Nobody signs other figures than those that the page showed (decision 022).

        Raises:
            OvertakenError: the database was altered, and the page with it.
        """
        case = await self._room.desk.load(*mine.key)
        if not await asyncio.to_thread(put_case, self._room.index, case):
            raise OvertakenError("The page did not show this slide as it is stored; it does now")

    async def _take_in(self, case: Case) -> None:
        """Into the projection. What is written is written, also where this fails."""
        try:
            await asyncio.to_thread(put_case, self._room.index, case)
        except sa.exc.SQLAlchemyError as error:
            _log.error("projection_behind", cause=type(error).__name__, exc_info=error)

    async def _done(self, mine: Reading, screen: Screen, deed: Deed, case: Case) -> HTMLResponse:
        view = await seen_by(self._room, case, mine.me, screen.bins)
        # The page has all but this one entry; else there is more that it has to show.
        next_one = case.review.number == screen.number + 1 and case.shown == screen.shown
        said = _said(deed, case)
        html = await asyncio.to_thread(
            self._shows.answer,
            view,
            said=said,
            have=screen.have.split(),
            light=deed.light and next_one,
        )
        headers = {"HX-Trigger": _trigger(said)} if deed.shows else {}
        return HTMLResponse(html, headers=headers)

    async def _refused(
        self, mine: Reading, screen: Screen, deed: Deed, refused: ReviewRefused
    ) -> HTMLResponse:
        case = await self._newest(mine, refused)
        view = await seen_by(self._room, case, mine.me, screen.bins, deed.draft)
        html = await asyncio.to_thread(
            self._shows.answer, view, refused=refused, have=screen.have.split()
        )
        return HTMLResponse(html, 503 if refused.reason in _AWAY else 409)

    async def _newest(self, mine: Reading, refused: ReviewRefused) -> Case:
        """What it was refused for: of others' acts the projection may not know yet."""
        if isinstance(refused, OvertakenError):
            try:
                async with asyncio.timeout(_LOOK_S):
                    case = await self._room.desk.load(*mine.key)
            except (TimeoutError, ReviewRefused):
                pass  # the projection has to do; the refusal itself is shown all the same
            else:
                await self._take_in(case)
                return case
        return await case_now(self._room, mine.key)

    async def _waits(self, mine: Reading, screen: Screen, promise: Promise) -> HTMLResponse:
        view = await seen_by(self._room, await case_now(self._room, mine.key), mine.me, screen.bins)
        html = await asyncio.to_thread(
            self._shows.answer,
            view,
            refused=it_waits(),
            have=screen.have.split(),
            promise=promise.id,
            fate="waits",
        )
        return HTMLResponse(html, 202)


def _said(deed: Deed, case: Case) -> str:
    if deed.signs and case.proposal is not None:
        return "You have signed as the first of two readers: another one has to sign, too."
    return deed.said


def _trigger(said: str) -> str:
    """In ASCII, as headers are."""
    return json.dumps({"say": said})
