"""Keeps the published result of every slide what the bucket says, beside the frames' own way."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from uuid6 import UUID, uuid7

from cloud.reviews.signing import Trusted
from cloud.slides.recount import Recounter
from cloud.slides.signed import SlideName
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire import topics
from wire.codec import encode
from wire.messages import FrameResult

Say = Callable[[str, bytes], Awaitable[None]]
"""Publishes a payload on a topic, retained; returns when the broker has it."""

_ORPHANED: Final = timedelta(hours=1)
"""A worker is done with a slide seconds after its last frame; a note this old has lost its own."""

_PAUSES: Final = 10
"""So many times as long as adding up, and as the shortest pause, is the longest pause."""

_log = structlog.get_logger("cloud.slides")


@dataclass(slots=True)
class _Due:
    """A slide whose published result may not be what the bucket says."""

    notes: list[str] = field(default_factory=list)
    """Keys in the bucket that say so, for whoever starts after us."""
    noted: asyncio.Future[None] | None = None
    working: int = 0
    """Frames of it that are being stored."""
    changed: int = 0
    settled: int = 0
    """The `changed` that was published."""


class SlideSums:
    """Recounts a slide when its frames are stored, and publishes until that stands.

    Why several of these, on one slide and killed at any moment, end with the same: decision 018.

    Args:
        worker: its name, kept over restarts.
        objects: the bucket.
        say: how a slide's result is published.
        trouble: told a sentence when a slide could not be added up, or is signed and is not
            published so, for no trusted key did; None when all went well.
        trusted: keys whose signatures make a slide signed.
        pause_s: frames of a burst are added up together after this many seconds, or after ten times
            what adding up took last, so that it never takes more than a tenth of the time.
        again_s: after a failure it is tried again after this many seconds.
    """

    def __init__(
        self,
        worker: str,
        objects: Objects,
        say: Say,
        trouble: Callable[[str | None], None],
        *,
        trusted: Trusted,
        pause_s: float = 1.0,
        again_s: float = 5.0,
    ) -> None:
        self._worker = worker
        self._objects = objects
        self._say = say
        self._trouble = trouble
        self._pause_s = pause_s
        self._again_s = again_s
        self._recounter = Recounter(objects, trusted)
        self._due: dict[SlideName, _Due] = {}
        self._wake = asyncio.Event()

    @contextlib.asynccontextmanager
    async def expecting(self, site: str, slide: str) -> AsyncIterator[None]:
        """Around the storing of a frame: a note first, so that no crash leaves the slide behind."""
        due = self._due.setdefault(SlideName(site, slide), _Due())
        due.working += 1
        try:
            if due.noted is None:
                due.noted = asyncio.ensure_future(self._note(due, site, slide))
            await asyncio.shield(due.noted)
            yield
        finally:
            due.working -= 1
            due.changed += 1
            self._wake.set()

    def know(self, result: FrameResult) -> None:
        """Take note of a result that this worker has just created; saves reading it."""
        self._recounter.know(result)

    def repeat(self) -> None:
        """Publish again what was published of late: a broker may have lost what it retained."""
        for name in self._recounter.recent:
            self._due.setdefault(name, _Due()).changed += 1
        self._wake.set()

    async def keep(self) -> None:
        """Add up whatever is due, until cancelled; begins with what an earlier run left."""
        await self._adopt()
        pause_s = self._pause_s
        while True:
            await self._wake.wait()
            await asyncio.sleep(pause_s)
            self._wake.clear()
            begun = time.perf_counter()
            await self._settle_all()
            took_s = time.perf_counter() - begun
            pause_s = min(max(self._pause_s, _PAUSES * took_s), self._pause_s * _PAUSES)

    async def finish(self, timeout_s: float) -> None:
        """At the end: add up what is due, as far as time allows. The notes keep the rest."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settle_all(), timeout_s)
        if self._due:
            _log.warning("slides_left_for_next_start", slides=len(self._due))

    async def _settle_all(self) -> None:
        well = True
        for name, due in list(self._due.items()):
            if due.changed == due.settled:
                continue
            try:
                await self._settle(name, due)
            except Exception as error:  # noqa: BLE001  # told, tried again: frames must go on meanwhile
                well = False
                _log.exception("slide_not_added_up", site=name.site, slide=name.slide)
                self._trouble(f"slide {name.slide} was not added up: {type(error).__name__}")
        if well:
            self._trouble(self._recounter.doubt)
        else:
            asyncio.get_running_loop().call_later(self._again_s, self._wake.set)

    async def _settle(self, name: SlideName, due: _Due) -> None:
        seen = due.changed
        await self._publish(name)
        due.settled = seen
        if due.changed == seen and due.working == 0:
            del self._due[name]
            for note in due.notes:
                await self._objects.delete(note)

    async def _publish(self, name: SlideName) -> None:
        """Publish, and count once more after the broker has it: another worker may have been at it.

        Whoever's word is the last at the broker has counted after that, and found it true.
        """
        result = await self._recounter.count(name)
        while result is not None:
            await self._say(topics.slides(*name), encode(result))
            again = await self._recounter.count(name)
            if again == result:
                return
            result = again

    async def _note(self, due: _Due, site: str, slide: str) -> None:
        key = keys.slide_due(self._worker, site, slide, str(uuid7()))
        due.notes.append(key)  # before it is there: a try whose answer is lost leaves one, too
        await self._objects.put(key, self._worker.encode())

    async def _adopt(self) -> None:
        """Take over the notes of this worker's last run, and those that nobody will come for."""
        own = keys.worker_part(self._worker)
        for key in await self._objects.sizes(keys.SLIDES_DUE):
            note = keys.read_slide_due(key)
            if note is not None and (note.worker == own or _age(note.note) > _ORPHANED):
                due = self._due.setdefault(SlideName(note.site, note.slide), _Due())
                if key not in due.notes:
                    due.notes.append(key)
                due.changed += 1
                self._wake.set()


def _age(note: str) -> timedelta:
    try:
        written = datetime.fromtimestamp(UUID(note).time / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return timedelta.max  # nobody's: adding a slide up once more harms nothing
    return datetime.now(UTC) - written
