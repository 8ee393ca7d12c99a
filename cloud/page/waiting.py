"""Acts that wait for the store: the page does not wait with them, and they are not lost."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

import structlog

from cloud.index.index import SlideKey
from cloud.live.news import Change, News
from cloud.reviews.desk import Case
from cloud.reviews.rules import ReviewRefused

PATIENCE_S: Final = 4.0
"""How long a page waits for an act; the store answers within a tenth of that, or is away."""

MOST_ENDED: Final = 1000
"""Outcomes that are remembered; the oldest go first."""

Whose: TypeAlias = tuple[SlideKey, str]
"""A slide, and the reader who acts on it."""

Act: TypeAlias = Callable[[], Coroutine[Any, Any, Case]]
"""Begins an act."""

_T = TypeVar("_T")

_log = structlog.get_logger("cloud.page")


@dataclass(frozen=True, slots=True)
class Promise:
    """An act that goes on without the page."""

    id: str
    """No two are the same, also of two runs of the program."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an act ended that a page no longer waited for."""

    refused: ReviewRefused | None
    """None: it was written."""


@dataclass(slots=True)
class _Ended:
    whose: Whose
    outcome: Outcome
    told: bool = False


@dataclass(slots=True)
class _Turn:
    """Of one reader's acts on one slide."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Waiting:
    """Keeps acts going that the store makes wait; on one event loop.

    Args:
        news: told when one of them has come to its end.
        patience_s: how long a page waits.
    """

    def __init__(self, news: News, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self._news = news
        self._acting: set[asyncio.Task[Any]] = set()
        self._turns: dict[Whose, _Turn] = {}
        self._left: dict[Whose, Promise] = {}
        self._ended: dict[str, _Ended] = {}
        self._aside: dict[SlideKey, asyncio.Task[None]] = {}

    def waits(self, whose: Whose) -> bool:
        """Whether an act of this reader on this slide is still to be written."""
        return whose in self._left

    def keeps(self, whose: Whose, promise: str) -> bool:
        """Whether the act of this promise is still to be written."""
        left = self._left.get(whose)
        return left is not None and left.id == promise

    def kept(self, whose: Whose, promise: str) -> Outcome | None:
        """How the act of this promise ended, also where it was told before; None: nobody knows."""
        ended = self._ended.get(promise)
        if ended is None or ended.whose != whose:
            return None
        ended.told = True
        return ended.outcome

    def outcome(self, whose: Whose) -> Outcome | None:
        """How an act of the reader ended, the oldest first; each is told once."""
        for ended in self._ended.values():
            if ended.whose == whose and not ended.told:
                ended.told = True
                return ended.outcome
        return None

    async def within(self, whose: Whose, begin: Act) -> Case | Promise:
        """Do an act, and wait for it as long as a person does; behind those that began before it.

        Returns:
            The slide after it; a promise when it goes on without the page: `outcome` tells, later.

        Raises:
            ReviewRefused: as the act does; `store-away` where one before it waits for the store.
        """
        turn = self._task(self._in_turn(whose, begin))
        try:
            await asyncio.wait({turn})
        finally:  # also where the page has gone away meanwhile
            if not turn.done():
                turn.add_done_callback(lambda _: self._unheard(whose, turn))
        return turn.result()

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

    async def _in_turn(self, whose: Whose, begin: Act) -> Case | Promise:
        async with self._turn(whose):
            if whose in self._left:
                raise still_waits()
            task = self._task(begin())
            await asyncio.wait({task}, timeout=self.patience_s)
            return task.result() if task.done() else self._leave(whose, task)

    @asynccontextmanager
    async def _turn(self, whose: Whose) -> AsyncIterator[None]:
        """One act of a reader on a slide at a time, until it has ended or is left alone."""
        turn = self._turns.setdefault(whose, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[whose]

    def _task(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.ensure_future(work)
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)
        return task

    def _leave(self, whose: Whose, task: asyncio.Task[Case]) -> Promise:
        promise = self._left[whose] = Promise(secrets.token_hex(8))

        def end(_: asyncio.Task[Case]) -> None:
            del self._left[whose]
            self._end(whose, task, promise)

        task.add_done_callback(end)
        return promise

    def _unheard(self, whose: Whose, turn: asyncio.Task[Case | Promise]) -> None:
        """An act whose page has gone away before it could be told."""
        left = not turn.cancelled() and not turn.exception() and isinstance(turn.result(), Promise)
        if not left:
            self._end(whose, turn, Promise(secrets.token_hex(8)))

    def _end(self, whose: Whose, task: asyncio.Task[Any], promise: Promise) -> None:
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
        self._ended[promise.id] = _Ended(whose, Outcome(error))
        while len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        number = 0 if error else task.result().review.number
        self._news.tell(Change(*whose[0], "waiting", whose[1], number))


def it_waits() -> ReviewRefused:
    """Said as long as it does."""
    return ReviewRefused(
        "store-away",
        "The store does not answer. Your change waits for it and is written as soon as it is "
        "back: the page says so. Reading goes on.",
    )


def still_waits() -> ReviewRefused:
    """One act at a time: the next one rests on what the one before has written."""
    return ReviewRefused(
        "store-away",
        "The store does not answer: your last change still waits for it. Reading goes on; this is "
        "not done. The page says when the store has it.",
    )
