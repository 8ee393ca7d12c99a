"""How far a scan came, in a small file that survives a power cut.

The file is replaced as a whole, before and after each field's capture. Spool and file cannot be
written in one step, so the capture's id is noted before it is taken: a cut between saving the
capture and noting it leaves an id that the spool knows, and whoever goes on counts that field as
done. None is skipped, and none is captured twice.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

import msgspec

from edge.identity import new_capture_id
from edge.scan.plan import Plan
from edge.stage.base import Place

_SCHEMA: Final = 1


class ScanProgressError(RuntimeError):
    """The progress cannot be written or read; the message says what to do."""


@dataclass(frozen=True)
class Noted:
    """What the file holds. The slide is its token, never the number on it."""

    slide: str
    plan: Plan
    target_cells: int
    schema: int = _SCHEMA
    fields: int = 0
    """Fields visited, which is the index of the next."""
    saved: int = 0
    cells: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    place: Place | None = None
    """Where the stage stood when a picture was last taken, its focus included."""
    taking: str = ""
    """Capture id under which the next field is, or was, being captured."""
    begun_at: float = 0.0
    """Unix seconds, by the station's clock."""


class ScanProgress:
    """Of one scan. Made by `begin` or `resume`.

    Attributes:
        noted: what was written last.
        resumed: it was begun by another run.
    """

    def __init__(self, file: Path, noted: Noted, *, resumed: bool) -> None:
        self._file = file
        self.noted = noted
        self.resumed = resumed

    @classmethod
    def begin(cls, file: Path, slide: str, plan: Plan, target_cells: int) -> Self:
        """A new scan, noted at once; one that the file held is forgotten.

        Args:
            file: in the station's folder.
            slide: token.
            plan: where the fields lie.
            target_cells: white cells after which it ends; 0 for all of the area.

        Raises:
            ScanProgressError: the file cannot be written.
        """
        noted = Noted(slide, plan, target_cells, begun_at=time.time())
        progress = cls(file, noted, resumed=False)
        progress._write(noted)
        return progress

    @classmethod
    def resume(cls, file: Path, saved: Callable[[str], int | None]) -> Self | None:
        """The scan that another run did not finish; None when there is none.

        Args:
            file: in the station's folder.
            saved: white cells of the capture that was saved under an id; None when none was.

        Raises:
            ScanProgressError: the file cannot be read. A damaged one was put aside first.
        """
        try:
            noted = msgspec.json.decode(file.read_bytes(), type=Noted)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ScanProgressError(
                f"the scan's progress {file} cannot be read ({error.strerror}): check the disk"
            ) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise _damaged(file, str(error)) from error
        if noted.schema != _SCHEMA or not 0 <= noted.fields <= len(noted.plan):
            raise _damaged(file, f"schema {noted.schema}, field {noted.fields}")
        progress = cls(file, noted, resumed=True)
        cells = saved(noted.taking) if noted.taking else None
        if cells is not None and noted.place is not None:  # the cut came before it was noted
            progress.saved(cells, noted.place)
        return progress

    def taking(self, place: Place) -> str:
        """A capture id for the field that is taken next, noted when this returns.

        Args:
            place: where the stage stands.

        Raises:
            ScanProgressError: it cannot be written; capture nothing.
        """
        capture_id = new_capture_id()
        self._write(replace(self.noted, taking=capture_id, place=place))
        return capture_id

    def saved(self, cells: int, place: Place) -> None:
        """A field is saved: noted when this returns.

        Raises:
            ScanProgressError: it cannot be written; `resume` will find it saved.
        """
        was = self.noted
        self._write(
            replace(
                was,
                fields=was.fields + 1,
                saved=was.saved + 1,
                cells=was.cells + cells,
                place=place,
                taking="",
            )
        )

    def refused(self, reason: str, place: Place) -> None:
        """A field is passed over for a reason; likewise."""
        was = self.noted
        refused = was.refused | {reason: was.refused.get(reason, 0) + 1}
        self._write(replace(was, fields=was.fields + 1, refused=refused, place=place, taking=""))

    def discard(self) -> None:
        """Forget the scan: it is finished, or not wanted any more."""
        with contextlib.suppress(FileNotFoundError):
            self._file.unlink()

    def _write(self, noted: Noted) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _replace(self._file, msgspec.json.encode(noted))
        except OSError as error:
            raise ScanProgressError(
                f"the scan's progress {self._file} cannot be written ({error.strerror}): free the "
                "disk or check its owner"
            ) from error
        self.noted = noted


def _replace(file: Path, content: bytes) -> None:
    """All of it or nothing, on disk when this returns."""
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _damaged(file: Path, why: str) -> ScanProgressError:
    aside = file.with_suffix(".damaged")
    with contextlib.suppress(OSError):  # then it is in the way next time, and said again
        file.replace(aside)
    return ScanProgressError(
        f"the scan's progress was damaged ({why}) and is put aside as {aside}: begin the scan "
        "again; what was captured is safe"
    )
