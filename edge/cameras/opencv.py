"""A USB camera (or a video file) through OpenCV."""

from typing import Final

import cv2
import numpy as np

from edge.cameras.base import CameraError, Shot
from edge.cameras.small import shrunk
from imaging.types import Image

STALE_FRAMES: Final = 5
"""Frames thrown away before each picture: V4L2 queues 4 in OpenCV, filled while nobody read, and
one more was being exposed when the call came."""


class OpenCVCamera:
    """A camera that OpenCV's VideoCapture can open.

    When the camera fails it is given back, and the next capture opens it again: a plug pushed in
    again is enough.

    Args:
        device: number of the camera, or path of a device or a video file.
        width: of the picture in pixels; None leaves the camera's own.
        height: of the picture in pixels; None leaves the camera's own.
        settle_frames: frames thrown away after opening, while exposure and white balance settle.
        stale_frames: frames thrown away before each picture.

    Raises:
        CameraError: there is no such camera, it gives no frame, or it has no such picture size.
    """

    def __init__(
        self,
        device: int | str = 0,
        *,
        width: int | None = None,
        height: int | None = None,
        settle_frames: int = 10,
        stale_frames: int = STALE_FRAMES,
    ) -> None:
        # A path may be called after a patient, and the name travels: only numbers and /dev do.
        told = isinstance(device, int) or device.startswith("/dev/")
        self.name = f"opencv:{device}" if told else "opencv:file"
        self._device = device
        self._size = (width, height)
        self._settle_frames = settle_frames
        self._stale_frames = stale_frames
        self._closed = False
        self._replays = not told
        self._held: Image | None = None
        self._capture: cv2.VideoCapture | None = self._open()

    def capture(self) -> Shot:
        """Throw away what the driver had queued and take the next frame.

        Of a video file, the frame that the last preview showed.

        Raises:
            CameraError: the camera gave no frame, or is closed.
        """
        held, self._held = self._held, None
        return Shot(self._fresh() if held is None else held)

    def preview(self) -> Image:
        """What the camera sees now, at most 640 wide.

        A video file stays at its frame until that is captured.

        Raises:
            CameraError: as `capture`.
        """
        if not self._replays:
            return shrunk(self._fresh())
        if self._held is None:
            self._held = self._fresh()
        return shrunk(self._held)

    def _fresh(self) -> Image:
        if self._closed:
            raise self._error("is closed: open it again")
        if self._capture is None:
            self._capture = self._open()
        try:
            self._skip(self._capture, self._stale_frames)
            return self._read(self._capture)
        except CameraError:
            self._release()
            raise

    def _error(self, what: str) -> CameraError:
        """Told by its number; a path only in the log."""
        return CameraError(f"camera {self._device} {what}", told=f"camera {self.name} {what}")

    def close(self) -> None:
        """Give the device back."""
        self._closed = True
        self._release()

    def _release(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self._device)
        try:
            if not capture.isOpened():
                why = (
                    "check that it is plugged in and that no other program has it "
                    "(v4l2-ctl --list-devices names what there is)"
                )
                raise CameraError(
                    f"no camera at {self._device}: {why}", told=f"no camera {self.name}: {why}"
                )
            self._configure(capture)
            self._skip(capture, self._settle_frames)
            self._check_size(self._read(capture))
        except CameraError:
            capture.release()
            raise
        return capture

    def _configure(self, capture: cv2.VideoCapture) -> None:
        width, height = self._size
        if width is not None:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        if height is not None:
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)

    def _check_size(self, image: Image) -> None:
        """Drivers take the nearest size in silence; the microscope's scale hangs on it."""
        found = (image.shape[1], image.shape[0])
        for asked, given in zip(self._size, found, strict=True):
            if asked not in (None, given):
                raise self._error(
                    f"gives {found[0]}×{found[1]} pixels, not the size asked for: ask for one it "
                    "has (v4l2-ctl --list-formats-ext)"
                )

    def _skip(self, capture: cv2.VideoCapture, frames: int) -> None:
        for _ in range(frames):
            if not capture.grab():
                raise self._no_frame()

    def _read(self, capture: cv2.VideoCapture) -> Image:
        given, frame = capture.read()
        if not given or frame is None:
            raise self._no_frame()
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise self._error(
                f"gives {frame.dtype} {frame.shape}, not 8-bit colour: set another pixel format"
            )
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)

    def _no_frame(self) -> CameraError:
        return self._error(
            "gave no frame: check its plug and that no other program has it, then capture again"
        )
