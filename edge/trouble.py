"""What is wrong at the station, as its status message may say it."""

import threading

import structlog

_log = structlog.get_logger("edge.trouble")


class Troubles:
    """One sentence for each thing that may be wrong, until it is over. Thread-safe.

    The sentences travel, so they hold codes and counts; no path, and no words of a camera, a disk
    or a library. Those go into the station's own log.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sentences: dict[str, str] = {}

    def note(self, about: str, sentence: str, cause: object = "") -> None:
        """Something is wrong; logged once, with its cause, until the sentence changes."""
        with self._lock:
            known = self._sentences.get(about) == sentence
            self._sentences[about] = sentence
        if not known:
            _log.error("trouble", about=about, detail=sentence, cause=str(cause) or None)

    def over(self, about: str) -> None:
        """It is well again."""
        with self._lock:
            sentence = self._sentences.pop(about, None)
        if sentence is not None:
            _log.info("trouble_over", about=about)

    def __str__(self) -> str:
        with self._lock:
            return "; ".join(self._sentences.values())
