"""One broker connection on paho-mqtt: MQTT 5 or 3.1.1, TLS, reconnect with jittered backoff."""

import random
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from wire.broker import BrokerSettings
from wire.client import QOS, ConnectionSetupError, connect_properties, new_client, subscription
from wire.connect_problems import closed_unanswered, connect_problem
from wire.unanswered import Unanswered

__all__ = [
    "QOS",
    "Callbacks",
    "Connection",
    "ConnectionSetupError",
    "Delivery",
    "PayloadTooLargeError",
    "Publication",
]

_log = structlog.get_logger("wire.connection")


class PayloadTooLargeError(ValueError):
    """The payload is over `max_payload_bytes`; a broker would drop the connection over it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came, with what is needed to acknowledge it."""

    topic: str
    payload: bytes
    mid: int
    generation: int
    """Which connect it came on: an acknowledgement may not cross a reconnect."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to publish."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the owner wants to hear, on the network thread; each should return soon."""

    message: Callable[[Delivery], None] = field(default=lambda _delivery: None)
    state: Callable[[bool, str], None] = field(default=lambda _connected, _reason: None)
    refused: Callable[[str, str], None] = field(default=lambda _topic, _reason: None)
    """The broker took a publish's bytes but refused it (told by MQTT 5 only), or refused a
    subscription: topic or filter, and reason. Now and then on the thread that published."""
    listening: Callable[[bool], None] = field(default=lambda _resumed: None)
    """After every connect, once the broker has answered for the subscriptions. False where it had
    no session of this client any more, or never had: what was published meanwhile is missed."""


class Connection:
    """A client that stays connected and subscribes again after every reconnect.

    No exception of a callback ends its network thread; it is logged.

    Args:
        settings: broker and credentials.
        client_id: unique at the broker; a persistent session hangs on it.
        subscriptions: topic filters, QoS 1.
        callbacks: what to call, see `Callbacks`.
        will: published by the broker when the connection breaks without goodbye.
        manual_ack: the owner calls `ack` for every delivery, in order of arrival.
        persistent: the broker keeps the session, and messages for it, while this client is away.
        receive_maximum: unacknowledged messages the broker may send (MQTT 5; not all obey).
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        *,
        subscriptions: Sequence[str] = (),
        callbacks: Callbacks | None = None,
        will: Publication | None = None,
        manual_ack: bool = False,
        persistent: bool = True,
        receive_maximum: int = 65_535,
    ) -> None:
        self._settings = settings
        self._subscriptions = tuple(subscriptions)
        self._callbacks = callbacks or Callbacks()
        self._persistent = persistent
        self._receive_maximum = receive_maximum
        self._generation = 0
        self._failures = 0
        self._refused = False
        self._resumed = False
        self._connected = threading.Event()
        self._listening = threading.Event()
        self._unanswered = Unanswered()
        self._client = new_client(settings, client_id, manual_ack=manual_ack, persistent=persistent)
        if will is not None:
            self._client.will_set(will.topic, will.payload, QOS, will.retain)
        self._wire_callbacks()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection and it has not broken since."""
        return self._connected.is_set()

    @property
    def listening(self) -> bool:
        """Whether the broker has answered the subscriptions: what others publish now is heard."""
        return self._listening.is_set()

    def start(self) -> None:
        """Connect, and keep connecting, on a thread of its own; returns at once."""
        settings = self._settings
        extra: dict[str, Any] = {}
        if settings.protocol == "5":
            expiry_s = settings.session_expiry_s if self._persistent else 0
            extra["clean_start"] = not self._persistent
            extra["properties"] = connect_properties(expiry_s, self._receive_maximum)
        self._delay_next_connect()
        self._client.connect_async(settings.host, settings.port, settings.keepalive_s, **extra)
        self._client.loop_start()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait for the connection; False when it is not there after `timeout_s` seconds."""
        return self._connected.wait(timeout_s)

    def publish(self, publication: Publication) -> paho.MQTTMessageInfo:
        """Hand a message to paho, which sends it now or after the next connect.

        Raises:
            PayloadTooLargeError: paho would send it again and again and never get it through.
        """
        size = len(publication.payload)
        if size > self._settings.max_payload_bytes:
            raise PayloadTooLargeError(
                f"message of {size} bytes for {publication.topic} is over max_payload_bytes "
                f"({self._settings.max_payload_bytes}): lower the image budget or raise the limit "
                "here and at the broker"
            )
        info = self._client.publish(publication.topic, publication.payload, QOS, publication.retain)
        early = self._unanswered.sent(info.mid, publication.topic)
        if early is not None:
            self._answered(publication.topic, early)
        return info

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge a delivery; False when its connection is gone and it will come again."""
        if delivery.generation != self._generation or not self.connected:
            return False
        return self._client.ack(delivery.mid, QOS) == MQTTErrorCode.MQTT_ERR_SUCCESS

    def stop(self, goodbye: Publication | None = None, timeout_s: float = 3.0) -> None:
        """Publish `goodbye`, disconnect (so that no will is sent) and end the thread."""
        if goodbye is not None and self.connected:
            info = self.publish(goodbye)
            try:
                info.wait_for_publish(timeout_s)
            except (RuntimeError, ValueError) as error:
                _log.warning("goodbye_not_sent", error=str(error))
        self._client.disconnect()
        self._client.loop_stop()
        self._connected.clear()
        self._listening.clear()

    def _wire_callbacks(self) -> None:
        client = self._client
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe

    def _on_connect(
        self,
        client: paho.Client,
        _data: object,
        flags: paho.ConnectFlags,
        code: ReasonCode,
        _properties: object,
    ) -> None:
        if code.is_failure:
            self._refused = True
            self._failed(f"broker refused the connection: {code}")
            return
        self._failures = 0
        self._generation += 1
        self._resumed = flags.session_present
        if self._subscriptions:
            client.subscribe([subscription(s, self._settings) for s in self._subscriptions])
        self._connected.set()  # only now: what is published from here on, its answer is heard
        self._delay_next_connect()
        self._tell(self._callbacks.state, True, "connected")

    def _on_connect_fail(self, _client: paho.Client, _data: object) -> None:
        # paho calls this while it handles the error, of which it tells nothing else.
        self._failed(connect_problem(self._settings, sys.exception()))

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: object, code: ReasonCode, _p: object
    ) -> None:
        was_connected = self._connected.is_set()
        self._connected.clear()
        self._listening.clear()
        if was_connected:
            self._failed(f"connection to the broker ended: {code}")
        elif code.is_failure and not self._refused:  # a refusal was told already
            self._failed(closed_unanswered(self._settings))
        self._refused = False

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._delay_next_connect()
        self._tell(self._callbacks.state, False, reason)

    def _delay_next_connect(self) -> None:
        """Full jitter over the upper half of an exponential backoff, so clients spread out."""
        settings = self._settings
        ceiling = min(
            settings.reconnect_max_s, settings.reconnect_min_s * 2 ** min(self._failures, 16)
        )
        delay = random.uniform(ceiling / 2, ceiling)  # noqa: S311  # spreading load, no secret
        self._client.reconnect_delay_set(delay, delay)  # type: ignore[arg-type]  # paho only compares and sleeps: seconds may be fractions

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            _log.error("topic_unreadable", mid=message.mid)
            return
        delivery = Delivery(topic, bytes(message.payload), message.mid, self._generation)
        self._tell(self._callbacks.message, delivery)

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, code: ReasonCode, _p: object
    ) -> None:
        if topic := self._unanswered.answered(mid, code):
            self._answered(topic, code)

    def _answered(self, topic: str, code: ReasonCode) -> None:
        if code.is_failure:
            self._tell(self._callbacks.refused, topic, str(code))

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], _p: object
    ) -> None:
        for topic_filter, code in zip(self._subscriptions, codes, strict=False):
            if code.is_failure:
                self._tell(self._callbacks.refused, topic_filter, str(code))
        self._listening.set()
        self._tell(self._callbacks.listening, self._resumed)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001  # an exception here would end paho's thread in silence
            _log.exception("callback_failed", callback=getattr(callback, "__qualname__", "?"))
