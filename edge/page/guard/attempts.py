"""Logins that failed: after a few, the address has to wait."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

ALLOWED: Final = 5
"""Failed logins of one address within the window."""

WINDOW_S: Final = 300.0
_ADDRESSES: Final = 1000
"""Addresses that are remembered; the one that tried longest ago is forgotten first."""


class Attempts:
    """Counts the attempts of each address. Thread-safe.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tried: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Note an attempt, unless the address has to wait.

        Returns:
            Seconds to wait; 0 where the attempt may be made.
        """
        now = self._clock()
        with self._lock:
            tried = self._tried.setdefault(address, deque())
            self._tried.move_to_end(address)
            if len(self._tried) > _ADDRESSES:
                self._tried.popitem(last=False)
            while tried and now - tried[0] >= WINDOW_S:
                tried.popleft()
            if len(tried) >= ALLOWED:
                return WINDOW_S - (now - tried[0])
            tried.append(now)
            return 0.0

    def forget(self, address: str) -> None:
        """The password was right."""
        with self._lock:
            self._tried.pop(address, None)
