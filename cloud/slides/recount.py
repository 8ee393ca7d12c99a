"""Counts a slide from what lies in the bucket."""

import asyncio
from collections import OrderedDict
from typing import Final, Literal, NamedTuple

import structlog

from cloud.reviews.entry import Amend, Entry, EntryError, Sign, read
from cloud.slides.tally import Field, add_up
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.codec import MessageError, decode
from wire.messages import FrameResult, SlideResult
from wire.words import SIGNED_NOTICE

_KEPT: Final = 256
"""Slides whose fields are remembered."""

_ENTRIES_KEPT: Final = 10_000
"""Entries of reviews that are remembered."""

_AT_A_TIME: Final = 16
"""Results that are read at a time."""

_log = structlog.get_logger("cloud.slides")


class SlideName(NamedTuple):
    """Which slide."""

    site: str
    slide: str


class Recounter:
    """Lists a slide's entries and reads those results that it has not read before.

    A stored result is never written again, so what was read of one may be kept.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._entries: dict[str, Entry | None] = {}
        self._read: OrderedDict[SlideName, dict[str, Field | None]] = OrderedDict()

    @property
    def recent(self) -> list[SlideName]:
        """Slides that were counted of late."""
        return list(self._read)

    def know(self, result: FrameResult) -> None:
        """Take note of a result that has just been stored; saves reading it."""
        key = keys.result(result.site, result.device, result.capture_id)
        self._fields(SlideName(result.site, result.slide))[key] = Field.of(result)

    async def count(self, name: SlideName) -> SlideResult | None:
        """The slide as the bucket has it now; None while none of its fields has a result."""
        read = self._fields(name)
        listed = [
            key
            for entry in await self._objects.sizes(keys.slide_fields(*name))
            if (key := keys.result_of_slide_field(entry)) is not None
        ]
        gate = asyncio.Semaphore(_AT_A_TIME)

        async def look(key: str) -> None:
            async with gate:
                await self._look(name, key, read)

        await asyncio.gather(*(look(key) for key in listed if key not in read))
        fields = [field for key in listed if (field := read.get(key)) is not None]
        if not fields:
            return None
        signed = await self._signed(name)
        return add_up(name.site, name.slide, fields) if signed is None else signed

    async def _signed(self, name: SlideName) -> SlideResult | None:
        """What the last signed report says; None while nobody has signed."""
        prefix = keys.reviews(*name)
        last: Entry | None = None
        state: Literal["signed", "amended"] = "signed"
        for key in sorted(await self._objects.sizes(prefix)):
            entry = await self._entry(key)
            if entry is not None and isinstance(entry.action, Sign | Amend):
                last, state = entry, "signed" if last is None else "amended"
        return None if last is None else _as_signed(last, state)

    async def _entry(self, key: str) -> Entry | None:
        """An entry of the slide's chain; it is never written again, so it is read once."""
        if key not in self._entries:
            data = await self._objects.get(key)
            if data is None:
                return None
            self._entries[key] = _entry_of(key, data)
            while len(self._entries) > _ENTRIES_KEPT:
                del self._entries[next(iter(self._entries))]
        return self._entries[key]

    async def _look(self, name: SlideName, key: str, read: dict[str, Field | None]) -> None:
        data = await self._objects.get(key)
        if data is None:
            return  # its entry is written first: the result may come yet
        try:
            result = decode(data, FrameResult)
        except MessageError as error:
            _log.error("result_not_counted", key=key, reason=error.reason, detail=str(error))
            read[key] = None
            return
        # A capture sent again as another slide's stays what it was: the first result stands.
        read[key] = Field.of(result) if result.slide == name.slide else None

    def _fields(self, name: SlideName) -> dict[str, Field | None]:
        fields = self._read.setdefault(name, {})
        self._read.move_to_end(name)
        while len(self._read) > _KEPT:
            self._read.popitem(last=False)
        return fields


def _entry_of(key: str, data: bytes) -> Entry | None:
    """The entry, unless it cannot be read or was written for another place than this key's."""
    try:
        entry = read(data)[1]
    except EntryError as error:
        _log.error("review_not_counted", key=key, detail=str(error))
        return None
    own = keys.review(entry.site, entry.slide, entry.number)
    if own != key:
        _log.error("review_not_counted", key=key, detail=f"is misplaced: it belongs at {own}")
        return None
    return entry


def _as_signed(entry: Entry, state: Literal["signed", "amended"]) -> SlideResult:
    """The slide as somebody answers for it; what has come since is in no report yet."""
    assert isinstance(entry.action, Sign | Amend)  # noqa: S101  # for the type checker: looked at above
    report = entry.action.report
    return SlideResult(
        notice=SIGNED_NOTICE,
        state=state,
        site=entry.site,
        slide=entry.slide,
        fields=len(entry.basis.fields),
        cells=sum(report.reader.values()),
        counts=report.reader,
        blasts_per_100=report.blasts_per_100,
        blasts_interval=report.blasts_interval,
        updated_at=entry.at,
    )
