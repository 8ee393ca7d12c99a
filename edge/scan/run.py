"""Carries a scan out: field by field, until enough white cells are counted or the area is done."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Literal, Protocol

import structlog

from edge.cameras.base import CameraError, Shot
from edge.capture import camera_failed
from edge.focus.sweep import FocusStopped, autofocus
from edge.refusal import CaptureRefused
from edge.scan.progress import ScanProgress, ScanProgressError
from edge.scan.settings import ScanSettings
from edge.scan.status import ScanStatus
from edge.stage.base import Forgets, Halts, Place, Stage, StageError
from edge.stage.refusal import no_stage, stage_failed

FIELDS_FAULT: Final = frozenset(
    {"too-dark", "too-bright", "clipped", "empty-field", "out-of-focus", "colour-cast"}
    | {"label-in-view", "image-over-budget"}
)
"""Refusals that say something of one field: it is passed over. Any other would refuse the next
field too: the scan stops, and the field is taken when it goes on."""

_LISTEN_S: Final = 0.1

_log = structlog.get_logger("edge.scan")


class Scope(Protocol):
    """What a scan needs of a microscope: `edge.microscope.Microscope`."""

    stage: Stage | None

    def raw(self, *, again: bool = False) -> Shot:
        """An uncorrected picture."""
        ...


def run(
    microscope: Scope,
    capture: Callable[[Place, str], int],
    progress: ScanProgress,
    stop: threading.Event,
    *,
    settings: ScanSettings | None = None,
    tell: Callable[[ScanStatus], None] = lambda status: None,
) -> ScanStatus:
    """Visit the fields that `progress` has not noted yet, in their order.

    No field is skipped by a power cut, and none is captured twice (see `edge.scan.progress`).

    Args:
        microscope: with a stage.
        capture: saves the field in view, at a place, under a capture id, and says how many white
            cells it holds. Raises `CaptureRefused`, like `edge.capture.Capturer`.
        progress: of this scan; forgotten when it is finished.
        stop: ends the scan within a second, but for a picture that is being taken.
        settings: when to focus and to give up.
        tell: hears of every field, on this thread.

    Returns:
        How it ended.

    Raises:
        CaptureRefused: `no-stage`.
    """
    if microscope.stage is None:
        raise no_stage()
    scan = _Scan(microscope, microscope.stage, capture, progress, stop, settings or ScanSettings())
    with _halting(microscope.stage, stop):
        status = scan.run(tell)
    _log.info("scan_ended", activity=status.activity, fields=status.fields, reason=status.reason)
    tell(status)
    return status


class _Scan:
    def __init__(
        self,
        microscope: Scope,
        stage: Stage,
        capture: Callable[[Place, str], int],
        progress: ScanProgress,
        stop: threading.Event,
        settings: ScanSettings,
    ) -> None:
        self._microscope, self._stage, self._capture = microscope, stage, capture
        self._progress, self._stop, self._settings = progress, stop, settings
        self._refused_in_a_row = 0
        self._unfocused = 0
        self._since_focus = settings.refocus_every  # due at once

    def run(self, tell: Callable[[ScanStatus], None]) -> ScanStatus:
        try:
            self._z = self._recalled_height()
            while not self._is_enough():
                if self._stop.is_set():
                    return self._status("stopped")
                self._visit()
                tell(self._status("running"))
            self._progress.discard()
            return self._status("finished")
        except FocusStopped:
            return self._status("stopped")
        except StageError as error:
            if self._stop.is_set():  # it was halted
                return self._status("stopped")
            return self._failed(stage_failed(error))
        except CameraError as error:
            return self._failed(camera_failed(error))
        except ScanProgressError as error:
            return self._failed(_not_noted(error))
        except CaptureRefused as refusal:
            return self._failed(refusal)

    def _is_enough(self) -> bool:
        noted = self._progress.noted
        counted = 0 < noted.target_cells <= noted.cells
        return counted or noted.fields >= len(noted.plan)

    def _recalled_height(self) -> float:
        """Where the focus was; a stage that has lost its place learns it from the last field."""
        last = self._progress.noted.place
        if last is None:
            return self._stage.place.z
        if isinstance(self._stage, Forgets) and self._stage.forgot:
            self._stage.believe(last)
            _log.warning("scan_told_the_stage_its_place", place=str(last))
        return last.z

    def _visit(self) -> None:
        noted = self._progress.noted
        place = replace(noted.plan.place(noted.fields), z=self._z)
        self._stage.move_to(place)
        every = self._settings.refocus_every
        self._since_focus += 1
        focused = 0 < every <= self._since_focus
        if focused:
            self._focus()
        self._take(focused=focused)

    def _take(self, *, focused: bool) -> None:
        """Capture the field in view and note it; out of focus, focus and try once more."""
        place = self._stage.place
        try:
            cells = self._capture(place, self._progress.taking(place))
        except CaptureRefused as refusal:
            if refusal.reason not in FIELDS_FAULT:
                raise
            if refusal.reason == "out-of-focus" and not focused and self._settings.refocus_every:
                self._focus()
                self._take(focused=True)
                return
            self._pass_over(refusal, place)
        else:
            self._progress.saved(cells, place)
            self._refused_in_a_row = 0

    def _pass_over(self, refusal: CaptureRefused, place: Place) -> None:
        self._progress.refused(refusal.reason, place)
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= self._settings.most_refused:
            raise _too_many_refused(self._refused_in_a_row, refusal)

    def _focus(self) -> None:
        """Focus on the field in view; where there is nothing to focus on, the height stays."""
        self._since_focus = 0
        try:
            found = autofocus(
                self._stage,
                lambda: self._microscope.raw(again=True).image,
                self._settings.refocus_span_um,
                stop=self._stop,
            )
        except CaptureRefused as refusal:  # focus-not-found: an empty field, or far too thick
            self._unfocused += 1
            _log.warning("scan_found_no_focus", detail=str(refusal))
        else:
            self._z = found.z_um

    def _failed(self, refusal: CaptureRefused) -> ScanStatus:
        _log.error("scan_failed", reason=refusal.reason, detail=str(refusal))
        return replace(
            self._status("failed"),
            reason=refusal.reason,
            sentence=refusal.sentence,
            remedy=refusal.remedy,
        )

    def _status(self, activity: Literal["running", "finished", "stopped", "failed"]) -> ScanStatus:
        noted = self._progress.noted
        return ScanStatus(
            activity=activity,
            fields=noted.fields,
            all_fields=len(noted.plan),
            saved=noted.saved,
            cells=noted.cells,
            target_cells=noted.target_cells,
            refused=noted.refused,
            unfocused=self._unfocused,
            place=noted.place,
            resumed=self._progress.resumed,
        )


@contextmanager
def _halting(stage: Stage, stop: threading.Event) -> Iterator[None]:
    """Halt the stage on its way when `stop` is set; a stage that cannot be halted arrives first."""
    if not isinstance(stage, Halts):
        yield
        return
    over = threading.Event()

    def listen() -> None:
        while not over.wait(_LISTEN_S):
            if stop.is_set():  # again and again: a move may begin just after it was halted
                stage.halt()

    listener = threading.Thread(target=listen, name="scan-halt", daemon=True)
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join()


def _too_many_refused(count: int, last: CaptureRefused) -> CaptureRefused:
    return CaptureRefused(
        "scan-refused",
        f"{count} fields in a row were not fit to be saved; the last: {last.sentence}",
        f"{last.remedy} Then go on with the scan, or begin it elsewhere on the slide.",
    )


def _not_noted(error: ScanProgressError) -> CaptureRefused:
    return CaptureRefused(
        "scan-not-noted",
        "How far the scan came cannot be written to the station's disk.",
        "Free the disk, then go on with the scan; what was captured is safe.",
        f"{error}.",
    )
