"""Has lines that several threads bring at the same time written in one transaction."""

import threading
from collections.abc import Callable
from typing import Final

from cloud.accounts.append import Deed

_MOST: Final = 200
"""Lines of one transaction."""


class _Brought:
    def __init__(self, deed: Deed) -> None:
        self.deed = deed
        self.done = False
        self.error: BaseException | None = None


class Together:
    """A disk takes as long for fifty lines as for one. Thread-safe.

    Args:
        write: writes deeds, all of them or none.
    """

    def __init__(self, write: Callable[[list[Deed]], None]) -> None:
        self._write = write
        self._writing = threading.Lock()
        self._brought: list[_Brought] = []
        self._bringing = threading.Lock()

    def bring(self, deed: Deed) -> None:
        """Back when it is written; whoever comes first writes for all that wait by then.

        Raises:
            Exception: what `write` raised.
        """
        mine = _Brought(deed)
        with self._bringing:
            self._brought.append(mine)
        with self._writing:
            while not mine.done:
                self._write_next()
        if mine.error is not None:
            raise mine.error

    def _write_next(self) -> None:
        with self._bringing:
            batch, self._brought = self._brought[:_MOST], self._brought[_MOST:]
        error: BaseException | None = None
        try:
            self._write([one.deed for one in batch])
        except BaseException as raised:  # noqa: BLE001  # each of those who wait raises it
            error = raised
        for one in batch:
            one.error, one.done = error, True
