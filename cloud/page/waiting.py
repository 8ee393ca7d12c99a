"""Acts that wait for the store: the page does not wait with them, and they are not lost."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import structlog

from cloud.index.index import SlideKey
from cloud.live.news import Change, News
from cloud.reviews.desk import Case
from cloud.reviews.rules import ReviewRefused

PATIENCE_S: Final = 4.0
"""How long a page waits for an act; the store answers within a tenth of that, or is away."""

Whose: TypeAlias = tuple[SlideKey, str]
"""A slide, and the reader who acts on it."""

_log = structlog.get_logger("cloud.page")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an act ended that a page no longer waited for."""

    refused: ReviewRefused | None
    """None: it was written."""


class Waiting:
    """Keeps acts going that the store makes wait; on one event loop.

    Args:
        news: told when one of them has come to its end.
        patience_s: how long a page waits.
    """

    def __init__(self, news: News, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self._news = news
        self._acting: set[asyncio.Task[Case]] = set()
        self._left: dict[Whose, asyncio.Task[Case]] = {}
        self._ended: dict[Whose, Outcome] = {}
        self._aside: dict[SlideKey, asyncio.Task[None]] = {}

    def waits(self, whose: Whose) -> bool:
        """Whether an act of this reader on this slide is still to be written."""
        return whose in self._left

    def outcome(self, whose: Whose) -> Outcome | None:
        """How the reader's act ended; told once."""
        return self._ended.pop(whose, None)

    async def within(self, whose: Whose, act: Coroutine[Any, Any, Case]) -> Case | None:
        """Do an act, and wait for it as long as a person does.

        Returns:
            The slide after it; None when it goes on without the page: `outcome` tells, later.

        Raises:
            ReviewRefused: as the act does.
        """
        task = asyncio.ensure_future(act)
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)
        try:
            await asyncio.wait({task}, timeout=self.patience_s)
        finally:  # also where the page has gone away meanwhile
            if not task.done():
                self._leave(whose, task)
        return task.result() if task.done() else None

    def aside(self, key: SlideKey, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something about a slide that nobody waits for, one such at a time."""
        if key in self._aside:
            return
        task = asyncio.ensure_future(work())
        self._aside[key] = task
        task.add_done_callback(lambda _: self._end_aside(key, task))

    async def close(self) -> None:
        """Give up what is not written yet: nobody was told that it was."""
        under_way: list[asyncio.Task[Any]] = [*self._acting, *self._aside.values()]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _end_aside(self, key: SlideKey, task: asyncio.Task[None]) -> None:
        del self._aside[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("aside_failed", site=key.site, slide=key.slide, exc_info=error)

    def _leave(self, whose: Whose, task: asyncio.Task[Case]) -> None:
        self._left[whose] = task
        task.add_done_callback(lambda _: self._end(whose, task))

    def _end(self, whose: Whose, task: asyncio.Task[Case]) -> None:
        del self._left[whose]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, ReviewRefused):
            _log.error("act_failed", site=whose[0].site, slide=whose[0].slide, exc_info=error)
            error = ReviewRefused(
                "act-failed",
                "Your change that waited for the store was not written, by a fault of the program: "
                "look at the slide, and do it again.",
            )
        self._ended[whose] = Outcome(error)
        number = 0 if error else task.result().review.number
        self._news.tell(Change(*whose[0], "waiting", whose[1], number))


def still_waits() -> ReviewRefused:
    """One act at a time: the next one rests on what the one before has written."""
    return ReviewRefused(
        "store-away",
        "The store does not answer: your last change still waits for it. Reading goes on; this is "
        "not done. The page says when the store has it.",
    )
