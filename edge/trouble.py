"""What is wrong at the station, as its status message and its page may say it."""

import threading
from dataclasses import dataclass

import structlog

_log = structlog.get_logger("edge.trouble")


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong."""

    code: str
    """Of docs/refusals.md, where it is an anchor."""
    sentence: str
    """What happened."""
    remedy: str
    """What to do; empty where the sentence says it."""


class Troubles:
    """One sentence for each thing that may be wrong, until it is over. Thread-safe.

    The sentences travel, so they hold codes and counts; no path, and no words of a camera, a disk
    or a library. Those go into the station's own log.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[str, Trouble] = {}

    def note(self, code: str, sentence: str, cause: object = "", *, remedy: str = "") -> None:
        """Something is wrong; logged once, with its cause, until the sentence changes."""
        trouble = Trouble(code, sentence, remedy)
        with self._lock:
            known = self._noted.get(code) == trouble
            self._noted[code] = trouble
        if not known:
            _log.error("trouble", about=code, detail=sentence, cause=str(cause) or None)

    def over(self, code: str) -> None:
        """It is well again."""
        with self._lock:
            trouble = self._noted.pop(code, None)
        if trouble is not None:
            _log.info("trouble_over", about=code)

    def all(self) -> tuple[Trouble, ...]:
        """What is wrong now, in the order it was first noted."""
        with self._lock:
            return tuple(self._noted.values())

    def __str__(self) -> str:
        return "; ".join(trouble.sentence for trouble in self.all())
