"""The stored results of one slide."""

import asyncio
from typing import Final

import structlog

from cloud.stores import keys
from cloud.stores.remembered import Reads
from wire.codec import MessageError, decode
from wire.messages import FrameResult

_AT_A_TIME: Final = 16

_log = structlog.get_logger("cloud.slides")


async def read_results(objects: Reads, site: str, slide: str) -> list[FrameResult]:
    """Read every result of a slide, in the order of their captures."""
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def read(key: str) -> FrameResult | None:
        async with gate:
            data = await objects.get(key)
        if data is None:
            return None
        try:
            return decode(data, FrameResult)
        except MessageError as error:
            _log.error("result_left_out", key=key, reason=error.reason, detail=str(error))
            return None

    entries = await objects.sizes(keys.slide_fields(site, slide))
    listed = [key for entry in entries if (key := keys.result_of_slide_field(entry)) is not None]
    found = await asyncio.gather(*(read(key) for key in listed))
    mine = [result for result in found if result is not None and result.slide == slide]
    return sorted(mine, key=lambda result: (result.capture_id, result.device))
