"""Makes the projection anew from the bucket, and mends the one in use where it differs.

The new one is made beside it, in a file of its own, so that readers and writers go on meanwhile.
Then both are held against each other, slide by slide. That is the proof that the projection holds
nothing of its own: what the bucket does not say is not in the new one, and goes from the old one.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from cloud.index.case import stored_results
from cloud.index.chain import Chain
from cloud.index.index import Index, SlideKey
from cloud.index.sound import read_sound, reviewed
from cloud.reviews.signing import Trusted
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.codec import MessageError, decode
from wire.messages import FrameResult

_AT_A_TIME: Final = 32
"""Requests under way."""
_BATCH: Final = 500
"""Results a transaction."""

_log = structlog.get_logger("cloud.index")


class Report(Struct):
    """What a reindex found."""

    results: int = 0
    """Stored results that were read."""
    slides: int = 0
    """Slides that the bucket has."""
    mended: list[str] = []
    """`site/slide` of those that the projection had otherwise, not at all, or of its own."""
    unreadable: list[str] = []
    """Keys of results that this version cannot read; the projection is without them."""
    unsound: dict[str, str] = {}
    """`site/slide` of those whose reviews are not as they were written, and what is wrong; the
    projection is without these reviews, and shows the slides as open."""
    entries_written: int = 0
    """Slide entries that were missing: of results of an earlier version (decision 018)."""

    @property
    def same(self) -> bool:
        """Whether the projection was what the bucket says."""
        return not self.mended


class Reindexer:
    """One run.

    Args:
        objects: the bucket.
        index: the projection in use.
        said: told in sentences how far it is.
        trusted: keys whose signatures count; without any, signatures are not asked for.
        mend: False only looks, and writes nothing anywhere.
    """

    def __init__(
        self,
        objects: Objects,
        index: Index,
        said: Callable[[str], None],
        *,
        trusted: Trusted | None = None,
        mend: bool = True,
    ) -> None:
        self._objects = objects
        self._index = index
        self._said = said
        self._trusted = trusted or {}
        self._mend = mend
        self._gate = asyncio.Semaphore(_AT_A_TIME)
        self.report = Report()

    async def run(self) -> Report:
        """Make anew, compare, mend."""
        with tempfile.TemporaryDirectory(prefix="leukoscope-reindex-") as folder:
            fresh = Index(f"sqlite:///{Path(folder) / 'fresh.sqlite'}")
            try:
                await self._make(fresh)
                await self._compare(fresh)
            finally:
                fresh.close()
        return self.report

    async def _make(self, fresh: Index) -> None:
        stored = await self._objects.sizes(keys.RESULTS)
        entries = await self._objects.sizes(keys.SLIDES)
        self._said(f"{len(stored)} results in the bucket")
        for batch in _batches(stored):
            results = await self._read(batch)
            await self._write_entries(results, entries)
            await asyncio.to_thread(fresh.put, results)
            self.report.results += len(results)
            self._said(f"{self.report.results} of {len(stored)} read")
        for key in await reviewed(self._objects):
            held = await asyncio.to_thread(stored_results, fresh, key)
            found = await self._chain(key, held)
            await asyncio.to_thread(fresh.put_entries, key, *found)

    async def _chain(self, key: SlideKey, held: Sequence[FrameResult]) -> Chain:
        """A slide's chain; nothing of one that is not sound, and that is named."""
        found, wrong = await read_sound(self._objects, key, held, self._trusted)
        name = f"{key.site}/{key.slide}"
        self.report.unsound.pop(name, None)
        if wrong:
            kinds = ", ".join(dict.fromkeys(finding.kind for finding in wrong))
            self.report.unsound[name] = f"from entry {wrong[0].number} on: {kinds}"
            _log.error("reviews_not_indexed", **key._asdict(), findings=len(wrong))
        return found

    async def _read(self, batch: Sequence[str]) -> list[FrameResult]:
        read = await asyncio.gather(*(self._read_one(key) for key in batch))
        return [result for result in read if result is not None]

    async def _read_one(self, key: str) -> FrameResult | None:
        async with self._gate:
            data = await self._objects.get(key)
        if data is None:
            return None
        try:
            return decode(data, FrameResult)
        except MessageError as error:
            _log.error("result_not_indexed", key=key, reason=error.reason, detail=str(error))
            self.report.unreadable.append(key)
            return None

    async def _write_entries(self, results: Iterable[FrameResult], there: dict[str, int]) -> None:
        for result in results:
            of = (result.device, result.capture_id)
            entry = keys.slide_field(result.site, result.slide, *of)
            if entry not in there:
                self.report.entries_written += 1
                if self._mend:
                    await self._objects.put(entry, keys.result(result.site, *of).encode())

    async def _compare(self, fresh: Index) -> None:
        made = dict(await asyncio.to_thread(lambda: list(fresh.digests())))
        had = dict(await asyncio.to_thread(lambda: list(self._index.digests())))
        self.report.slides = len(made)
        for key in sorted({*made, *had}):
            if made.get(key) != had.get(key):
                await self._look_again(key, fresh)

    async def _look_again(self, key: SlideKey, fresh: Index) -> None:
        """A field may have come since the bucket was listed: then the projection is right."""
        captures = {*fresh.captures(key), *self._index.captures(key)}
        results = await self._read([keys.result(key.site, *of) for of in sorted(captures)])
        mine = [result for result in results if result.slide == key.slide]
        found = await self._chain(key, mine)
        await asyncio.to_thread(fresh.replace, key, (), mine, found)
        if fresh.digest(key) == self._index.digest(key):
            return
        self.report.mended.append(f"{key.site}/{key.slide}")
        if self._mend:
            await asyncio.to_thread(self._index.replace, key, captures, mine, found)


def _batches(keys_: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys_)
    while batch := list(islice(rest, _BATCH)):
        yield batch
