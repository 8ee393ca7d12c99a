"""News of slides for the pages that are open now; one process, nothing kept, nobody waited for."""

import asyncio
import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from weakref import WeakSet

from cloud.index.index import SlideKey

BEAT_S: Final = 5.0
"""Seconds of silence after which a follower is given None, so that its stream says it lives."""

MOST: Final = 500
"""Followers at a time: a page each. More than a laboratory has tabs, less than hurts."""

_WAITING: Final = 256
"""Changes that wait for a slow follower."""

Kind: TypeAlias = Literal["fields", "review", "signed", "presence", "waiting"]


class TooManyFollowersError(RuntimeError):
    """So many pages are open that this one is not told of changes."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST} pages are open and told of changes, more than this program serves: "
            "close some, then reload"
        )


@dataclass(frozen=True, slots=True)
class Change:
    """Something about a slide is other than it was: look at it again."""

    site: str
    slide: str
    kind: Kind
    """fields: results came; review: an entry without a signature; signed: with one; presence:
    somebody opened or left it; waiting: an act that waited for the store was written."""
    by: str = ""
    """The reader, where one did it."""
    number: int = 0
    """Of the entry, where there is one."""

    @property
    def key(self) -> SlideKey:
        """Which slide."""
        return SlideKey(self.site, self.slide)


class Follower:
    """The changes of one slide or of all, as they come; None after `beat_s` of silence.

    One that is slow is never waited for: of what waits, a later change takes the place of an
    earlier one of the same slide, kind and reader, and of more than 256 the oldest are skipped.
    """

    def __init__(self, slide: SlideKey | None, beat_s: float) -> None:
        self._slide = slide
        self._beat_s = beat_s
        self._waiting: OrderedDict[tuple[str, ...], Change] = OrderedDict()
        self._woken = asyncio.Event()
        self._ended = False

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> Change | None:
        if not self._waiting and not self._ended:
            try:
                async with asyncio.timeout(self._beat_s):
                    await self._woken.wait()
            except TimeoutError:
                return None
        if not self._waiting:  # an end comes behind all that was told before it
            raise StopAsyncIteration
        change = self._waiting.popitem(last=False)[1]
        if not self._waiting and not self._ended:
            self._woken.clear()
        return change

    def _tell(self, change: Change) -> None:
        if self._slide not in (None, change.key):
            return
        same = (change.site, change.slide, change.kind, change.by)
        self._waiting.pop(same, None)
        self._waiting[same] = change
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)
        self._woken.set()

    def _end(self) -> None:
        self._ended = True
        self._woken.set()


class News:
    """Hands each change to all who follow. Made and followed on one event loop.

    Args:
        beat_s: seconds of silence after which a follower is given None.
    """

    def __init__(self, beat_s: float = BEAT_S) -> None:
        self._beat_s = beat_s
        # Weakly: a stream that ended, however it ended, is no follower any more.
        self._followers: WeakSet[Follower] = WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._followers)

    def tell(self, change: Change) -> None:
        """Tell a change; from any thread, returns at once."""
        with self._lock:
            if self._loop is None or self._closed:
                return
            with contextlib.suppress(RuntimeError):  # the program ends: its loop is closed
                self._loop.call_soon_threadsafe(self._spread, change)

    def follow(self, slide: SlideKey | None = None) -> Follower:
        """Follow a slide, or all. Whatever is told from this call on is heard.

        Raises:
            TooManyFollowersError: enough do.
        """
        if len(self._followers) >= MOST:
            raise TooManyFollowersError
        with self._lock:
            self._loop = asyncio.get_running_loop()
        follower = Follower(slide, self._beat_s)
        if self._closed:
            follower._end()  # noqa: SLF001  # its one owner
        self._followers.add(follower)
        return follower

    def close(self) -> None:
        """End all streams; on the loop. What is told afterwards nobody hears."""
        with self._lock:
            self._closed = True
        for follower in list(self._followers):
            follower._end()  # noqa: SLF001  # its one owner

    def _spread(self, change: Change) -> None:
        for follower in list(self._followers):
            follower._tell(change)  # noqa: SLF001  # its one owner
