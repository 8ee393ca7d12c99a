"""What a hand on the button means: a press, or a hold."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

_CLOCK_SLACK_S: Final = 0.02
"""gpiozero's hold thread and our clock need not agree to the millisecond."""


class Hand:
    """Tells press from hold when the button comes up again.

    Both are acted on at the release. Gloves press long and unsure, so a hold is announced (the
    light says *let go*) before it counts; a picture is taken when no finger shakes the stage any
    more; and a button that jams, or that something leans on, does nothing.

    Args:
        button: gpiozero's `Button`.
        hold_s: seconds down from which a press is a hold.
        press: called at the end of a press.
        hold: called at the end of a hold.
        held: called while the button is still down, when the hold has become one.
    """

    def __init__(
        self,
        button: Any,  # noqa: ANN401  # gpiozero ships no type information
        hold_s: float,
        *,
        press: Callable[[], None],
        hold: Callable[[], None],
        held: Callable[[], None],
    ) -> None:
        self._hold_s = hold_s
        self._press, self._hold, self._held = press, hold, held
        self._down_at: float | None = None
        self._lock = threading.Lock()
        button.when_pressed = self._down
        button.when_released = self._up
        button.when_held = self._still_down

    def _down(self) -> None:
        with self._lock:
            self._down_at = time.monotonic()

    def _still_down(self) -> None:
        if self._seconds_down() >= self._hold_s - _CLOCK_SLACK_S:
            self._held()

    def _up(self) -> None:
        seconds = self._seconds_down()
        with self._lock:
            was_down, self._down_at = self._down_at is not None, None
        if not was_down:  # it was down already when we began to look
            return
        if seconds >= self._hold_s - _CLOCK_SLACK_S:
            self._hold()
        else:
            self._press()

    def _seconds_down(self) -> float:
        with self._lock:
            return 0.0 if self._down_at is None else time.monotonic() - self._down_at
