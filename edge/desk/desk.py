"""The desk: what page, button and remote commands do, one thing at a time."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from edge.agent import Hooks
from edge.calibration import Correction
from edge.cameras.base import Adjustment, CameraError, CameraExhausted, Shot
from edge.capture import Capture, Capturer, camera_failed
from edge.desk.care import Care
from edge.desk.ledger import Ledger
from edge.desk.once import Busy, Once
from edge.desk.scanner import Scanner
from edge.desk.session import SlideSession
from edge.desk.standing import Sends, Watch
from edge.desk.state import By, Can, DeskState, Line
from edge.desk.view import View, jpeg
from edge.focus.burst import burst
from edge.focus.sweep import Focused, autofocus
from edge.identity import slide_key, slide_token
from edge.microscope import Microscope
from edge.quality.trend import Trend
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.stage.base import StageError
from edge.stage.refusal import no_stage, stage_failed
from edge.trouble import Troubles
from imaging.quality import Quality, measure
from imaging.types import Image
from wire.messages import FrameResult, Receipt
from wire.topics import TopicError, checked_name

_STALE_S: Final = 1.0
"""Seconds after which a state is looked at anew though nobody told of a change."""

_log = structlog.get_logger("edge.desk")


class Desk:
    """Thread-safe. Every refusal is a `CaptureRefused` with code, sentence and remedy.

    Args:
        settings: of the station.
        microscope: opened; stays the caller's to close.
        spool: opened; likewise.
        troubles: of the station; what is wrong here is noted among them.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        microscope: Microscope,
        spool: Spool,
        troubles: Troubles | None = None,
    ) -> None:
        self._settings = settings
        self._microscope = microscope
        self._news = threading.Condition()
        self._changed_at = 0
        self._looked_at = float("-inf")
        self._looked_change = -1
        self._gpio = False
        self.capturer = Capturer(settings, microscope, spool)
        self._troubles = Troubles() if troubles is None else troubles
        self._watch = Watch(spool, microscope, self._troubles)
        self._once = Once(self._changed)
        self._session = SlideSession(settings.data_dir / "slide.json")
        self._ledger = Ledger(spool, self._changed)
        self._care = Care(settings.data_dir, microscope, self._troubles)
        microscope.find_correction = self._care.correction
        microscope.told = self._camera_told
        self._view = View(microscope, settings.preview_fps)
        self._scanner = Scanner(settings, microscope, self._once, self._scan_field, self._changed)
        self._state = self._compose(0)

    # --- the slide ---

    def start_slide(self, accession: str, by: By) -> str:
        """Begin a slide; the accession is turned into a token here and kept nowhere.

        A slide that is open ends with it, unless it is the same.

        Returns:
            The token.

        Raises:
            CaptureRefused: `slide-invalid`, `station-busy`.
        """
        with self._once.noting(by):
            if not accession.strip():
                raise _slide_invalid("The slide's number is empty.", "Scan or type it.")
            token = slide_token(accession, slide_key(self._settings.slide_key_file))
            return self._open(token, by)

    def start_token(self, token: str, by: By) -> str:
        """Begin a slide by its token, which is all that remote commands know.

        Raises:
            CaptureRefused: `slide-invalid`, `station-busy`.
        """
        with self._once.noting(by):
            try:
                checked_name(token, "slide")
            except TopicError as error:
                raise _slide_invalid(
                    "That is no slide token.", "Send the token, never the number on the slide."
                ) from error
            return self._open(token, by)

    def start_barcode(self, by: By) -> str:
        """Read the barcode in the preview and begin its slide; returns the token.

        Raises:
            CaptureRefused: `no-barcode`, `two-barcodes`, `station-busy`, `camera-failed`.
        """
        from edge.barcode import texts

        with self._once.noting(by):
            found = texts(self._view.image())
            if not found:
                raise CaptureRefused(
                    "no-barcode",
                    "No barcode is to be read in the picture.",
                    "Hold the label flat under the lens, or scan or type the number.",
                )
            if len(found) > 1:
                raise CaptureRefused(
                    "two-barcodes",
                    "There are several different barcodes in the picture.",
                    "Show one label only, or scan or type the number.",
                )
        return self.start_slide(found[0], by)

    def end_slide(self, by: By) -> None:
        """End the open slide; without one nothing happens.

        Raises:
            CaptureRefused: `station-busy`.
        """
        with self._once.noting(by):
            self._check_idle()
            ended = self._session.open
            if ended is None:
                return
            self._session.end()
            self._troubles.over("slide-not-kept")
            _log.info("slide_ended", slide=ended.slide, by=by)
            self._changed()

    def hold(self, by: By) -> str | None:
        """A long press: ends the open slide (None), or begins the one whose barcode is in view.

        Raises:
            CaptureRefused: as `end_slide` and `start_barcode`.
        """
        if self._session.open is None:
            return self.start_barcode(by)
        self.end_slide(by)
        return None

    # --- what is done with it ---

    def capture(self, by: By, *, count: int | None = None) -> Line:
        """Take a burst, keep the sharpest, save it.

        Args:
            by: who asked.
            count: pictures of the burst; None for the setting's.

        Raises:
            CaptureRefused: `no-slide`, `station-busy`, or why the picture is unfit or not saved.
        """
        with self._once.noting(by):
            slide = self._slide()
            with self._once.doing("capturing"):
                return self._take(slide, by, count or self._settings.burst)

    def autofocus(self, by: By) -> Focused:
        """Find the sharpest height with the stage.

        Raises:
            CaptureRefused: `no-stage`, `stage-failed`, `camera-failed`, `focus-not-found`,
                `station-busy`.
        """
        with self._once.noting(by):
            stage = self._microscope.stage
            if stage is None:
                raise no_stage()
            with self._once.doing("focusing"):
                try:
                    found = autofocus(stage, lambda: self._microscope.raw(again=True).image)
                except StageError as error:
                    raise stage_failed(error) from error
                except CameraError as error:
                    raise camera_failed(error) from error
                finally:
                    self._view.forget()
        _log.info("focused", z_um=round(found.z_um, 2), looked=found.looked, by=by)
        return found

    def start_scan(self, by: By, target_cells: int, *, resume: bool = True) -> None:
        """Scan the slide on a thread of its own; goes on where an unfinished scan stopped.

        Args:
            by: who asked.
            target_cells: white cells after which it ends; 0 for all of the area.
            resume: go on with an unfinished scan of this slide; else begin a new one here.

        Raises:
            CaptureRefused: `no-slide`, `no-stage`, `station-busy`, `scan-not-noted`.
        """
        with self._once.noting(by):
            self._scanner.start(by, self._slide(), target_cells, resume=resume)

    def stop_scan(self, by: By) -> None:
        """Stop after the field at hand; without a scan nothing happens."""
        if self._once.activity == "scanning":
            _log.info("scan_stop", by=by)
            self._scanner.stop()

    def calibrate(self, by: By) -> Correction:
        """White balance and flat field from the empty field in view; kept from now on.

        Raises:
            CaptureRefused: `calibration-…`, `camera-failed`, `station-busy`.
        """
        with self._once.noting(by), self._once.doing("calibrating"):
            correction = self._care.calibrate()
            self._view.forget()
        _log.info("calibrated", camera=self._microscope.name, by=by)
        return correction

    def adjust_camera(self, adjustment: Adjustment, by: By) -> None:
        """Hold exposure, gain or colour gains from now on.

        Raises:
            CaptureRefused: `camera-not-adjusted`, `station-busy`.
        """
        with self._once.noting(by), self._once.doing("capturing"):
            try:
                self._microscope.adjust(adjustment)
            except CameraError as error:
                raise CaptureRefused(
                    "camera-not-adjusted",
                    "The camera does not take these settings.",
                    "Set others, or set them at the camera.",
                    f"It says: {error}.",
                ) from error
            self._view.forget()
        _log.info("camera_adjusted", by=by)

    # --- what is seen ---

    def preview(self) -> Image:
        """What the camera sees: uint8, H×W×3, RGB, at most 640 wide; shared within one frame time.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        return self._view.image()

    def snapshot(self) -> bytes:
        """The preview as JPEG, not saved; encoded once however many look.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        return self._view.jpeg()

    def look(self) -> Quality:
        """Focus, brightness and the rest of the preview; measured at most twice a second.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        return self._view.quality()

    def frame(self, capture_id: str) -> bytes | None:
        """JPEG of a recent capture, while the spool or the memory holds it."""
        return self._ledger.picture(capture_id)

    @property
    def state(self) -> DeskState:
        """Everything there is to see, now."""
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

    @property
    def data_dir(self) -> Path:
        """The station's folder, for what the rooms keep there."""
        return self._settings.data_dir

    # --- what the other parts tell ---

    @property
    def trend(self) -> Trend:
        """The light and the focus over the days."""
        return self._care.trend

    @property
    def calibration(self) -> Correction | None:
        """The correction in use; None without one."""
        used = self._microscope.correction
        return used if isinstance(used, Correction) else None

    def note_panel(self, *, present: bool) -> None:
        """Whether there are button and light."""
        self._gpio = present
        self._changed()

    def attach(self, agent: Sends) -> None:
        """The agent that sends what is captured here."""
        self._watch.agent = agent
        self._changed()

    def hooks(self, more: Hooks | None = None) -> Hooks:
        """What the agent tells this desk, and `more` after it."""
        then = more or Hooks()

        def sent(capture_id: str, times: int) -> None:
            self._ledger.sent(capture_id)
            then.sent(capture_id, times)

        def settled(receipt: Receipt) -> None:
            self._watch.count_again()
            self._ledger.settled(receipt)
            then.settled(receipt)

        def result(result: FrameResult) -> None:
            self._ledger.result(result)
            self._scanner.result(result)
            then.result(result)

        def changed() -> None:
            self._changed()
            then.changed()

        return Hooks(sent, settled, result, changed)

    def close(self) -> None:
        """Stop a scan, after the field at hand. It can be gone on with."""
        self._scanner.close()
        self._care.trend.close()

    # --- how it is done ---

    def _slide(self) -> str:
        opened = self._session.open
        if opened is None:
            raise CaptureRefused(
                "no-slide", "No slide is open.", "Scan or type the slide's number first."
            )
        return opened.slide

    def _open(self, token: str, by: By) -> str:
        self._check_idle()
        opened = self._session.open
        if opened is not None and opened.slide == token:
            return token
        if self._session.begin(token):
            self._troubles.over("slide-not-kept")
        else:
            self._troubles.note(
                "slide-not-kept",
                "the open slide could not be written to the station's disk",
                remedy="Go on; after a restart the slide must be begun again. Free the disk.",
            )
        _log.info("slide_started", slide=token, by=by)
        self._changed()
        return token

    def _check_idle(self) -> None:
        activity = self._once.activity
        if activity != "idle":
            raise Busy(activity)

    def _scan_field(self, slide: str) -> Line:
        return self._take(slide, "scan", 1)

    def _take(self, slide: str, by: By, count: int) -> Line:
        taken = _Burst(self._microscope, count)
        try:
            capture = self.capturer.capture(slide, taken)
        except CameraExhausted as error:
            refusal = CaptureRefused(
                "camera-failed",
                "The camera has no further picture to replay.",
                "Begin again with another folder.",
            )
            self._write_down(slide, refusal, by, None)
            raise refusal from error
        except CaptureRefused as refusal:
            self._write_down(slide, refusal, by, taken.shot)
            raise
        return self._saved(capture, by)

    def _saved(self, capture: Capture, by: By) -> Line:
        self._watch.count_again()
        line = self._ledger.saved(capture, by)
        if self._watch.agent is not None:
            self._watch.agent.wake()
        self._care.look(capture)
        self._view.forget()
        return line

    def _write_down(self, slide: str, refusal: CaptureRefused, by: By, shot: Shot | None) -> None:
        """A refused picture; a scan counts its own, which would push all others off the page."""
        if by == "scan":
            return
        if shot is None:
            self._ledger.refused(slide, refusal, by, None, b"")
        else:
            quality, picture = measure(shot.image), jpeg(shot.image)
            self._ledger.refused(slide, refusal, by, quality, picture)

    def _camera_told(self, problem: str) -> None:
        """The camera fails, or is well again (an empty sentence)."""
        if problem:
            self._troubles.note(
                "camera-failed",
                "The camera gives no picture.",
                remedy="Look what the page says of it, and put it right. Nothing saved is lost.",
            )
        else:
            self._troubles.over("camera-failed")
        self._changed()

    def _changed(self) -> None:
        with self._news:
            self._changed_at += 1
            self._news.notify_all()

    def _look(self) -> DeskState:
        """Under the condition: the state, put together anew when it may have changed."""
        fresh = time.monotonic() - self._looked_at < _STALE_S
        if fresh and self._looked_change == self._changed_at:
            return self._state
        self._looked_change, self._looked_at = self._changed_at, time.monotonic()
        now = self._compose(self._state.version)
        if now != self._state:
            self._state = replace(now, version=self._state.version + 1)
        return self._state

    def _compose(self, version: int) -> DeskState:
        standing, opened = self._watch.now(), self._session.open
        return DeskState(
            version=version,
            slide=None if opened is None else opened.slide,
            slide_since=None if opened is None else opened.since,
            activity=self._once.activity,
            lines=self._ledger.lines,
            calibration_problem=self._care.problem,
            refusal=self._once.refusal,
            scan=self._scanner.state(None if opened is None else opened.slide),
            can=Can(stage=self._microscope.stage is not None, gpio=self._gpio),
            **vars(standing),
        )


class _Burst:
    """Takes the pictures of one capture; remembers the one that was kept."""

    def __init__(self, microscope: Microscope, count: int) -> None:
        self._microscope = microscope
        self._count = count
        self._begun = False
        self.shot: Shot | None = None

    def __call__(self) -> Shot:
        self.shot = burst(self._one, self._count)[0] if self._count > 1 else self._one()
        return self.shot

    def _one(self) -> Shot:
        if self._begun:
            return self._microscope.again()
        self._begun = True
        return self._microscope.capture()


def _slide_invalid(sentence: str, remedy: str) -> CaptureRefused:
    return CaptureRefused("slide-invalid", sentence, remedy)
