"""One producer, many followers: work is done once for all, and none while nobody follows."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

import structlog

Thing = TypeVar("Thing")

_log = structlog.get_logger("edge.page")


class _Follower:
    """One open stream, told of news on its own event loop."""

    def __init__(self) -> None:
        self.ended = False
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Wake it, from any thread."""
        with contextlib.suppress(RuntimeError):  # the page was stopped: its loop is closed
            self._loop.call_soon_threadsafe(self._news.set)

    async def wait(self, seconds: float) -> bool:
        """Whether there was news within the time."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Broadcast(Generic[Thing]):
    """Runs `produce` on a thread for as long as there are followers, who get each new thing.

    A thing equal to the one before is no news. A slow follower skips what it was too slow for;
    nothing piles up.

    Args:
        name: of the thread.
        produce: the thing as it is now; blocks and so sets the pace, for a second at most.
    """

    def __init__(self, name: str, produce: Callable[[], Thing]) -> None:
        self._name = name
        self._produce = produce
        self._lock = threading.Lock()
        self._followers: set[_Follower] = set()
        self._thread: threading.Thread | None = None
        self._newest: Thing | None = None
        self._closed = False

    @property
    def followers(self) -> int:
        """How many follow now."""
        return len(self._followers)

    async def follow(self, patience_s: float) -> AsyncIterator[Thing | None]:
        """Every new thing, and None whenever there was none for `patience_s` seconds.

        Ends when the broadcast is closed, or when producing failed.
        """
        follower = _Follower()
        self._join(follower)
        try:
            while not follower.ended:
                news = await follower.wait(patience_s)
                if not follower.ended:
                    yield self._newest if news else None
        finally:
            with self._lock:
                self._followers.discard(follower)

    def close(self) -> None:
        """End all streams, now and for good."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._end_followers()
        if thread is not None:
            thread.join(5)

    def _join(self, follower: _Follower) -> None:
        with self._lock:
            follower.ended = self._closed
            self._followers.add(follower)
            if self._newest is not None:
                follower.tell()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            while self._wanted():
                self._publish(self._produce())
        except Exception:  # noqa: BLE001  # a fault of the program: logged, and the streams end
            with self._lock:
                self._thread = self._newest = None
            self._end_followers()
            _log.exception("page_stream_failed", stream=self._name)

    def _wanted(self) -> bool:
        """Whether to go on; else the thread is given up, under the lock: no follower is missed."""
        with self._lock:
            if self._followers and not self._closed:
                return True
            self._thread = self._newest = None
            return False

    def _publish(self, thing: Thing) -> None:
        with self._lock:
            if thing == self._newest:
                return
            self._newest = thing
            followers = list(self._followers)
        for follower in followers:
            follower.tell()

    def _end_followers(self) -> None:
        with self._lock:
            followers = list(self._followers)
        for follower in followers:
            follower.ended = True
            follower.tell()
