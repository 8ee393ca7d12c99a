"""Counts a slide from what lies in the bucket."""

import asyncio
from collections import OrderedDict
from typing import Final

import structlog

from cloud.reviews.signing import Trusted
from cloud.slides.signed import Signatures, SlideName
from cloud.slides.tally import Field, add_up
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.codec import MessageError, decode
from wire.messages import FrameResult, SlideResult

_KEPT: Final = 256
"""Slides whose fields are remembered."""

_AT_A_TIME: Final = 16
"""Results that are read at a time."""

_log = structlog.get_logger("cloud.slides")


class Recounter:
    """Lists a slide's entries and reads those results that it has not read before.

    A stored result is never written again, so what was read of one may be kept.

    Args:
        objects: the bucket.
        trusted: keys whose signatures make a slide signed.
    """

    def __init__(self, objects: Objects, trusted: Trusted) -> None:
        self._objects = objects
        self._signatures = Signatures(objects, trusted)
        self._read: OrderedDict[SlideName, dict[str, Field | None]] = OrderedDict()

    @property
    def recent(self) -> list[SlideName]:
        """Slides that were counted of late."""
        return list(self._read)

    @property
    def doubt(self) -> str | None:
        """Why a slide that somebody signed is published as preliminary; None: there is none."""
        return self._signatures.doubt

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
        signed = await self._signatures.last(name)
        return add_up(name.site, name.slide, fields) if signed is None else signed

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
