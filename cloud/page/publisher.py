"""What the room says to the broker: signatures as they come, and sums of slides, retained."""

from typing import Final

from cloud.page.health import Health
from cloud.settings import CloudSettings
from cloud.worker.confirm import publish_until_answered
from wire.connection import Callbacks, Connection, Publication

_GOODBYE_S: Final = 3.0


class Publisher:
    """A connection that only publishes. `start` it, and `stop` it at the end.

    Raises:
        ConnectionSetupError: the broker settings cannot work.
    """

    def __init__(self, settings: CloudSettings, health: Health) -> None:
        self._health = health
        self._connection = Connection(
            settings.broker,
            f"leukoscope-{settings.name}-desk",
            callbacks=Callbacks(state=self._broker_said),
            persistent=False,
        )

    def start(self) -> None:
        """Connect, and stay connected."""
        self._connection.start()

    def stop(self) -> None:
        """Say goodbye."""
        self._connection.stop(timeout_s=_GOODBYE_S)

    def tell(self, topic: str, payload: bytes) -> None:
        """Publish now, or after the next connect; the bucket has it in any case."""
        self._connection.publish(Publication(topic, payload))

    async def say(self, topic: str, payload: bytes) -> None:
        """Publish, retained; returns when the broker has it."""
        await publish_until_answered(self._connection, Publication(topic, payload, retain=True))

    def _broker_said(self, connected: bool, reason: str) -> None:  # Callbacks.state's signature
        self._health.set("broker", None if connected else reason)
