"""Whether the station's clock can be right, told by the calendar and by the cloud's receipts."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from edge.trouble import Trouble
from wire.messages import Receipt

FIRST_YEAR: Final = 2026
"""This program was not written before."""
LAST_YEAR: Final = 2056
TOLERANCE: Final = timedelta(minutes=2)
_MOST_SENT: Final = 2000
_REMEDY: Final = (
    "Connect the station to a network, from which it sets its clock, or set it by hand "
    "(timedatectl set-time). Captures go on; their times will be wrong."
)


class ClockCheck:
    """Compares the station's clock with the times in receipts. Thread-safe.

    A receipt is written after its frame was sent and before it arrives here, so its time lies
    between the two. Only frames sent in this run count for the first bound: a receipt may have
    waited at the broker for days.

    Args:
        now: the clock that is checked; UTC.
        monotonic: seconds that only grow, whatever the clock does.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._sent: dict[str, float] = {}
        self._ahead = timedelta()

    def sent(self, capture_id: str) -> None:
        """A frame goes out."""
        with self._lock:
            if len(self._sent) >= _MOST_SENT:  # a cloud that answers nothing for weeks
                self._sent.pop(next(iter(self._sent)))
            self._sent.setdefault(capture_id, self._monotonic())

    def receipted(self, receipt: Receipt) -> None:
        """Its receipt has come."""
        now = self._now()
        with self._lock:
            sent = self._sent.pop(receipt.capture_id or "", None)
            if receipt.at > now + TOLERANCE:
                self._ahead = now - receipt.at
            elif sent is not None:
                left = now - timedelta(seconds=self._monotonic() - sent)
                self._ahead = left - receipt.at if receipt.at < left - TOLERANCE else timedelta()

    def trouble(self) -> Trouble | None:
        """`clock-wrong`, or None when nothing speaks against the clock."""
        now = self._now()
        if not FIRST_YEAR <= now.year <= LAST_YEAR:
            return _wrong(f"The station's clock says {now:%Y-%m-%d}, which cannot be.")
        with self._lock:
            ahead = self._ahead
        if not ahead:
            return None
        side = "ahead of" if ahead > timedelta() else "behind"
        return _wrong(f"The station's clock is {_words(abs(ahead))} {side} the cloud's.")


def _wrong(sentence: str) -> Trouble:
    return Trouble("clock-wrong", sentence, _REMEDY)


def _words(span: timedelta) -> str:
    """About how long, in one unit, so that the sentence does not change with every receipt."""
    for unit, seconds in (("year", 365 * 86_400), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        number = round(span.total_seconds() / seconds)
        if span.total_seconds() >= seconds:
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "a minute"
