"""Reads of what is never written again, kept in memory."""

from collections import OrderedDict
from typing import Final, Protocol

from cloud.stores.objects import Objects

_KEPT_BYTES: Final = 64 * 1024 * 1024


class Reads(Protocol):
    """What reading a slide needs of a bucket."""

    async def get(self, key: str) -> bytes | None:
        """Read an object; None when there is none."""
        ...

    async def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object under a prefix, by key."""
        ...


class Remembered:
    """A bucket whose objects are read once; only for keys that are created and then left.

    What is listed is always asked for, so what was removed is missed at once; what was altered is
    not noticed here: that is for `leukoscope-cloud verify`, which reads the bucket itself.
    """

    def __init__(self, objects: Objects, kept_bytes: int = _KEPT_BYTES) -> None:
        self._objects = objects
        self._left = kept_bytes
        self._read: OrderedDict[str, bytes] = OrderedDict()

    async def sizes(self, prefix: str) -> dict[str, int]:
        """As `Objects.sizes`."""
        return await self._objects.sizes(prefix)

    async def get(self, key: str) -> bytes | None:
        """As `Objects.get`, from memory where it was read before."""
        data = self._read.get(key)
        if data is not None:
            self._read.move_to_end(key)
            return data
        data = await self._objects.get(key)
        if data is not None and key not in self._read:
            self._read[key] = data
            self._left -= len(data)
            while self._left < 0:
                self._left += len(self._read.popitem(last=False)[1])
        return data
