"""The open slide: its token and since when, kept on disk so that it survives a restart."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from edge.desk.state import By
from wire.messages import Moment, Name

_log = structlog.get_logger("edge.desk")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    slide: Name
    since: Moment
    by: By = "station"
    """A file that was written before this was kept does not say."""


@dataclass(frozen=True)
class OpenSlide:
    """The slide under the lens."""

    slide: str
    """Token."""
    since: datetime
    by: By
    """Who began it; `station` where that is not known."""


class SlideSession:
    """Never holds an accession.

    Args:
        file: in the station's folder.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.open: OpenSlide | None = self._read()

    def begin(self, slide: str, by: By) -> bool:
        """Open a slide; False where it could not be written down, and so ends with a restart.

        The slide that is open stays so since when it was; it is of whoever begins it last.
        """
        opened = self.open
        since = opened.since if opened and opened.slide == slide else datetime.now(UTC)
        self.open = OpenSlide(slide, since, by)
        try:
            self._write(msgspec.json.encode(_File(slide, since, by)))
        except OSError as error:
            _log.error("slide_not_kept", cause=str(error))
            return False
        return True

    def end(self) -> None:
        """Close it."""
        self.open = None
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            _log.error("slide_not_forgotten", cause=str(error))

    def _read(self) -> OpenSlide | None:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_File)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.error("slide_unreadable", cause=str(error))
            return None
        return OpenSlide(kept.slide, kept.since, kept.by)

    def _write(self, data: bytes) -> None:
        """Beside it, then renamed: a power cut leaves the old slide or the new one."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self._file.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(descriptor)
        beside.replace(self._file)
