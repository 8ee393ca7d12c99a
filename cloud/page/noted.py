"""What each session had noted lately, so that an open page's polling costs no lines of the log."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from cloud.index.index import SlideKey

LATELY_S: Final = 3600.0
"""Then a page that is still open costs one line more."""

_MOST: Final = 20_000
"""Entries that are kept; of what was dropped, a line is written once more."""

WORKLIST: Final = SlideKey("", "")
"""Stands for the list of all slides."""

ANY: Final = "*"
"""Stands for any field of a slide."""


class Look(NamedTuple):
    """What a session looks at."""

    session: str
    key: SlideKey
    field: str = ""
    """`device/capture`; empty: the whole slide; ANY: whatever of it."""


class Noted:
    """Remembers, within one program, on its event loop: a restart costs a line for each open page.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: dict[Look, float] = {}
        self._turn = asyncio.Lock()

    def lately(self, look: Look) -> bool:
        """Whether this stands in the log, or the whole slide does."""
        since = self._clock() - LATELY_S
        return any(self._at.get(one, since) > since for one in (look, look._replace(field="")))

    def keep(self, look: Look) -> None:
        """It was noted just now."""
        for one in {look, look._replace(field=ANY)}:
            self._at.pop(one, None)
            self._at[one] = self._clock()
        while len(self._at) > _MOST:
            del self._at[next(iter(self._at))]

    @asynccontextmanager
    async def missing(self, look: Look) -> AsyncIterator[bool]:
        """Whether it is still to be noted, kept when that went well; one at a time.

        Fifty pictures that are asked for at once are one line.
        """
        if self.lately(look):
            yield False
            return
        async with self._turn:
            if self.lately(look):
                yield False
                return
            yield True
            self.keep(look)
