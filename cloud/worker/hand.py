"""The frames in hand: never more than the cap, acknowledged in the order they came."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from wire.connection import Delivery


@dataclass(slots=True)
class Held:
    """A delivery in hand."""

    delivery: Delivery
    done: bool = False


class Hand:
    """Our own cap on frames in hand: brokers do not reliably enforce Receive Maximum.

    MQTT wants acknowledgements in order of arrival, so a finished frame waits for those before it,
    and keeps its place in the hand until it is acknowledged.

    Args:
        cap: frames in hand at a time.
        acknowledge: called once for each, in order of arrival.
    """

    def __init__(self, cap: int, acknowledge: Callable[[Delivery], object]) -> None:
        self._free = threading.Semaphore(cap)
        self._acknowledge = acknowledge
        self._held: deque[Held] = deque()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def __len__(self) -> int:
        return len(self._held)

    def take(self, delivery: Delivery) -> Held | None:
        """Take a delivery; waits, on the network thread, while the hand is full.

        Waiting there stops reading the socket, so TCP holds the broker back. None once closed.
        """
        while not self._free.acquire(timeout=0.5):
            if self._closed.is_set():
                return None
        with self._lock:
            if self._closed.is_set():
                self._free.release()
                return None
            held = Held(delivery)
            self._held.append(held)
            return held

    def finish(self, held: Held) -> None:
        """Mark one as done, and acknowledge all that are done up to the first that is not."""
        with self._lock:
            held.done = True
            while self._held and self._held[0].done:
                first = self._held.popleft()
                self._free.release()
                self._acknowledge(first.delivery)

    def close(self) -> None:
        """Take nothing more; what is in hand can still be finished."""
        with self._lock:
            self._closed.set()
