"""Plays patterns on a lamp: one that lasts, and events that are played over it once."""

import threading
import time
from collections import deque
from typing import Final, Protocol

from edge.panel.patterns import Pattern

_AT_MOST: Final = 3
"""Events that wait to be played; what is older than three no longer tells of now."""


class Lamp(Protocol):
    """What can be lit, such as gpiozero's LED."""

    def on(self) -> None:
        """Light it."""

    def off(self) -> None:
        """Darken it."""


class Light:
    """One lamp and what it says, on a thread of its own. Thread-safe.

    Args:
        lamp: stays the caller's to close.
        lasting: what it says at first.
    """

    def __init__(self, lamp: Lamp, lasting: Pattern) -> None:
        self._lamp = lamp
        self._lasting = lasting
        self._waiting: deque[Pattern] = deque(maxlen=_AT_MOST)
        self._playing: Pattern | None = None
        self._stopping = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="panel-light", daemon=True)

    def start(self) -> None:
        """Begin to shine."""
        self._thread.start()

    def show(self, lasting: Pattern) -> None:
        """Say this from now on; an event that is being played is played to its end."""
        with self._news:
            self._lasting = lasting
            self._news.notify_all()

    def tell(self, event: Pattern) -> None:
        """Play this once; not again when the same is being played or waits to be."""
        with self._news:
            if event is not self._playing and event not in self._waiting:
                self._waiting.append(event)
                self._news.notify_all()

    def stop(self) -> None:
        """Go dark."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._lamp.off()

    def _run(self) -> None:
        while pattern := self._next():
            self._play(pattern)

    def _next(self) -> Pattern | None:
        with self._news:
            if self._stopping:
                return None
            self._playing = self._waiting.popleft() if self._waiting else self._lasting
            return self._playing

    def _play(self, pattern: Pattern) -> None:
        for lit, seconds in pattern.steps:
            self._lamp.on() if lit else self._lamp.off()
            if self._interrupted(pattern, time.monotonic() + seconds):
                return

    def _interrupted(self, pattern: Pattern, until: float) -> bool:
        """Wait until then; True at once when something else is to be played."""
        with self._news:
            return self._news.wait_for(
                lambda: self._stopping or (not pattern.once and self._has_news(pattern)),
                timeout=max(0.0, until - time.monotonic()),
            )

    def _has_news(self, pattern: Pattern) -> bool:
        return bool(self._waiting) or self._lasting is not pattern
