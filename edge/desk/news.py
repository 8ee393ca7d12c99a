"""The state, put together when somebody looks, and whoever waits for it to change."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edge.desk.state import DeskState

_STALE_S: Final = 1.0
"""Seconds after which the state is looked at anew though nobody told of a change."""


class News:
    """Thread-safe. Nothing is put together while nobody looks.

    Args:
        compose: puts the state together, with any version; called by one thread at a time, first
            when somebody looks.
    """

    def __init__(self, compose: Callable[[], DeskState]) -> None:
        self._compose = compose
        self._news = threading.Condition()
        self._changes = 0
        self._looked_change = -1
        self._looked_at = float("-inf")
        self._state: DeskState | None = None

    def changed(self) -> None:
        """Something is different; on any thread."""
        with self._news:
            self._changes += 1
            self._news.notify_all()

    def now(self) -> DeskState:
        """The state; its version grows with every change of what it shows."""
        with self._news:
            return self._look()

    def wait(self, seen_version: int, timeout_s: float) -> DeskState:
        """The state as soon as it is newer than `seen_version`, or after `timeout_s` seconds."""
        until = time.monotonic() + timeout_s
        with self._news:
            while True:
                state, left = self._look(), until - time.monotonic()
                if state.version > seen_version or left <= 0:
                    return state
                self._news.wait(min(left, _STALE_S))

    def _look(self) -> DeskState:
        """Under the condition."""
        fresh = time.monotonic() - self._looked_at < _STALE_S
        if self._state is not None and fresh and self._looked_change == self._changes:
            return self._state
        self._looked_change, self._looked_at = self._changes, time.monotonic()
        version = 0 if self._state is None else self._state.version
        now = replace(self._compose(), version=version)
        if now != self._state:
            self._state = replace(now, version=version + 1)
        return self._state
