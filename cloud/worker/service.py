"""The worker as a service: paho's network thread, one asyncio loop, a few reading threads."""

import asyncio
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from typing import Final

import msgspec
import stamina
import structlog
from paho.mqtt.client import MQTTMessageInfo

from cloud.reading import Reading, read_frame
from cloud.refusal import Refusal
from cloud.registry.models import Models
from cloud.reviews.signing import configured_keys
from cloud.settings import CloudSettings
from cloud.slides.sums import SlideSums
from cloud.stores import keys
from cloud.stores.objects import Objects, open_store
from cloud.worker.announce import Announcer
from cloud.worker.confirm import publish_until_answered
from cloud.worker.hand import Hand, Held
from cloud.worker.health import Health, serve
from cloud.worker.metrics import Metrics
from cloud.worker.outcome import Outcome, store_dead_letter, store_reading
from wire import topics
from wire.codec import MessageError, decode_frame, encode
from wire.connection import Callbacks, Connection, Delivery, PayloadTooLargeError, Publication
from wire.messages import ModelAnnouncement, ModelRef
from wire.topics import DeviceTopic, TopicError

_GOODBYE_S: Final = 3.0
"""How long the broker may take to answer the last publish, in seconds."""

_SLIDES_S: Final = 5.0
"""How long the last slides may take to be added up at the end, in seconds."""

_STORE_LOOK_S: Final = 30.0
"""How often the store is asked whether frames come or not, in seconds."""

_log = structlog.get_logger("cloud.worker")


class Worker:
    """Takes frames, classifies and stores them, answers. `run` until `stop` is set.

    Raises:
        BundleError: the model bundle cannot be used.
        RegistryError: the model's name cannot be one.
        OSError: the model cache cannot be used.
        ReviewKeyError: a key of `review_trusted` cannot be used.
        ConnectionSetupError: the broker settings cannot work.
    """

    def __init__(self, settings: CloudSettings) -> None:
        self._settings = settings
        self._metrics = Metrics()
        store = open_store(settings.store)
        self._objects = Objects(store, settings.retry_max_s, self._store_said)
        registry = Objects(store, settings.retry_max_s, self._registry_said)
        self._models = Models(settings, registry, self._model_said)
        self._health = Health(_called(self._models.live.model))
        self._announcer = Announcer(settings.site, self._announce)
        slides = Objects(store, settings.retry_max_s, self._slide_store_said)
        self._slides = SlideSums(
            settings.name,
            slides,
            self._say_slide,
            self._slides_said,
            trusted=configured_keys(settings),
        )
        self._connection = Connection(
            settings.broker,
            f"leukoscope-{settings.name}",
            subscriptions=[topics.all_frames(settings.site, settings.share_group)],
            callbacks=Callbacks(self._arrived, self._broker_said, self._broker_refused),
            manual_ack=True,
            receive_maximum=settings.in_hand,
        )
        self._hand = Hand(settings.in_hand, self._acknowledge)
        self._metrics.in_hand.set_function(lambda: len(self._hand))
        self._readers = ThreadPoolExecutor(settings.threads, thread_name_prefix="reader")
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_sent: MQTTMessageInfo | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then finish what is in hand, as far as `drain_s` allows."""
        self._loop = asyncio.get_running_loop()
        # Health logs when the store goes and comes; a line for every retry would drown that.
        stamina.instrumentation.set_on_retry_hooks([])
        http = self._serve_health()
        looking = self._loop.create_task(self._look_at_store())
        following = self._loop.create_task(self._models.follow(self._take_frames))
        adding = self._loop.create_task(self._slides.keep())
        stopping = self._loop.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, following}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()  # it follows no registry, or it broke: not in silence
            await stopping
        finally:
            for task in (looking, following, stopping, adding):
                task.cancel()
            self._hand.close()
            await self._drain()
            await self._slides.finish(min(_SLIDES_S, self._settings.drain_s))
            await asyncio.to_thread(self._see_off)
            await asyncio.to_thread(self._connection.stop)
            self._readers.shutdown(cancel_futures=True)
            if http is not None:
                http.shutdown()
                http.server_close()
            _log.info("worker_stopped", left_for_redelivery=len(self._hand))

    def look_at_registry(self) -> None:
        """Ask the registry now which model is live. On the loop."""
        self._models.nudge()

    # --- on paho's network thread ---

    def _arrived(self, delivery: Delivery) -> None:
        held = self._hand.take(delivery)
        if held is not None:
            self._loop.call_soon_threadsafe(self._begin, held)

    def _broker_said(self, connected: bool, reason: str) -> None:  # Callbacks.state's signature
        self._metrics.connected.set(connected)
        self._health.set("broker", None if connected else reason)
        if connected:
            self._loop.call_soon_threadsafe(self._announcer.repeat)
            self._loop.call_soon_threadsafe(self._slides.repeat)

    def _broker_refused(self, topic: str, reason: str) -> None:
        _log.error("broker_refused", topic=topic, reason=reason)

    # --- on the loop ---

    def _take_frames(self) -> None:
        """Begin: it is known which model is live."""
        self._connection.start()
        _log.info("worker_started", model=self._models.live.model.name, name=self._settings.name)

    def _model_said(self, word: ModelAnnouncement, swapped: bool) -> None:  # Said's signature
        self._metrics.model.info(msgspec.to_builtins(word.live))
        self._metrics.model_swaps.inc(swapped)
        self._metrics.model_refusals.inc(word.outcome == "refused")
        self._health.model(_called(word.live), swapped=swapped)
        refused = f"{word.name} {word.version} is refused: {word.reason}"
        self._health.warn("model", refused if word.outcome == "refused" else word.reason or None)
        self._announcer.say(word)

    def _announce(self, topic: str, payload: bytes) -> None:
        if self._connection.connected:  # else it is repeated at the connect
            self._publish(topic, payload, retain=True)

    def _begin(self, held: Held) -> None:
        task = self._loop.create_task(self._handle(held.delivery))
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, held))

    def _ended(self, held: Held, task: asyncio.Task[None]) -> None:
        """Free its place whatever ended it, or no frame behind it were ever acknowledged."""
        self._tasks.discard(task)
        if task.cancelled():
            return  # at shutdown: the broker sends it again
        if error := task.exception():
            # It got no receipt, so the station sends it again.
            self._metrics.frames.labels("unanswered").inc()
            _log.error("frame_unanswered", topic=held.delivery.topic, exc_info=error)
        self._hand.finish(held)

    def _acknowledge(self, delivery: Delivery) -> None:
        # A message of QoS 0 has no id; a broker drops the client that acknowledges one.
        if delivery.mid:
            self._connection.ack(delivery)

    async def _handle(self, delivery: Delivery) -> None:
        """Bring one delivery to its end: stored or refused, and answered."""
        started = time.perf_counter()
        sender = _sender(delivery.topic)
        outcome = await self._end(delivery, sender)
        if sender is not None and outcome.receipt.outcome == "stored":
            self._announcer.meet(sender.site)
        self._answer(outcome, sender)
        self._note(outcome, time.perf_counter() - started)

    async def _end(self, delivery: Delivery, sender: DeviceTopic | None) -> Outcome:
        try:
            reading = await self._read(delivery, sender)
            stored_from = time.perf_counter()
            outcome = await self._store(reading)
            self._metrics.observe("store", time.perf_counter() - stored_from)
        except Refusal as refusal:
            return await self._refuse(delivery, sender, refusal)
        except Exception as error:  # noqa: BLE001  # a fault of ours must not hold up the frames behind
            _log.exception("worker_fault", topic=delivery.topic)
            sentence = f"the worker failed on this frame ({type(error).__name__}): see its log"
            fault = Refusal("worker-fault", sentence, _capture_id(delivery.payload))
            return await self._refuse(delivery, sender, fault)
        return outcome

    async def _store(self, reading: Reading) -> Outcome:
        result = reading.result
        async with self._slides.expecting(result.site, result.slide):
            outcome = await store_reading(reading, self._objects)
            if not outcome.receipt.duplicate:
                self._slides.know(result)
            return outcome

    async def _say_slide(self, topic: str, payload: bytes) -> None:
        await publish_until_answered(self._connection, Publication(topic, payload, retain=True))

    async def _refuse(
        self, delivery: Delivery, sender: DeviceTopic | None, refusal: Refusal
    ) -> Outcome:
        return await store_dead_letter(
            delivery.payload, delivery.topic, sender, refusal, self._objects
        )

    async def _read(self, delivery: Delivery, sender: DeviceTopic | None) -> Reading:
        if sender is None:
            raise Refusal("topic-mismatch", f"{delivery.topic!r} is no device's frames topic")
        started = time.perf_counter()
        reading = await self._loop.run_in_executor(
            self._readers, read_frame, delivery.payload, sender, self._models.live
        )
        self._metrics.observe("read", time.perf_counter() - started)
        return reading

    def _answer(self, outcome: Outcome, sender: DeviceTopic | None) -> None:
        if sender is None:
            return  # nobody to tell: the dead letter and the log have it
        if outcome.result is not None:
            self._publish(topics.results(sender.site, sender.device), outcome.result)
        receipts = topics.device(sender.site, sender.device, "receipts")
        self._publish(receipts, encode(outcome.receipt))

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        try:
            self._last_sent = self._connection.publish(Publication(topic, payload, retain))
        except PayloadTooLargeError as error:
            # The result is stored all the same; the receipt, which is small, names its key.
            _log.error("not_published", topic=topic, error=str(error))

    def _note(self, outcome: Outcome, seconds: float) -> None:
        receipt = outcome.receipt
        how = "duplicate" if receipt.duplicate else receipt.outcome
        self._metrics.frames.labels(how).inc()
        self._metrics.observe("whole", seconds)
        if receipt.outcome == "refused":
            self._metrics.refusals.labels(receipt.reason).inc()
        _log.info(
            "frame_ended",
            capture_id=receipt.capture_id,
            outcome=how,
            reason=receipt.reason or None,
            key=receipt.key,
            ms=round(seconds * 1000, 1),
        )

    async def _look_at_store(self) -> None:
        """Ask the store from time to time, so that /healthz knows of it before a frame does."""
        while True:
            await self._objects.get(keys.LAYOUT)
            await asyncio.sleep(_STORE_LOOK_S)

    async def _drain(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.drain_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _see_off(self) -> None:
        """Wait until the broker has answered the last publish.

        A connection that is closed while answers are under way is reset, and takes with it what the
        broker has not read: receipts and acknowledgements.
        """
        if self._last_sent is None or not self._connection.connected:
            return
        try:
            self._last_sent.wait_for_publish(_GOODBYE_S)
        except (RuntimeError, ValueError) as error:
            _log.warning("last_answer_not_sent", error=str(error))

    def _store_said(self, trouble: str | None) -> None:
        if trouble is not None:
            self._metrics.store_failures.inc()
        self._health.set("store", trouble)

    def _slides_said(self, trouble: str | None) -> None:
        self._health.warn("slides", trouble)

    def _slide_store_said(self, trouble: str | None) -> None:
        self._health.warn("slide store", trouble)

    def _registry_said(self, trouble: str | None) -> None:
        self._health.warn("registry", trouble)

    def _serve_health(self) -> ThreadingHTTPServer | None:
        if self._settings.http_port == 0:
            return None
        return serve(
            self._settings.http_host,
            self._settings.http_port,
            self._metrics.registry,
            self._health.report,
        )


def _called(model: ModelRef) -> str:
    return f"{model.name} {model.version} {model.sha256[:12]}"


def _sender(topic: str) -> DeviceTopic | None:
    try:
        return topics.parse_device(topic)
    except TopicError:
        return None


def _capture_id(payload: bytes) -> str | None:
    try:
        return decode_frame(payload).capture_id
    except MessageError as error:
        return error.capture_id
