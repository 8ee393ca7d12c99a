"""The desk: what page, button and remote commands do, one thing at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import structlog

from edge.agent import Hooks
from edge.calibration import Correction
from edge.cameras.base import Adjustment, CameraError
from edge.capture import Capture, Capturer, camera_failed
from edge.desk.care import Care
from edge.desk.ledger import Ledger
from edge.desk.news import News
from edge.desk.once import Once
from edge.desk.press import Press
from edge.desk.scanner import Scanner
from edge.desk.slides import Slides, number_in
from edge.desk.standing import Sends, Watch
from edge.desk.state import By, Can, DeskState, Line
from edge.desk.view import View
from edge.focus.sweep import Focused, autofocus
from edge.microscope import Microscope
from edge.quality.trend import Trend
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.stage.base import KnowsGlass, StageError
from edge.stage.refusal import no_stage, stage_failed
from edge.trouble import Troubles
from imaging.quality import Quality
from imaging.types import Image
from wire.messages import FrameResult, Receipt

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
        self._gpio = False
        self._troubles = Troubles() if troubles is None else troubles
        self._news = News(self._compose)
        changed = self._news.changed
        self._once = Once(changed)
        self._watch = Watch(spool, microscope, self._troubles)
        self._slides = Slides(settings, self._once, self._troubles)
        self._ledger = Ledger(spool, changed)
        self._view = View(microscope, settings.preview_fps)
        self._care = Care(settings.data_dir, microscope, self._troubles)
        microscope.find_correction = self._care.correction
        microscope.told = self._camera_told
        self.capturer = Capturer(settings, microscope, spool)
        self._press = Press(microscope, self.capturer, self._ledger, self._saved)
        self._scanner = Scanner(
            settings,
            microscope,
            self._once,
            self._scan_field,
            self.capturer.saved,
            changed,
            self._troubles,
        )

    # --- the slide ---

    def start_slide(self, accession: str, by: By) -> str:
        """Begin a slide; the accession is turned into a token here and kept nowhere.

        A slide that is open ends with it, unless it is the same.

        Returns:
            The token.

        Raises:
            CaptureRefused: `slide-invalid`, `slide-key-unusable`, `station-busy`.
        """
        with self._changing(by):
            return self._slides.begin(accession, by)

    def start_token(self, token: str, by: By) -> str:
        """Begin a slide by its token, which is all that remote commands know.

        From afar (`remote`) no other slide that is open is ended by it.

        Raises:
            CaptureRefused: `slide-invalid`, `station-busy`, `another-slide`.
        """
        with self._changing(by):
            return self._slides.begin_token(token, by)

    def start_barcode(self, by: By) -> str:
        """Read the barcode in the preview and begin its slide; returns the token.

        Raises:
            CaptureRefused: `no-barcode`, `two-barcodes`, `station-busy`, `camera-failed`.
        """
        with self._changing(by):
            return self._slides.begin(number_in(self._view.image()), by)

    def end_slide(self, by: By, *, slide: str | None = None) -> None:
        """End the open slide, or this one only; without one nothing happens.

        From afar (`remote`) only one that was begun from afar.

        Raises:
            CaptureRefused: `station-busy`, `another-slide`, `slide-begun-here`.
        """
        with self._changing(by):
            self._slides.end(by, slide)

    def hold(self, by: By) -> str | None:
        """A long press: ends the open slide (None), or begins the one whose barcode is in view.

        Raises:
            CaptureRefused: as `end_slide` and `start_barcode`.
        """
        if self._slides.open is None:
            return self.start_barcode(by)
        self.end_slide(by)
        return None

    # --- what is done with it ---

    def capture(self, by: By, *, count: int | None = None, slide: str | None = None) -> Line:
        """Take a burst, keep the sharpest, save it.

        Args:
            by: who asked.
            count: pictures of the burst; None for the setting's.
            slide: token of the slide that is meant; None for the open one.

        Raises:
            CaptureRefused: `no-slide`, `another-slide`, `station-busy`, or why the picture is unfit
                or not saved.
        """
        with self._once.noting(by), self._once.doing("capturing"):
            # Asked for here: until this is done, no other slide can be begun.
            opened = self._slides.needed(slide)
            return self._press.take(opened, by, count or self._settings.burst)

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

    def start_scan(
        self, by: By, target_cells: int, *, resume: bool = True, slide: str | None = None
    ) -> None:
        """Scan the slide on a thread of its own; goes on where an unfinished scan stopped.

        Args:
            by: who asked.
            target_cells: white cells after which it ends; 0 for all of the area.
            resume: go on with an unfinished scan of this slide; else begin a new one here.
            slide: token of the slide that is meant; None for the open one.

        Raises:
            CaptureRefused: `no-slide`, `another-slide`, `no-stage`, `station-busy`,
                `scan-not-noted`.
        """
        with self._once.noting(by):
            opened = partial(self._slides.needed, slide)
            self._scanner.start(by, opened, target_cells, resume=resume)

    def stop_scan(self, by: By) -> None:
        """Stop after the field at hand; without a scan nothing happens."""
        if self._once.activity == "scanning":
            _log.info("scan_stop", by=by)
            self._scanner.stop()

    def calibrate(self, by: By, *, to_glass: bool = False) -> Correction:
        """White balance and flat field from the empty field in view; kept from now on.

        Args:
            by: who asked.
            to_glass: go to clear glass first and come back, with a stage that knows where it is.

        Raises:
            CaptureRefused: `calibration-…`, `camera-failed`, `stage-failed`, `station-busy`.
        """
        with self._once.noting(by), self._once.doing("calibrating"):
            with self._on_glass() if to_glass else nullcontext():
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
        """The preview as JPEG for the station's page, not saved; encoded once however many look.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        return self._view.jpeg()

    def snapshot_to_send(self) -> bytes:
        """The same for somebody far away: never one that shows a barcode.

        Raises:
            CaptureRefused: `camera-failed`, `label-in-view`.
        """
        return self._view.jpeg_to_send()

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
        return self._news.now()

    def wait(self, seen_version: int, timeout_s: float) -> DeskState:
        """The state as soon as it is newer than `seen_version`, or after `timeout_s` seconds."""
        return self._news.wait(seen_version, timeout_s)

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
        self._news.changed()

    def attach(self, agent: Sends) -> None:
        """The agent that sends what is captured here."""
        self._watch.agent = agent
        self._news.changed()

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
            self._news.changed()
            then.changed()

        return Hooks(sent, settled, result, changed)

    def close(self) -> None:
        """Stop a scan, after the field at hand. It can be gone on with."""
        self._scanner.close()
        self._care.trend.close()

    # --- how it is done ---

    @contextmanager
    def _changing(self, by: By) -> Iterator[None]:
        """Something that changes the open slide; its refusal is shown."""
        with self._once.noting(by):
            yield
        self._news.changed()

    @contextmanager
    def _on_glass(self) -> Iterator[None]:
        stage = self._microscope.stage
        if stage is None or not isinstance(stage, KnowsGlass):
            raise CaptureRefused(
                "no-stage",
                "There is no stage that knows where clear glass is.",
                "Move the slide to clear glass by hand, then calibrate.",
            )
        try:
            back = stage.place
            stage.move_to(stage.glass)
            try:
                yield
            finally:
                stage.move_to(back)
                self._view.forget()
        except StageError as error:
            raise stage_failed(error) from error

    def _scan_field(self, slide: str, capture_id: str) -> Line:
        return self._press.take(slide, "scan", 1, capture_id)

    def _saved(self, capture: Capture) -> None:
        self._watch.count_again()
        if self._watch.agent is not None:
            self._watch.agent.wake()
        self._care.look(capture)
        self._view.forget()
        self._news.changed()

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
        self._news.changed()

    def _can(self) -> Can:
        stage = self._microscope.stage
        glass = isinstance(stage, KnowsGlass)
        return Can(stage=stage is not None, glass=glass, gpio=self._gpio)

    def _compose(self) -> DeskState:
        opened = self._slides.open
        return DeskState(
            version=0,
            slide=None if opened is None else opened.slide,
            slide_since=None if opened is None else opened.since,
            activity=self._once.activity,
            lines=self._ledger.lines,
            calibration_problem=self._care.problem,
            refusal=self._once.refusal,
            scan=self._scanner.state(None if opened is None else opened.slide),
            can=self._can(),
            **vars(self._watch.now()),
        )
