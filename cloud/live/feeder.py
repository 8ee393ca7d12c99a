"""Hears of results and signatures at the broker, keeps the projection up, and tells open pages."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from cloud.index.index import Index, SlideKey
from cloud.live.catch_up import CatchUp
from cloud.live.intake import Intake
from cloud.live.news import Change, News
from cloud.reviews.signing import Trusted
from cloud.settings import CloudSettings
from cloud.stores import keys
from cloud.stores.objects import Objects
from cloud.worker.hand import Hand, Held
from wire import topics
from wire.codec import MessageError, decode
from wire.connection import Callbacks, Connection, Delivery
from wire.messages import FrameResult, SlideReview

_IN_HAND: Final = 64
"""Messages taken from the broker at a time: as many go into the projection at once."""

_FIRST_S: Final = 5.0
"""How long the first catching up waits to be listening, so that nothing falls in between."""

_AGAIN_S: Final = 10.0
"""After a catching up that failed."""

_EVERY_S: Final = 3600.0
"""Between two at the latest: a broker drops, and says nothing, what is too much for its queue."""

_log = structlog.get_logger("cloud.live")


class Feeder:
    """Subscribes to results and signatures of one site or all, with a session that persists.

    A message is a bell, no more: what comes into the projection is read from the bucket, and a
    message is acknowledged when it is in. So a forged one brings nothing in, a repeat changes
    nothing, and what was in hand when the program was killed comes again.

    Args:
        settings: of the broker, this program's name and its site.
        objects: the bucket; waits while it is away.
        index: the projection.
        news: told of each slide that changed.
        trusted: keys whose signatures count.
        said: told why the projection may lag, and None when it no longer does; from any thread.
    """

    def __init__(
        self,
        settings: CloudSettings,
        objects: Objects,
        index: Index,
        news: News,
        trusted: Trusted,
        said: Callable[[str | None], None],
    ) -> None:
        self._news = news
        self._said = said
        self._lock = threading.Lock()
        self._troubles: dict[str, str] = {}
        self._intake = Intake(objects, index, trusted, self._index_said, settings.retry_max_s)
        self._catch_up = CatchUp(objects, index, self._intake, settings.site, self._behind)
        self._hand = Hand(_IN_HAND, self._acknowledge)
        self._pending: set[tuple[int, int]] = set()
        self._waiting: asyncio.Queue[Held] = asyncio.Queue()  # as long as the hand at most
        self._missed = asyncio.Event()
        self._listening = asyncio.Event()
        self._connection = Connection(
            settings.broker,
            f"leukoscope-{settings.name}-feeder",
            subscriptions=[
                topics.all_results(settings.site),
                topics.all_reviews(settings.site),
            ],
            callbacks=Callbacks(
                self._arrived, self._broker_said, self._broker_refused, self._listens
            ),
            manual_ack=True,
            receive_maximum=_IN_HAND,
        )

    async def keep(self) -> None:
        """Listen until cancelled; what is in hand then comes again at the next start."""
        self._loop = asyncio.get_running_loop()
        self._connection.start()
        try:
            async with asyncio.TaskGroup() as works:
                works.create_task(self._take())
                works.create_task(self._keep_up())
        finally:
            self._hand.close()
            await asyncio.to_thread(self._connection.stop)

    # --- on paho's network thread ---

    def _arrived(self, delivery: Delivery) -> None:
        mark = (delivery.generation, delivery.mid)
        if delivery.mid and mark in self._pending:
            return  # a repeat of what is in hand, which nats-server sends when that takes long
        held = self._hand.take(delivery)
        if held is not None:
            self._pending.add(mark)
            self._loop.call_soon_threadsafe(self._waiting.put_nowait, held)

    def _broker_said(self, connected: bool, reason: str) -> None:  # Callbacks.state's signature
        self._trouble("broker", None if connected else reason)
        if connected:
            self._trouble("subscription", None)  # a refusal is told again, in a moment

    def _broker_refused(self, topic: str, reason: str) -> None:
        _log.error("broker_refused", topic=topic, reason=reason)
        self._trouble("subscription", f"the broker refuses {topic}: {reason}")

    def _listens(self, resumed: bool) -> None:  # Callbacks.listening's signature
        if not resumed:
            self._loop.call_soon_threadsafe(self._missed.set)
        self._loop.call_soon_threadsafe(self._listening.set)  # behind it: one catching up for both

    # --- on the loop ---

    async def _take(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                await self._take_in([held.delivery for held in batch])
            except Exception:  # noqa: BLE001  # a fault of ours must not come again for ever
                _log.exception("feeder_fault", messages=len(batch))
                self._missed.set()
            for held in batch:
                self._hand.finish(held)

    async def _take_in(self, deliveries: Sequence[Delivery]) -> None:
        rung = [key for d in deliveries if (key := _result_key(d)) is not None]
        for slide in await self._intake.results(rung):
            self._news.tell(Change(*slide, "fields"))
        signed = dict(found for d in deliveries if (found := _signed(d)) is not None)
        for reviewed, number in signed.items():
            await self._take_chain(reviewed, number)

    async def _take_chain(self, key: SlideKey, number: int) -> None:
        chain = await self._intake.chain(key)
        if len(chain.entries) < number:
            _log.warning("review_not_stored", **key._asdict(), number=number)
            return
        reader = chain.entries[number - 1].reader
        self._news.tell(Change(*key, "signed", reader, number))

    async def _keep_up(self) -> None:
        """Catch up at the start, and whenever messages were missed."""
        try:
            async with asyncio.timeout(_FIRST_S):
                await self._listening.wait()
        except TimeoutError:
            _log.warning("feeder_not_listening_yet")
        while True:
            self._missed.clear()
            try:
                await self._catch_up.run()
            except Exception as error:  # noqa: BLE001  # logged, and tried again
                _log.exception("catch_up_failed")
                self._trouble("catching up", f"failed ({type(error).__name__}): see the log")
                await asyncio.sleep(_AGAIN_S)
                continue
            self._trouble("catching up", None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._missed.wait()

    def _behind(self, key: SlideKey, chain: bool) -> None:  # CatchUp's signature
        self._news.tell(Change(*key, "review" if chain else "fields"))

    def _acknowledge(self, delivery: Delivery) -> None:
        self._pending.discard((delivery.generation, delivery.mid))
        if delivery.mid:  # a message of QoS 0 has none; a broker drops who acknowledges one
            self._connection.ack(delivery)

    def _index_said(self, trouble: str | None) -> None:
        self._trouble("index", trouble)

    def _trouble(self, part: str, trouble: str | None) -> None:
        with self._lock:
            if trouble == self._troubles.get(part):
                return
            self._troubles.pop(part, None)
            if trouble is not None:
                self._troubles[part] = trouble
            self._said("; ".join(f"{name}: {why}" for name, why in self._troubles.items()) or None)


def _result_key(delivery: Delivery) -> str | None:
    """Key of the result that a message speaks of; None where it is none, which is logged."""
    *_, site, kind, device = delivery.topic.split("/")
    if kind != "results":
        return None
    try:
        return keys.result(site, device, decode(delivery.payload, FrameResult).capture_id)
    except MessageError as error:
        _log.error("result_unreadable", topic=delivery.topic, reason=error.reason)
        return None


def _signed(delivery: Delivery) -> tuple[SlideKey, int] | None:
    """Slide and entry that a message speaks of; None where it is none, which is logged."""
    *_, site, kind, slide = delivery.topic.split("/")
    if kind != "reviews":
        return None
    try:
        return SlideKey(site, slide), decode(delivery.payload, SlideReview).number
    except MessageError as error:  # without its sentence: a reader's words may stand in it
        _log.error("review_unreadable", topic=delivery.topic, reason=error.reason)
        return None
