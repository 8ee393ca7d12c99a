"""Logins that failed: after a few, the address, or whoever is called so, has to wait."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

ALLOWED: Final = 5
"""Failed logins of one address within the window, where nothing else is said."""

WINDOW_S: Final = 300.0
_REMEMBERED: Final = 1000
"""The one that tried longest ago is forgotten first."""


class Attempts:
    """Counts the attempts of each address, or by each name. Thread-safe.

    Args:
        clock: seconds, monotonic.
        allowed: attempts within the window.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, allowed: int = ALLOWED
    ) -> None:
        self._clock = clock
        self._allowed = allowed
        self._lock = threading.Lock()
        self._tried: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, who: str) -> float:
        """Note an attempt, unless this one has to wait.

        Returns:
            Seconds to wait; 0 where the attempt may be made.
        """
        now = self._clock()
        with self._lock:
            tried = self._tried.setdefault(who, deque())
            self._tried.move_to_end(who)
            if len(self._tried) > _REMEMBERED:
                self._tried.popitem(last=False)
            while tried and now - tried[0] >= WINDOW_S:
                tried.popleft()
            if len(tried) >= self._allowed:
                return WINDOW_S - (now - tried[0])
            tried.append(now)
            return 0.0

    def forget(self, who: str) -> None:
        """The password was right."""
        with self._lock:
            self._tried.pop(who, None)
