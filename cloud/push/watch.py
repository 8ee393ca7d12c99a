"""When a slide needs somebody: it is urgent, or waits for a second reader. Each is told once."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import sqlalchemy as sa
import structlog

from cloud.accounts.trouble import AccountsTroubleError
from cloud.index.index import Index, SlideKey
from cloud.index.tables import entries, of_slide, slides
from cloud.live.news import News
from cloud.push.push import Push
from cloud.reviews.entry import Amend, Entry, Propose, Reclassify, Sign, Waive

_MOST_ENTRIES: Final = 50
"""That are searched for a proposal: behind it come looks at cells and remarks only."""

_AGAIN_S: Final = 5.0
"""After which everything is looked at anew where a database did not answer."""

_log = structlog.get_logger("cloud.push")


@dataclass(frozen=True)
class Need:
    """Why a slide needs somebody."""

    key: SlideKey
    why: Literal["urgent", "second-reader"]
    number: int = 0
    """Of the entry that asks for it."""
    by: str = ""
    """Who asks, and need not be told."""


class Watch:
    """Follows the news and has readers told.

    Args:
        index: the projection.
        news: of slides.
        push: tells.
    """

    def __init__(self, index: Index, news: News, push: Push) -> None:
        self._index = index
        self._news = news
        self._push = push

    async def keep(self) -> None:
        """Follow until the news end, or cancelled."""
        follower = self._news.follow()
        behind = not await self._done(self._look_at_all)
        async for change in follower:
            if behind:
                await asyncio.sleep(_AGAIN_S)
                behind = not await self._done(self._look_at_all)
            elif change is not None and change.kind in ("fields", "review"):
                behind = not await self._done(self._look_at, change.key)

    async def _done(self, look: Callable[..., None], *keys: SlideKey) -> bool:
        try:
            await asyncio.to_thread(look, *keys)
        except (sa.exc.SQLAlchemyError, AccountsTroubleError) as error:
            _log.warning("push_looks_again", cause=type(error).__name__)
            return False
        return True

    def _look_at_all(self) -> None:
        self._tell(needs(self._index))

    def _look_at(self, key: SlideKey) -> None:
        self._tell(needs(self._index, key))

    def _tell(self, found: list[Need]) -> None:
        """One push, however many slides: all that it says is that there is one."""
        first = [need for need in found if self._push.first_time(need.key, need.why, need.number)]
        if first:
            askers = {need.by for need in first}
            wanted = self._push.needs_you(but=askers.pop() if len(askers) == 1 else "")
            _log.info("push_wanted", slides=len(first), devices=wanted)


def needs(index: Index, key: SlideKey | None = None) -> list[Need]:
    """What a slide, or every one, needs now.

    Raises:
        SQLAlchemyError: the projection does not answer.
    """
    where = sa.true() if key is None else of_slide(slides, key)
    urgent = sa.and_(slides.c.rank == 0, slides.c.done.is_(False))
    reviewed = slides.c.state == "in review"
    columns = (slides.c.site, slides.c.slide, urgent.label("urgent"), reviewed.label("reviewed"))
    found = []
    with index.engine.connect() as connection:
        query = sa.select(*columns).where(where, sa.or_(urgent, reviewed))
        for site, slide, is_urgent, is_reviewed in connection.execute(query).all():
            named = SlideKey(site, slide)
            if is_urgent:
                found.append(Need(named, "urgent"))
            if is_reviewed and (proposal := _proposal(connection, named)):
                found.append(Need(named, "second-reader", proposal.number, proposal.reader))
    return found


def _proposal(connection: sa.Connection, key: SlideKey) -> Entry | None:
    """The proposal that stands, as far as the chain says."""
    query = sa.select(entries.c.entry).where(of_slide(entries, key))
    rows = connection.scalars(query.order_by(entries.c.number.desc()).limit(_MOST_ENTRIES)).all()
    try:
        return _standing(msgspec.json.decode(row, type=Entry) for row in rows)
    except msgspec.MsgspecError:
        _log.warning("push_entry_unreadable", site=key.site, slide=key.slide)
        return None


def _standing(newest_first: Iterable[Entry]) -> Entry | None:
    for entry in newest_first:
        if isinstance(entry.action, Propose):
            return entry
        if isinstance(entry.action, Sign | Amend | Reclassify | Waive):
            return None
    return None
