"""A Raspberry Pi camera module through picamera2 (libcamera).

picamera2 comes from the Raspberry Pi's package archive, never from an extra, and is imported only
when a camera is opened. Its `RGB888` lies in memory as blue, green, red.
"""

import contextlib
import time
from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np

from edge.cameras.base import CameraError, Shot

_NUMBERS: Final = {
    "ExposureTime": "exposure_us",
    "AnalogueGain": "analogue_gain",
    "DigitalGain": "digital_gain",
    "Lux": "lux",
    "SensorTimestamp": "sensor_timestamp_ns",
}
"""libcamera's name of a figure, and ours with its unit."""

_FAULTS: Final = (RuntimeError, OSError, LookupError, ValueError)
"""What picamera2 and libcamera raise; among the OSErrors, TimeoutError when frames stop."""


class PiCamera:
    """A camera module, its exposure and white balance found once and then held.

    Held, so that the fields of a slide are comparable and the stain does not drift with what
    happens to lie in view. When the camera fails it is given back, and the next capture opens it.

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
        if self._closed:
            raise CameraError(f"{self.name} is closed: open it again")
        if self._camera is None:
            self._camera = self._open()
        try:
            with self._camera.captured_request(wait=self._timeout_s, flush=True) as request:
                frame = request.make_array("main")
                metadata = request.get_metadata()
        except _FAULTS as error:
            self._abandon(self._camera)
            self._camera = None
            raise self._failed(error) from error
        return Shot(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8), _plain(metadata))

    def close(self) -> None:
        """Stop the camera and give it back."""
        self._closed = True
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()  # stops it first

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
        # Two buffers: one being exposed while the other is read. No raw stream: nobody reads it.
        configuration = camera.create_still_configuration(
            main=self._main, raw=None, buffer_count=2, controls=self._fixed
        )
        camera.configure(configuration)
        camera.start()
        camera.set_controls(_held(self._settled(camera), camera.camera_controls))

    def _settled(self, camera: Any) -> Mapping[str, Any]:  # noqa: ANN401  # as above
        """Look at frames for `settle_s` seconds; return the metadata of the last."""
        end = time.monotonic() + self._settle_s
        metadata: Mapping[str, Any] = camera.capture_metadata(wait=self._timeout_s)
        while time.monotonic() < end:
            metadata = camera.capture_metadata(wait=self._timeout_s)
        return metadata

    def _abandon(self, camera: Any) -> None:  # noqa: ANN401  # as above
        """Give a failed camera back; the jobs it still waits for would make `stop` wait too."""
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
    return Picamera2


def _held(metadata: Mapping[str, Any], controls: Mapping[str, Any]) -> dict[str, Any]:
    """Controls that hold what the camera has found.

    A fixed exposure time and gain switch auto-exposure off by themselves; libcamera from 0.5 on
    ignores `AeEnable` (raspberrypi/picamera2#1269).
    """
    found = {name: metadata[name] for name in ("ExposureTime", "AnalogueGain") if name in metadata}
    if "ColourGains" in metadata and "ColourGains" in controls:  # a monochrome sensor has none
        found |= {"AwbEnable": False, "ColourGains": tuple(metadata["ColourGains"])}
    return found


def _plain(metadata: Mapping[str, Any]) -> dict[str, str | int | float]:
    shown: dict[str, str | int | float] = {
        ours: metadata[theirs] for theirs, ours in _NUMBERS.items() if theirs in metadata
    }
    if "ColourGains" in metadata:
        red, blue = metadata["ColourGains"]
        shown |= {"colour_gain_red": float(red), "colour_gain_blue": float(blue)}
    return shown
