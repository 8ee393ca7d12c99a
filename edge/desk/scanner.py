"""The scan of the open slide, on a thread of its own."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from edge.desk.once import Once
from edge.desk.state import By, Line, ScanState
from edge.microscope import Microscope
from edge.refusal import CaptureRefused
from edge.scan.progress import Noted, ScanProgress, ScanProgressError
from edge.scan.run import run
from edge.scan.shelf import ScanShelf
from edge.scan.status import ScanStatus
from edge.settings import EdgeSettings
from edge.stage.refusal import no_stage
from edge.trouble import Troubles
from wire.messages import FrameResult

_STOP_S: Final = 10.0

_log = structlog.get_logger("edge.desk")


class Scanner:
    """Begins, stops and goes on with scans; knows how far that of the open slide came.

    It is made before anything is sent: of a scan that a power cut ended, the spool still holds the
    last field then, and so its cells.

    Args:
        settings: of the station.
        microscope: with a stage, or `start` refuses.
        once: the desk's.
        take: captures the field in view for a slide, under a capture id.
        saved: white cells of the capture that was saved under an id; None when none was.
        changed: called after every change, on any thread.
        troubles: of the station; told of progress that cannot be read.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        microscope: Microscope,
        once: Once,
        take: Callable[[str, str], Line],
        saved: Callable[[str], int | None],
        changed: Callable[[], None],
        troubles: Troubles,
    ) -> None:
        self._settings = settings
        self._shelf = ScanShelf(settings.data_dir / "scans")
        self._troubles = troubles
        self._lock = threading.Lock()
        self._microscope = microscope
        self._once = once
        self._take = take
        self._saved = saved
        self._changed = changed
        self._beginning = threading.Lock()  # until the thread of a scan that begins is there
        self._closed = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._tally = _Tally()
        self._slide = ""
        self._state: ScanState | None = None
        for file in self._shelf.files():
            self._recalled(file)

    def state(self, slide: str | None) -> ScanState | None:
        """How far the scan of this slide is or was; None without one."""
        if slide is None:
            return None
        with self._lock:
            if slide != self._slide and self._once.activity != "scanning":
                self._slide, self._tally = slide, _Tally()
                before = self._recalled(self._shelf.file(slide))
                self._state = None if before is None else _state(before.noted, running=False)
            state = self._state if slide == self._slide else None
        return None if state is None else replace(state, counts=self._tally.counts)

    def start(self, by: By, needed: Callable[[], str], target_cells: int, *, resume: bool) -> None:
        """Scan until so many white cells are counted, or the area is done.

        Args:
            by: who asked.
            needed: tells the token of the open slide.
            target_cells: 0 for all of the area; not asked for where a scan is gone on with.
            resume: go on with an unfinished scan of this slide, if there is one.

        Raises:
            CaptureRefused: `no-slide`, `no-stage`, `station-busy`, `scan-not-noted`.
        """
        if self._microscope.stage is None:
            raise no_stage()
        with self._beginning:
            self._begin(by, needed, target_cells, resume=resume)

    def _begin(self, by: By, needed: Callable[[], str], target_cells: int, *, resume: bool) -> None:
        self._once.take("scanning")
        try:
            slide = needed()
            with self._lock:
                progress = self._progress(slide, target_cells, resume=resume)
                if not progress.resumed or slide != self._slide:
                    self._tally = _Tally()
                self._slide, self._state = slide, _state(progress.noted, running=True)
        except BaseException:
            self._once.give()
            raise
        self._troubles.over("scan-not-noted")
        self._stop = threading.Event()
        if self._closed:
            self._stop.set()
        self._thread = threading.Thread(
            target=self._run, args=(progress, slide, self._stop), name="scan", daemon=True
        )
        _log.info("scan_started", slide=slide, by=by, resumed=progress.resumed)
        self._thread.start()

    def stop(self) -> None:
        """End it after the field at hand; one that is just beginning, before its first."""
        with self._beginning:
            self._stop.set()

    def result(self, result: FrameResult) -> None:
        """A suggested result came back."""
        counts = {str(label): count for label, count in result.counts.items()}
        if self._tally.result(result.capture_id, counts):
            self._changed()

    def close(self) -> None:
        """Stop, and wait for the field at hand. A scan that begins later takes none."""
        with self._beginning:
            self._closed = True
            self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def _progress(self, slide: str, target_cells: int, *, resume: bool) -> ScanProgress:
        try:
            file = self._shelf.file(slide)
            before = ScanProgress.resume(file, self._saved) if resume else None
            if before is not None:
                return before
            stage = self._microscope.stage
            if stage is None:
                raise no_stage()
            plan = self._settings.scan.plan(stage.place)
            progress = ScanProgress.begin(file, slide, plan, target_cells)
            self._shelf.make_room()
            return progress
        except ScanProgressError as error:
            raise CaptureRefused(
                "scan-not-noted",
                _UNREADABLE,
                _BEGIN_AGAIN,
                f"{error}.",
            ) from error

    def _run(self, progress: ScanProgress, slide: str, stop: threading.Event) -> None:
        try:
            run(
                self._microscope,
                lambda _place, capture_id: self._field(slide, capture_id),
                progress,
                stop,
                settings=self._settings.scan,
                tell=self._tell,
            )
        except Exception:  # noqa: BLE001  # a fault of the program: it must not end in silence
            _log.exception("scan_crashed")
            self._state = replace(_state(progress.noted, running=False), problem=_CRASHED)
        finally:
            self._once.give()

    def _field(self, slide: str, capture_id: str) -> int:
        line = self._take(slide, capture_id)
        self._tally.taken(line.capture_id)
        return line.cells

    def _tell(self, status: ScanStatus) -> None:
        self._state = ScanState(
            running=status.activity == "running",
            target_cells=status.target_cells,
            cells=status.cells,
            fields=status.fields,
            all_fields=status.all_fields,
            refused=sum(status.refused.values()),
            problem=f"{status.sentence} {status.remedy}".strip(),
            finished=status.activity == "finished",
        )
        self._changed()

    def _recalled(self, file: Path) -> ScanProgress | None:
        """A scan that was cut off: shown, and gone on with when somebody asks."""
        try:
            return ScanProgress.resume(file, self._saved)
        except ScanProgressError as error:
            self._troubles.note("scan-not-noted", _UNREADABLE, error, remedy=_BEGIN_AGAIN)
        except CaptureRefused as refusal:  # the spool does not answer; asked again at `start`
            _log.error("scan_not_recalled", cause=str(refusal))
        return None


class _Tally:
    """White cells by suggested label, of the captures of one scan. Thread-safe."""

    _MOST_EARLY: Final = 256

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._awaited: set[str] = set()
        self._early: dict[str, dict[str, int]] = {}
        self._counts: dict[str, int] = {}

    @property
    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def taken(self, capture_id: str) -> None:
        """A capture of this scan; its result may have been quicker."""
        with self._lock:
            counts = self._early.pop(capture_id, None)
            if counts is None:
                self._awaited.add(capture_id)
            else:
                self._add(counts)

    def result(self, capture_id: str, counts: dict[str, int]) -> bool:
        """Whether it is one of this scan."""
        with self._lock:
            if capture_id in self._awaited:
                self._awaited.remove(capture_id)
                self._add(counts)
                return True
            self._early[capture_id] = counts
            while len(self._early) > self._MOST_EARLY:
                self._early.pop(next(iter(self._early)))
            return False

    def _add(self, counts: dict[str, int]) -> None:
        for label, count in counts.items():
            self._counts[label] = self._counts.get(label, 0) + count


_UNREADABLE: Final = "How far a scan has come cannot be read from or written to the station's disk."
_BEGIN_AGAIN: Final = "Free the disk, then begin the scan again; what was captured is safe."
_CRASHED: Final = (
    "The station's program failed during the scan; the log says where. Go on with the scan, and "
    "report it."
)


def _state(noted: Noted, *, running: bool) -> ScanState:
    return ScanState(
        running=running,
        target_cells=noted.target_cells,
        cells=noted.cells,
        fields=noted.fields,
        all_fields=len(noted.plan),
        refused=sum(noted.refused.values()),
    )
