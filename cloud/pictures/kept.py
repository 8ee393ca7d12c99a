"""Pictures that were made or fetched before: some in memory, more on disk."""

import asyncio
from collections import OrderedDict
from typing import Final

from cloud.pictures.disk import Disk

_IN_MEMORY: Final = 64 * 1024 * 1024


class Kept:
    """A bounded cache of bytes by name; whatever is in it can be made again.

    Args:
        disk: None keeps in memory only.
        in_memory: bytes.
    """

    def __init__(self, disk: Disk | None, in_memory: int = _IN_MEMORY) -> None:
        self._disk = disk
        self._left = in_memory
        self._recent: OrderedDict[str, bytes] = OrderedDict()

    def at_hand(self, name: str) -> bytes | None:
        """What is in memory."""
        data = self._recent.get(name)
        if data is not None:
            self._recent.move_to_end(name)
        return data

    async def get(self, name: str) -> bytes | None:
        """What was kept; None where nothing is."""
        data = self.at_hand(name)
        if data is None and self._disk is not None:
            data = await asyncio.to_thread(self._disk.get, name)
            if data is not None:
                self._remember(name, data)
        return data

    async def put(self, name: str, data: bytes) -> None:
        """Keep it, as long as there is room."""
        self._remember(name, data)
        if self._disk is not None:
            await asyncio.to_thread(self._disk.put, name, data)

    def _remember(self, name: str, data: bytes) -> None:
        if name not in self._recent:
            self._recent[name] = data
            self._left -= len(data)
        while self._left < 0:
            self._left += len(self._recent.popitem(last=False)[1])
