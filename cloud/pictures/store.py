"""Fields out of the bucket, for somebody who waits before a screen."""

import asyncio
import hashlib
import time
from typing import Final, Protocol

import structlog

from cloud.pictures.pictured import Field
from cloud.pictures.problem import PictureError

PATIENCE_S: Final = 2.5
"""A picture that takes longer is said to be away; the page shows that within 3 s."""
_AWAY_S: Final = 5.0
"""So long nobody asks again: each picture of a gallery would wait in vain, one after the other."""
_AT_A_TIME: Final = 16

_log = structlog.get_logger("cloud.pictures")


class Gets(Protocol):
    """What this needs of a bucket; it may wait for ever."""

    async def get(self, key: str) -> bytes | None:
        """Read an object; None when there is none."""
        ...


class Fetcher:
    """Fetches JPEGs of fields, and believes none whose SHA-256 is another.

    Args:
        objects: the bucket.
        patience_s: how long an answer may take.
        away_s: how long the store is then taken to be away.
    """

    def __init__(
        self, objects: Gets, patience_s: float = PATIENCE_S, away_s: float = _AWAY_S
    ) -> None:
        self._objects = objects
        self._patience_s = patience_s
        self._away_s = away_s
        self._away_until = 0.0
        self._turns = asyncio.Semaphore(_AT_A_TIME)

    async def fetch(self, field: Field) -> bytes:
        """The JPEG as it was captured.

        Raises:
            PictureError: `store-away`, `picture-gone` or `picture-altered`.
        """
        data = await self._get(field.image_key)
        if data is None:
            raise PictureError(
                "picture-gone",
                "The field's picture is no longer in the store: it has expired or was deleted.",
            )
        if hashlib.sha256(data).hexdigest() != field.image_sha256:
            _log.error("field_altered", key=field.image_key, expected=field.image_sha256)
            raise PictureError(
                "picture-altered",
                "The picture in the store is not the one that was captured: it is not shown.",
            )
        return data

    async def _get(self, key: str) -> bytes | None:
        async with self._turns:
            if time.monotonic() < self._away_until:
                raise store_away()
            try:
                return await asyncio.wait_for(self._objects.get(key), self._patience_s)
            except (TimeoutError, FileNotFoundError) as error:  # the latter: there is no bucket
                self._away_until = time.monotonic() + self._away_s
                _log.warning("store_away", key=key, cause=type(error).__name__)
                raise store_away() from error


def store_away() -> PictureError:
    """What is said while it is away."""
    return PictureError("store-away", "The store does not answer: pictures come back when it does.")
