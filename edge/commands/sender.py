"""Sends one command over the broker and waits for its reply."""

import queue
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import structs
from uuid6 import uuid7

from edge.settings import EdgeSettings
from wire import topics
from wire.codec import MessageError, decode, encode
from wire.command_key import command_key, signed
from wire.connection import Callbacks, Connection, Delivery, Publication
from wire.messages import Command, Reply

AGAIN_S: Final = 5.0
"""Seconds after which it is sent again; a device carries a correlation id out only once."""


class NoAnswerError(RuntimeError):
    """There was no reply in time; the message says how far the command came."""


def send_command(
    settings: EdgeSettings,
    name: str,
    arguments: Mapping[str, str | int | float | bool],
    wait_s: float,
) -> Reply:
    """Order a device to do something.

    Args:
        settings: broker, site, command key; `device` is the one that is ordered.
        name: of the command.
        arguments: of the command.
        wait_s: seconds to wait for the broker and the reply.

    Raises:
        NoAnswerError: see there.
        ConnectionSetupError: the broker settings cannot work.
        CommandKeyError: the key of the settings cannot be used.
        ValueError: an argument cannot be signed.
    """
    order = Command(correlation_id=str(uuid7()), command=name, arguments=dict(arguments))
    errand = _Errand(settings, order)
    errand.connection.start()
    try:
        return errand.run(time.monotonic() + wait_s)
    finally:
        errand.connection.stop()


class _Errand:
    def __init__(self, settings: EdgeSettings, command: Command) -> None:
        self._settings = settings
        self._command = command
        self._key = command_key(settings.command_key_file) if settings.command_key_file else None
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._problem = "the broker did not answer"
        where = settings.site, settings.device
        self._topic = topics.device(*where, "commands")
        self.connection = Connection(
            settings.broker,
            f"leukoscope-command-{command.correlation_id}",
            subscriptions=[topics.device(*where, "replies")],
            callbacks=Callbacks(self._arrived, self._broker_said, self._broker_refused),
            persistent=False,
        )

    def run(self, until: float) -> Reply:
        """Send, and send again, until the reply is here or the time is over."""
        # The subscription went out first on the same connection, so no reply is missed.
        if self.connection.wait_connected(max(0.0, until - time.monotonic())):
            self._problem = "the device did not answer: is its agent running?"
        while (left := until - time.monotonic()) > 0:
            if self.connection.connected:
                self.connection.publish(Publication(self._topic, self._payload()))
            try:
                return self._replies.get(timeout=min(AGAIN_S, left))
            except queue.Empty:
                continue
        raise NoAnswerError(self._problem)

    def _payload(self) -> bytes:
        command = structs.replace(self._command, at=datetime.now(UTC))
        if self._key is not None:
            command = signed(command, self._settings.site, self._settings.device, self._key)
        return encode(command)

    def _arrived(self, delivery: Delivery) -> None:
        try:
            reply = decode(delivery.payload, Reply)
        except MessageError as error:
            self._problem = f"a reply came that cannot be read ({error.reason}): {error}"
            return
        if reply.correlation_id == self._command.correlation_id:
            self._replies.put(reply)

    def _broker_said(self, connected: bool, reason: str) -> None:  # Callbacks.state's signature
        if not connected:
            self._problem = reason

    def _broker_refused(self, topic: str, reason: str) -> None:
        self._problem = f"the broker refused {topic} ({reason}): check its access list"
