"""The worklist's changing parts, made once for all who look at the same of it."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from cloud.index.index import Index
from cloud.live.presence import Presence
from cloud.page.asked import Asked
from cloud.page.lines import listed
from cloud.page.parts import Parts
from cloud.page.tally import Tally

PARTS: Final = ("ranks", "lines")
"""By the names of their templates in parts/."""

_MOST: Final = 64
"""Filters whose last rendering is kept."""


@dataclass(slots=True)
class _Made:
    html: dict[str, str] = field(default_factory=dict)
    begun: float = -1.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Board:
    """Renders; on one event loop. Fifty readers who hear of a change cost one rendering a filter.

    Args:
        index: the projection.
        presence: who reads what.
        parts: the templates.
    """

    def __init__(self, index: Index, presence: Presence, parts: Parts) -> None:
        self._index = index
        self._presence = presence
        self._parts = parts
        self._tally = Tally(index)
        self._made: OrderedDict[Asked, _Made] = OrderedDict()

    async def parts(self, asked: Asked, since: float) -> dict[str, str]:
        """The HTML of each part, made no earlier than `since` (of `time.monotonic`)."""
        made = self._made.setdefault(asked, _Made())
        self._made.move_to_end(asked)
        while len(self._made) > _MOST:
            self._made.popitem(last=False)
        async with made.turn:
            if made.begun < since:
                begun = time.monotonic()
                made.html = await asyncio.to_thread(self._render, asked, since)
                made.begun = begun
            return made.html

    def _render(self, asked: Asked, since: float) -> dict[str, str]:
        counted = self._tally.totals(since)
        context = listed(self._index, self._presence, asked, counted).context()
        return {name: self._parts.part(name, **context) for name in PARTS}
