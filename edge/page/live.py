"""Server-sent events: the parts whose HTML changed, rendered once for all who watch."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from edge.desk import Desk
from edge.page.broadcast import Broadcast
from edge.page.guard.door import STALE
from edge.page.parts import Parts
from edge.page.reading import Reading

BEAT_S: Final = 5.0
"""Seconds of silence after which the stream says that it lives. An event, not a comment: the page
tells its reader when none comes."""

_BEAT: Final = "event: beat\ndata:\n\n"
_LOOK_S: Final = 0.5
"""How often the needles move, in seconds."""

_LEAST_S: Final = 0.1
"""Between two renderings: a scan changes the state faster than anybody reads."""


class Live:
    """Tells open pages what changed.

    Args:
        desk: whose changes are told.
        reading: what is shown of it.
        parts: renders.
    """

    def __init__(self, desk: Desk, reading: Reading, parts: Parts) -> None:
        self._desk = desk
        self._reading = reading
        self._parts = parts
        self._seen_version = -1
        self._renderings = Broadcast("page-live", self._next)

    async def events(self, may_look: Callable[[], bool]) -> AsyncIterator[str]:
        """The stream of one page; `stale` at its end when `may_look` denies it."""
        # A refusal of the page's own may be shown by now: that there is none elsewhere is no news.
        told: dict[str, str] = {"error": ""}
        yield "retry: 2000\n\n"
        async for parts in self._renderings.follow(BEAT_S):
            if not may_look():
                yield STALE
                return
            changed = {name: html for name, html in (parts or {}).items() if told.get(name) != html}
            told.update(changed)
            yield "".join(map(_event, changed, changed.values())) or _BEAT

    def close(self) -> None:
        """End all streams."""
        self._renderings.close()

    def _next(self) -> dict[str, str]:
        time.sleep(_LEAST_S)
        state = self._desk.wait(self._seen_version, _LOOK_S)
        self._seen_version = state.version
        return self._parts.all(self._reading.now(state))


def _event(name: str, html: str) -> str:
    """`part-NAME`: an event named `error` would call the browser's handler of broken streams."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines() or [""])
    return f"event: part-{name}\n{lines}\n"
