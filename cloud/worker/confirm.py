"""Publishes and waits for the broker's answer, without holding up the loop."""

import asyncio
from typing import Final

from wire.connection import Connection, Publication

_LOOK_S: Final = 0.02
_AWAY_S: Final = 0.3


async def publish_until_answered(connection: Connection, publication: Publication) -> None:
    """Publish, again if need be, and return when the broker has acknowledged it.

    Waits as long as the broker is away; cancel to give up.

    Raises:
        PayloadTooLargeError: it will never get through.
    """
    while True:
        while not connection.connected:
            await asyncio.sleep(_AWAY_S)
        info = connection.publish(publication)
        try:
            while not info.is_published():
                await asyncio.sleep(_LOOK_S)
        except (RuntimeError, ValueError):  # paho could not take it: the connection just broke
            await asyncio.sleep(_AWAY_S)
        else:
            return
