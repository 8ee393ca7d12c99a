"""One activity at a time, and the last refusal."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from edge.desk.state import Activity, By, Refusal
from edge.refusal import CaptureRefused

_WORDS: Final[dict[Activity, str]] = {
    "capturing": "taking a picture",
    "focusing": "focusing",
    "scanning": "scanning the slide",
    "calibrating": "calibrating",
}


class Busy(CaptureRefused):
    """`station-busy`: something else is being done at this moment."""

    def __init__(self, activity: Activity) -> None:
        remedy = "Stop the scan first." if activity == "scanning" else "Wait until it is done."
        super().__init__("station-busy", f"The station is {_WORDS[activity]}.", remedy)


class Once:
    """Thread-safe.

    Args:
        changed: called after every change, on any thread.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self.activity: Activity = "idle"
        self.refusal: Refusal | None = None

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Nothing is being done, and nothing is begun meanwhile.

        Raises:
            Busy: something is.
        """
        with self._lock:
            if self.activity != "idle":
                raise Busy(self.activity)
            yield

    def take(self, activity: Activity) -> None:
        """Begin an activity; `give` ends it.

        Raises:
            Busy: another one is going on.
        """
        with self._lock:
            if self.activity != "idle":
                raise Busy(self.activity)
            self.activity = activity
        self._changed()

    def give(self) -> None:
        """End the activity."""
        with self._lock:
            self.activity = "idle"
        self._changed()

    @contextmanager
    def doing(self, activity: Activity) -> Iterator[None]:
        """An activity from beginning to end.

        Raises:
            Busy: another one is going on.
        """
        self.take(activity)
        try:
            yield
        finally:
            self.give()

    @contextmanager
    def noting(self, by: By) -> Iterator[None]:
        """Note a refusal, so that page and light show it; a success forgets the last one."""
        try:
            yield
        except CaptureRefused as refusal:
            self.refusal = Refusal(
                refusal.reason, refusal.sentence, refusal.remedy, datetime.now(UTC), by
            )
            self._changed()
            raise
        if self.refusal is not None:
            self.refusal = None
            self._changed()
