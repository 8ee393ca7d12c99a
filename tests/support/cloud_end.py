"""The cloud's end of a device's topics, played by a test: it hears frames and gives receipts."""

from datetime import UTC, datetime

from brokers import Client

from wire import topics
from wire.broker import BrokerSettings
from wire.codec import decode, decode_frame, encode
from wire.connection import Delivery
from wire.messages import (
    Command,
    DeviceStatus,
    Frame,
    FrameResult,
    FrameTimings,
    ModelRef,
    Receipt,
    Reply,
)

SITE, DEVICE = "home", "scope-1"


class CloudEnd(Client):
    """Hears all that a device says. `start` before the device, or after it: both are real."""

    def __init__(self, settings: BrokerSettings) -> None:
        everything = f"{topics.ROOT}/#"
        super().__init__(settings, "cloud-end", subscriptions=[everything], persistent=False)

    def on(self, channel: str) -> list[Delivery]:
        """What came on one of the device's topics."""
        topic = topics.device(SITE, DEVICE, channel)
        return [delivery for delivery in list(self.heard) if delivery.topic == topic]

    @property
    def frames(self) -> list[Frame]:
        return [decode_frame(delivery.payload) for delivery in self.on("frames")]

    @property
    def statuses(self) -> list[DeviceStatus]:
        return [decode(delivery.payload, DeviceStatus) for delivery in self.on("status")]

    @property
    def replies(self) -> list[Reply]:
        return [decode(delivery.payload, Reply) for delivery in self.on("replies")]

    def receipt(self, capture_id: str, **refusal: object) -> None:
        """`stored`, or with a reason given `refused`."""
        values = {"outcome": "refused" if refusal else "stored", "at": datetime.now(UTC)}
        message = Receipt(capture_id=capture_id, **(values | refusal))
        self.say(topics.device(SITE, DEVICE, "receipts"), encode(message))

    def receipt_all(self) -> None:
        """`stored` for every frame heard so far."""
        for capture_id in {frame.capture_id for frame in self.frames}:
            self.receipt(capture_id)

    def result(self, frame: Frame, label: str = "ALL", **counts: int) -> None:
        """A suggested result of a frame, without its cells."""
        message = FrameResult(
            capture_id=frame.capture_id,
            site=SITE,
            device=DEVICE,
            slide=frame.slide,
            label=label,
            explanation="said by a test",
            counts=counts or {label: len(frame.cells or ())},
            cells=[],
            model=ModelRef("test", "1", "0" * 64),
            captured_at=frame.captured_at,
            classified_at=datetime.now(UTC),
            image_key="images/test",
            image_sha256=frame.sha256,
            width=frame.width,
            height=frame.height,
            quality=frame.quality,
            finder=frame.finder,
            timings_ms=FrameTimings(1.0, 1.0, 1.0),
        )
        self.say(topics.results(SITE, DEVICE), encode(message))

    def command(self, command: str, correlation_id: str = "c-1", **arguments: object) -> None:
        message = Command(correlation_id=correlation_id, command=command, arguments=arguments)
        self.say(topics.device(SITE, DEVICE, "commands"), encode(message))
