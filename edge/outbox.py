"""What to send when: frames without a receipt, within the window, again after a timeout."""

import time
from dataclasses import dataclass


@dataclass(slots=True)
class _Sent:
    times: int
    due_again: float


class Outbox:
    """Remembers, for this run only, when each waiting frame was sent last.

    After a restart all are sent once more: a repeat costs a receipt and changes nothing.

    Args:
        resend_after_s: first wait for a receipt, in seconds; it doubles with each resend.
        resend_max_s: longest wait.
    """

    def __init__(self, resend_after_s: float, resend_max_s: float) -> None:
        self._after = resend_after_s
        self._max = resend_max_s
        self._sent: dict[str, _Sent] = {}

    def due(self, waiting: list[str], now: float | None = None) -> list[str]:
        """Those of the waiting captures to send now; forgets all others."""
        moment = time.monotonic() if now is None else now
        self._sent = {id_: self._sent[id_] for id_ in waiting if id_ in self._sent}
        return [
            capture_id
            for capture_id in waiting
            if capture_id not in self._sent or self._sent[capture_id].due_again <= moment
        ]

    def sent(self, capture_id: str, now: float | None = None) -> int:
        """Note that a capture was sent; returns how often by now."""
        moment = time.monotonic() if now is None else now
        times = self._sent[capture_id].times + 1 if capture_id in self._sent else 1
        wait = min(self._max, self._after * 2 ** min(times - 1, 20))
        self._sent[capture_id] = _Sent(times, moment + wait)
        return times

    def send_all_again(self) -> None:
        """Make everything due, as a person's `retry` asks."""
        self._sent.clear()
