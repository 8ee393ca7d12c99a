"""News in batches, so that a page is not made anew more often than anybody reads."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Final

from cloud.live.news import Change

_MOST: Final = 256
"""In a batch: of a page that is read too slowly for more, the oldest are skipped."""


async def paced(
    news: AsyncIterator[Change | None], least_s: float, *, at_once: bool = False
) -> AsyncGenerator[list[Change], None]:
    """What came since the last time, never two batches within `least_s` seconds.

    The first change after a silence is handed on at once. An empty batch is the beat of a silence.
    Ends when the news end.

    Args:
        news: changes, and None as a beat.
        least_s: between two batches.
        at_once: begin with an empty batch.
    """
    gathered: list[Change] = []
    woken = asyncio.Event()

    async def gather() -> None:
        try:
            async for change in news:
                gathered.extend([change] if change else [])
                del gathered[:-_MOST]
                woken.set()
        finally:
            woken.set()

    gathering = asyncio.ensure_future(gather())
    try:
        if at_once:
            yield []
            await asyncio.wait([gathering], timeout=least_s)
        while not gathering.done() or gathered:
            await woken.wait()
            woken.clear()
            batch, gathered[:] = gathered[:], []
            if batch or not gathering.done():
                yield batch
                await asyncio.wait([gathering], timeout=least_s)
        await gathering  # what ended it is the caller's to know
    finally:
        gathering.cancel()
        with suppress(asyncio.CancelledError):
            await gathering
