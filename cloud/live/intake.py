"""The way into the projection: whatever was heard, only what lies in the bucket comes in."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import sqlalchemy as sa
import stamina
import structlog

from cloud.index.case import stored_results
from cloud.index.chain import Chain
from cloud.index.index import Index, SlideKey
from cloud.index.sound import read_sound
from cloud.reviews.entry import field_name
from cloud.reviews.signing import Trusted
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.codec import MessageError, decode
from wire.messages import FrameResult

_Answer = TypeVar("_Answer")

_AT_A_TIME: Final = 16
"""Results that are read at a time."""

_AWAY: Final = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
"""What a database says that is away, full or busy; it is asked until it takes what is given."""

_UNFIT: Final = (sa.exc.SQLAlchemyError, ArithmeticError, ValueError)
"""What is said of a row that cannot be held, such as a number that is too large."""

_log = structlog.get_logger("cloud.live")


class Intake:
    """Reads results and chains from the bucket and puts them in; waits while either is away.

    Args:
        objects: the bucket.
        index: the projection.
        trusted: keys whose signatures count; without any, signatures are not asked for.
        index_said: told None when the database took something, else why it does not.
        retry_max_s: longest wait between two tries, in seconds.
    """

    def __init__(
        self,
        objects: Objects,
        index: Index,
        trusted: Trusted,
        index_said: Callable[[str | None], None],
        retry_max_s: float,
    ) -> None:
        self._objects = objects
        self._index = index
        self._trusted = trusted
        self._index_said = index_said
        self._gate = asyncio.Semaphore(_AT_A_TIME)
        self._retrying = stamina.AsyncRetryingCaller(
            attempts=None, timeout=None, wait_initial=0.1, wait_max=retry_max_s, wait_jitter=0.5
        ).on(self._may_pass)

    async def results(self, listed: Iterable[str]) -> set[SlideKey]:
        """Take the results with these keys in; the slides that they are of."""
        read = await asyncio.gather(*(self._read(key) for key in dict.fromkeys(listed)))
        found = [result for result in read if result is not None]
        taken = await self._put(found)
        return {SlideKey(result.site, result.slide) for result in taken}

    async def chain(self, key: SlideKey) -> Chain:
        """Take a slide's chain in, as it is now, and before it the fields that it is about.

        Returns:
            The chain; none of one that is not sound, which is logged.
        """
        held = await self.asked(stored_results, self._index, key)
        chain, wrong = await read_sound(self._objects, key, held, self._trusted)
        if wrong:
            kinds = sorted({finding.kind for finding in wrong})
            _log.error("reviews_not_indexed", **key._asdict(), found=kinds)
        known = {field_name(result) for result in held}
        about = {field for entry in chain.entries for field in entry.basis.fields}
        await self.results(keys.result(key.site, *name.split("/")) for name in about - known)
        await self.asked(self._index.put_entries, key, *chain)
        return chain

    async def _read(self, key: str) -> FrameResult | None:
        async with self._gate:
            data = await self._objects.get(key)
        if data is None:
            _log.warning("result_not_stored", key=key)
            return None
        try:
            return decode(data, FrameResult)
        except MessageError as error:
            _log.error("result_not_indexed", key=key, reason=error.reason, detail=str(error))
            return None

    async def _put(self, results: Sequence[FrameResult]) -> Sequence[FrameResult]:
        """Put them in at once; where the database cannot hold one, all others all the same."""
        if not results:
            return []
        try:
            await self.asked(self._index.put, results)
        except _UNFIT as error:
            if len(results) > 1:
                return [one for result in results for one in await self._put([result])]
            (result,) = results
            name = f"{result.site}/{result.device}/{result.capture_id}"
            _log.error("result_not_indexed", result=name, reason=type(error).__name__)
            return []
        return results

    async def asked(self, work: Callable[..., _Answer], *arguments: object) -> _Answer:
        """Have the database do something, on a thread; as often as it takes."""
        answer = await self._retrying(asyncio.to_thread, work, *arguments)
        self._index_said(None)
        return answer

    def _may_pass(self, error: Exception) -> bool:
        if isinstance(error, _AWAY):
            self._index_said((str(error).splitlines() or [type(error).__name__])[0])
            return True
        return False
