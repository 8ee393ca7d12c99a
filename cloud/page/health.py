"""What the room knows of the parts it stands on."""

import threading
from typing import Literal, TypeAlias

import structlog

Part: TypeAlias = Literal["broker", "store", "index", "slides", "feeder", "reports", "push"]

_log = structlog.get_logger("cloud.page")


class Health:
    """Which part works, and why one does not. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._troubles: dict[Part, str] = {
            "broker": "not yet connected",
            "store": "not yet asked",
        }
        self._ended: dict[Part, str] = {}

    def set(self, part: Part, trouble: str | None) -> None:
        """Note that a part works (None), or why it does not."""
        with self._lock:
            if self._closed:
                return
            before = self._troubles.get(part)
            if trouble is None:
                self._troubles.pop(part, None)
            else:
                self._troubles[part] = trouble
        if (before is None) != (trouble is None):
            level = _log.info if trouble is None else _log.warning
            level("part_works" if trouble is None else "part_fails", part=part, trouble=trouble)

    def end(self, part: Part, why: str) -> None:
        """A part's work has ended; nothing but a new start of the program mends that."""
        with self._lock:
            if self._closed:
                return
            self._ended.setdefault(part, why)
        _log.error("part_ended", part=part, why=why)

    def close(self) -> None:
        """The room is being closed: that its connections end is no trouble."""
        with self._lock:
            self._closed = True

    def troubles(self) -> dict[Part, str]:
        """What does not work now, and why."""
        with self._lock:
            return self._troubles | self._ended

    def ended(self) -> list[Part]:
        """Those of them that only a new start mends."""
        with self._lock:
            return sorted(self._ended)
