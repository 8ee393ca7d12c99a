"""A Raspberry Pi camera module through picamera2 (libcamera).

picamera2 comes from the Raspberry Pi's package archive, never from an extra, and is imported only
when a camera is opened. Its `RGB888` lies in memory as blue, green, red.
"""

import contextlib
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from typing import Any, Final

import cv2
import numpy as np

from edge.cameras.base import Adjustment, CameraError, Shot
from edge.cameras.pi_frames import controls_of, held, plain, rgb, shows, small_size
from imaging.types import Image

_FAULTS: Final = (RuntimeError, OSError, LookupError, ValueError, CancelledError)
"""What picamera2 and libcamera raise; among the OSErrors, TimeoutError when frames stop;
CancelledError where another thread closed the camera meanwhile."""

_NEEDED: Final = "cancel_all_and_flush"
"""Came, with `captured_request`, in picamera2 0.3.22."""

_TAKES_FRAMES: Final = 20
"""Frames within which a set control shows in the metadata; the pipeline is some 4 deep."""


class PiCamera:
    """A camera module, its exposure and white balance found once and then held.

    Held, so that the fields of a slide are comparable and the stain does not drift with what
    happens to lie in view. When the camera fails it is given back, and the next capture opens it.
    One configuration serves captures and preview: the image processor makes a small second stream
    of every frame, so looking costs no change of mode and shows the light that is captured.

    One thread at a time, but for `close`, which ends the wait of another thread.

    Args:
        number: of the camera, as `rpicam-hello --list-cameras` counts.
        size: width and height of the picture in pixels; None takes the sensor's.
        exposure_us: exposure time in microseconds; None lets the camera find it once.
        analogue_gain: sensor gain; None lets the camera find it once.
        colour_gains: of red and blue; None lets the camera find them once.
        settle_s: seconds the camera is given to find what it may find.
        timeout_s: seconds without a frame after which a capture fails.

    Raises:
        CameraError: picamera2 is not installed, or there is no such camera.
    """

    def __init__(
        self,
        number: int = 0,
        *,
        size: tuple[int, int] | None = None,
        exposure_us: int | None = None,
        analogue_gain: float | None = None,
        colour_gains: tuple[float, float] | None = None,
        settle_s: float = 2.0,
        timeout_s: float = 10.0,
    ) -> None:
        self.name = f"picamera2:{number}"
        self._number = number
        self._main: dict[str, Any] = {"format": "RGB888"}
        if size is not None:
            self._main["size"] = size
        fixed = {
            "ExposureTime": exposure_us,
            "AnalogueGain": analogue_gain,
            "ColourGains": colour_gains,
        }
        self._fixed = {name: value for name, value in fixed.items() if value is not None}
        self._settle_s = settle_s
        self._timeout_s = timeout_s
        self._closed = False
        self._camera: Any = self._open()

    def capture(self) -> Shot:
        """Take a frame whose exposure began after this call.

        Returns:
            A shot with exposure time, gains, lux and sensor timestamp, as far as they are known.

        Raises:
            CameraError: the camera gave no frame in time, or is closed.
        """
        frame, metadata = self._taken("main", flush=True)
        return Shot(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8), plain(metadata))

    def preview(self) -> Image:
        """The latest frame's small stream: at most a frame older than this call.

        Returns:
            uint8, H×W×3, RGB, at most 640 wide.

        Raises:
            CameraError: as `capture`.
        """
        planes, _ = self._taken("lores", flush=None)
        return rgb(planes, *self._small)

    def adjust(self, adjustment: Adjustment) -> None:
        """Hold these from the next picture on, also after the camera was opened again.

        Raises:
            CameraError: one of them is out of the camera's range, or it gives no frame.
        """
        wanted = controls_of(adjustment)
        camera = self._opened()
        self._check_range(wanted, camera.camera_controls)
        try:
            before = held(camera.capture_metadata(wait=self._timeout_s), camera.camera_controls)
            camera.set_controls(wanted)
            self._await(camera, wanted, before)
        except _FAULTS as error:
            if isinstance(error, CameraError):
                raise
            self._give_up(camera)
            raise self._failed(error) from error
        self._fixed |= wanted

    def close(self) -> None:
        """Stop the camera and give it back. May be called twice, and from another thread."""
        self._closed = True
        camera, self._camera = self._camera, None
        if camera is not None:
            self._abandon(camera)

    def _taken(self, stream: str, *, flush: bool | None) -> tuple[Any, Mapping[str, Any]]:
        """A frame's stream as it lies in memory, copied, and the frame's metadata."""
        camera = self._opened()
        try:
            with camera.captured_request(wait=self._timeout_s, flush=flush) as request:
                return request.make_array(stream), request.get_metadata()
        except _FAULTS as error:
            if self._closed:  # meanwhile, by another thread
                raise CameraError(f"{self.name} was closed") from error
            self._give_up(camera)
            raise self._failed(error) from error

    def _opened(self) -> Any:  # noqa: ANN401  # picamera2 ships no type information
        if self._closed:
            raise CameraError(f"{self.name} is closed: open it again")
        if self._camera is None:
            self._camera = self._open()
        return self._camera

    def _give_up(self, camera: Any) -> None:  # noqa: ANN401  # as above
        self._camera = None
        self._abandon(camera)

    def _open(self) -> Any:  # noqa: ANN401  # picamera2 ships no type information
        driver = _driver()
        camera = None
        try:
            self._check_present(len(driver.global_camera_info()))
            camera = driver(self._number)
            self._start(camera)
        except _FAULTS as error:
            if camera is not None:
                self._abandon(camera)
            if isinstance(error, CameraError):
                raise
            raise self._failed(error) from error
        return camera

    def _check_present(self, found: int) -> None:
        if self._number >= found:
            raise CameraError(
                f"no camera {self._number}, {found} found: check the ribbon cable "
                "(rpicam-hello --list-cameras)"
            )

    def _start(self, camera: Any) -> None:  # noqa: ANN401  # as above
        if "ExposureTime" not in camera.camera_controls:
            raise CameraError(
                f"{self.name} is no Raspberry Pi camera module: use the opencv camera"
            )
        self._small = small_size(self._main.get("size") or camera.sensor_resolution)
        # Two buffers: one being exposed while the other is read. No raw stream: nobody reads it.
        # The small stream must be YUV420 on a Pi 4; a Pi 5 could do others too.
        configuration = camera.create_still_configuration(
            main=self._main,
            lores={"format": "YUV420", "size": self._small},
            raw=None,
            buffer_count=2,
            controls=self._fixed,
        )
        camera.configure(configuration)
        camera.start()
        found = held(self._settled(camera), camera.camera_controls)
        camera.set_controls(found)
        self._fixed |= found  # also when a plug that was out is pushed in again

    def _settled(self, camera: Any) -> Mapping[str, Any]:  # noqa: ANN401  # as above
        """Look at frames for `settle_s` seconds; return the metadata of the last."""
        end = time.monotonic() + self._settle_s
        metadata: Mapping[str, Any] = camera.capture_metadata(wait=self._timeout_s)
        while time.monotonic() < end:
            metadata = camera.capture_metadata(wait=self._timeout_s)
        return metadata

    def _check_range(self, wanted: Mapping[str, Any], controls: Mapping[str, Any]) -> None:
        for name, value in wanted.items():
            if name not in controls:
                raise CameraError(f"{self.name} has no {name}: leave it out")
            low, high, _ = controls[name]
            values = value if isinstance(value, tuple) else (value,)
            if any(one < low or (high and one > high) for one in values):
                raise CameraError(f"{self.name} takes a {name} of {low} to {high}, not {value}")

    def _await(
        self,
        camera: Any,  # noqa: ANN401  # as above
        wanted: Mapping[str, Any],
        before: Mapping[str, Any],
    ) -> None:
        """Wait for a frame that was exposed so; a sensor rounds to its lines and steps."""
        for _ in range(_TAKES_FRAMES):
            if shows(camera.capture_metadata(wait=self._timeout_s), wanted):
                return
        camera.set_controls(dict(before))
        raise CameraError(
            f"{self.name} does not keep to {dict(wanted)}: choose values that its mode allows"
        )

    def _abandon(self, camera: Any) -> None:  # noqa: ANN401  # as above
        """Give the camera back; jobs that still wait for a frame would make it wait, too."""
        with contextlib.suppress(*_FAULTS):  # the fault that led here is the one that is told
            camera.cancel_all_and_flush()
            camera.close()

    def _failed(self, error: Exception) -> CameraError:
        what = (
            f"gave no frame within {self._timeout_s:g} s"
            if isinstance(error, TimeoutError)
            else f"failed: {error}"
        )
        return CameraError(
            f"{self.name} {what}: check the ribbon cable and that no other program has the camera, "
            "then capture again"
        )


def _driver() -> Any:  # noqa: ANN401  # picamera2 ships no type information
    try:
        from picamera2 import Picamera2
    except ModuleNotFoundError as error:
        raise CameraError(
            f"picamera2 is not to be had here ({error}): apt install python3-picamera2, and make "
            "the virtual environment with --system-site-packages"
        ) from error
    except (ImportError, ValueError) as error:  # ValueError: built against another numpy
        raise CameraError(
            f"picamera2 is installed but does not load ({error}): the virtual environment's numpy "
            "hides the system's; install with the Pi's constraints"
        ) from error
    if not hasattr(Picamera2, _NEEDED):
        raise CameraError("picamera2 is older than 0.3.22: apt upgrade python3-picamera2")
    return Picamera2
