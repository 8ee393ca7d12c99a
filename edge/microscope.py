"""The microscope: camera and stage behind one lock, watched, its pictures corrected."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol, TypeVar

import structlog

from edge.cameras.base import (
    Adjustment,
    Adjusts,
    Camera,
    CameraError,
    Previews,
    Repeats,
    Shot,
)
from edge.cameras.watched import CameraHungError, Watched
from edge.stage.base import Follows, Stage, StageError
from imaging.types import Image

Given = TypeVar("Given")

_BLIND_S: Final = 2.0
"""Seconds after a failed preview before the next one asks the camera again: opening a device that
is not there ten times a second would keep a Pi busy."""
_REOPEN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits between attempts to open a camera that hung; the last one repeats."""
_MOST_HUNG: Final = 5
"""Attempts that may hang; each leaves a thread behind inside the driver."""
_CLOSED: Final = "the microscope is closed: open it again"
_GIVEN_UP: Final = (
    "the camera hung {} times and is left alone: pull its plug and push it in, then restart the "
    "station"
)

_log = structlog.get_logger("edge.microscope")


class Corrects(Protocol):
    """What a calibration does: `edge.calibration.Correction`."""

    def apply(self, image: Image) -> Image:
        """White balance and flat field; uint8, H×W×3, RGB, of the same size."""
        ...


class Microscope:
    """A camera (it satisfies `edge.cameras.base.Camera`) that may have a stage. Thread-safe.

    A picture that takes longer than `hang_s` is a `CameraError`, and the camera is opened again in
    the background. What is wrong with the camera stands in `camera_problem` until a picture comes.

    Args:
        camera: opened; the microscope's to close.
        stage: None without one; the microscope's to close.
        correction: of a calibration; may be set at any time.
        find_correction: gives the correction of a camera by its name, or None. Asked when the
            camera has told its name with its first picture, unless `correction` was given.
        reopen: gives a camera to use after this one hung, at once, such as a new `LateCamera`;
            None leaves a hung one alone.
        hang_s: seconds in which a picture must come.

    Attributes:
        camera_problem: empty when all is well, else a sentence for page and status that names no
            file.
        told: called with `camera_problem` when it changes, on any thread.
    """

    def __init__(
        self,
        camera: Camera,
        stage: Stage | None = None,
        *,
        correction: Corrects | None = None,
        find_correction: Callable[[str], Corrects | None] | None = None,
        reopen: Callable[[], Camera] | None = None,
        hang_s: float = 20.0,
    ) -> None:
        self.stage = stage
        self.correction = correction
        self.camera_problem = ""
        self.told: Callable[[str], None] = lambda _problem: None
        self.find_correction = find_correction if correction is None else None
        self._reopen = reopen
        self._hang_s = hang_s
        self._lock = threading.Lock()
        self._blind_until = 0.0
        self._stopping = threading.Event()
        self._opener: threading.Thread | None = None
        self._watched: Watched[Camera] | None = Watched(camera, hang_s)
        self._name = camera.name

    @property
    def name(self) -> str:
        """The camera's, which it may learn only when it is opened."""
        watched = self._watched
        if watched is not None:
            self._name = watched.camera.name
        return self._name

    def capture(self) -> Shot:
        """A corrected picture, newer than this call.

        Raises:
            CameraExhausted: a replayed folder is at its end.
            CameraError: there is none; the camera hung, is gone, or is being opened again.
        """
        return self._corrected(self._ask(lambda camera: camera.capture()))

    def again(self) -> Shot:
        """Another corrected picture of the field that `capture` took last.

        Raises:
            CameraError: as `capture`.
        """
        return self._corrected(self._ask(_again))

    def raw(self, *, again: bool = False) -> Shot:
        """An uncorrected picture, for calibration and focus.

        Args:
            again: of the field taken last; else as `capture`.

        Raises:
            CameraError: as `capture`.
        """
        return self._ask(_again if again else lambda camera: camera.capture())

    def preview(self) -> Image:
        """What the camera sees, corrected: uint8, H×W×3, RGB, at most 640 wide.

        It never advances a slide or a file, unless the camera has no preview of its own.

        Raises:
            CameraError: as `capture`; for two seconds after a failure without asking again.
        """
        if time.monotonic() < self._blind_until and self.camera_problem:
            raise CameraError(self.camera_problem)
        try:
            image = self._ask(_preview)
        except CameraError:
            self._blind_until = time.monotonic() + _BLIND_S
            raise
        return self._apply(image)

    def adjust(self, adjustment: Adjustment) -> None:
        """Hold exposure, gain or colour gains from now on.

        Raises:
            CameraError: the camera does not take them.
        """

        def job(camera: Camera) -> None:
            if not isinstance(camera, Adjusts):
                raise CameraError(f"exposure and colours of {camera.name} cannot be set from here")
            camera.adjust(adjustment)

        with self._lock:
            if self._watched is None:
                raise CameraError(self.camera_problem or _CLOSED)
            self._watched.ask(job)  # a setting that is not taken is no problem of the camera's

    def close(self) -> None:
        """Give camera and stage back. May be called twice."""
        self._stopping.set()
        if self._opener is not None:
            self._opener.join(1.0)  # one that waits inside a driver ends with the process
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.close()
        if self.stage is not None:
            self.stage.close()

    def _corrected(self, shot: Shot) -> Shot:
        return replace(shot, image=self._apply(shot.image))

    def _apply(self, image: Image) -> Image:
        correction = self.correction
        return image if correction is None else correction.apply(image)

    def _ask(self, job: Callable[[Camera], Given]) -> Given:
        with self._lock:
            watched = self._watched
            if watched is None:
                raise CameraError(self.camera_problem or _CLOSED)
            try:
                given = watched.ask(job)
            except CameraHungError as error:
                self._problem(error)
                self._name, self._watched = watched.camera.name, None
                self._open_again()
                raise
            except CameraError as error:
                self._problem(error)
                raise
            self._well()
            if self.find_correction is not None:
                self.correction = self.find_correction(watched.camera.name)
                self.find_correction = None
            return given

    def _problem(self, error: CameraError) -> None:
        if self.camera_problem != error.told:
            _log.warning("camera_problem", detail=error.told)
            self.camera_problem = error.told
            self.told(error.told)

    def _well(self) -> None:
        self._blind_until = 0.0
        if self.camera_problem:
            _log.info("camera_well")
            self.camera_problem = ""
            self.told("")

    def _open_again(self) -> None:
        if self._reopen is None or self._stopping.is_set():
            return
        reopen = self._reopen
        self._opener = threading.Thread(
            target=self._keep_opening, args=(reopen,), name="camera-reopen", daemon=True
        )
        self._opener.start()

    def _keep_opening(self, reopen: Callable[[], Camera]) -> None:
        attempt = hung = 0
        while hung < _MOST_HUNG:
            if self._stopping.wait(_REOPEN_S[min(attempt, len(_REOPEN_S) - 1)]):
                return
            attempt += 1
            try:
                watched = self._seeing(reopen)
            except CameraHungError:
                hung += 1
            except CameraError as error:
                self._problem(error)
            else:
                self._take(watched)
                return
        if hung:
            self._problem(CameraError(_GIVEN_UP.format(hung + 1)))

    def _seeing(self, reopen: Callable[[], Camera]) -> Watched[Camera]:
        """A camera opened again that has given a picture."""
        watched = Watched(reopen(), self._hang_s)
        try:
            watched.ask(_glance)
            self._lead_stage(watched.camera)
        except CameraError:
            watched.close()
            raise
        return watched

    def _lead_stage(self, camera: Camera) -> None:
        stage: object = self.stage
        if isinstance(stage, Follows):
            try:
                stage.follow(camera)
            except StageError as error:
                raise CameraError(f"the stage does not follow the camera: {error}") from error

    def _take(self, watched: Watched[Camera]) -> None:
        with self._lock:
            if not self._stopping.is_set():
                self._watched = watched
                self._well()
                return
        watched.close()  # nobody is left to use it


def _again(camera: Camera) -> Shot:
    return camera.again() if isinstance(camera, Repeats) else camera.capture()


def _preview(camera: Camera) -> Image:
    from edge.cameras.small import shrunk  # OpenCV takes its time to load

    return shrunk(camera.preview() if isinstance(camera, Previews) else camera.capture().image)


def _glance(camera: Camera) -> None:
    """Whether it gives a picture; one without a preview is believed until it is asked for one."""
    if isinstance(camera, Previews):
        camera.preview()
