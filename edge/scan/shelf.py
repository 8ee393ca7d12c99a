"""The scans that were begun and are not finished: one file for each slide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

MOST: Final = 200
"""Unfinished scans that are kept; whoever has more to go on with has no slides left to look at."""

_log = structlog.get_logger("edge.scan")


class ScanShelf:
    """Where each slide's progress lies, so that a scan of one slide does not end another's.

    Args:
        folder: in the station's folder; made when the first scan is begun.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, slide: str) -> Path:
        """Of a slide's progress; there or not.

        Args:
            slide: token.
        """
        return self._folder / f"{slide}.json"

    def files(self) -> Iterator[Path]:
        """Of all unfinished scans, the newest first."""
        return iter(sorted(self._folder.glob("*.json"), key=_age, reverse=True))

    def make_room(self) -> None:
        """Forget the oldest of more than MOST; what they captured stays, and the log says which."""
        for file in list(self.files())[MOST:]:
            _log.warning("scan_forgotten", slide=file.stem)
            file.unlink(missing_ok=True)


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # just finished
        return 0.0
