"""One sender per spool: a lock that ends with the process that holds it."""

import fcntl
import threading
import time
from pathlib import Path
from typing import IO


class SenderLock:
    """Whoever holds it sends the spool; the others only save into it.

    Args:
        file: beside the spool.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._opened: IO[str] | None = None

    def take(self, wait_s: float = 0.0, stop: threading.Event | None = None) -> bool:
        """Take the lock, waiting up to `wait_s` seconds, and no longer than `stop` is unset.

        Returns:
            False when another process still has it.
        """
        until = time.monotonic() + wait_s
        stopped = stop or threading.Event()
        while not self._take():
            if time.monotonic() >= until or stopped.wait(0.2):
                return False
        return True

    def _take(self) -> bool:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = self._file.open("a")
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            opened.close()
            return False
        self._opened = opened
        return True

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._opened is not None

    def give(self) -> None:
        """Give it back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
