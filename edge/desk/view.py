"""What the camera sees, taken once for all who look."""

import threading
import time
from typing import Final

import cv2

from edge.cameras.base import CameraError
from edge.capture import camera_failed
from edge.label import check_no_label
from edge.microscope import Microscope
from imaging.quality import Quality, measure
from imaging.types import Image

_JPEG_QUALITY: Final = 80
_LOOK_S: Final = 0.45
"""Seconds for which a measurement holds: the needles move twice a second."""


class View:
    """The preview as image, as JPEG, and measured. Thread-safe.

    Args:
        microscope: that is looked through.
        fps: pictures a second, above 0; within one of them all see the same picture.
    """

    def __init__(self, microscope: Microscope, fps: float) -> None:
        self._microscope = microscope
        # A little shorter, so that whoever asks at that pace always gets a new one.
        self._fresh_s = 0.8 / fps
        self._lock = threading.Lock()
        self._image: Image | None = None
        self._taken = self._measured = float("-inf")
        self._jpeg = b""
        self._quality: Quality | None = None

    def image(self) -> Image:
        """uint8, H×W×3, RGB, at most 640 wide.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        with self._lock:
            return self._look()

    def jpeg(self) -> bytes:
        """The same, encoded once however many look.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        with self._lock:
            return self._encoded(self._look())

    def jpeg_to_send(self) -> bytes:
        """The same, where it shows no label; the picture that is looked through is the one given.

        Raises:
            CaptureRefused: `camera-failed`, `label-in-view`.
        """
        with self._lock:
            image = self._look()
            check_no_label(image)
            return self._encoded(image)

    def quality(self) -> Quality:
        """The same, measured at most twice a second.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        with self._lock:
            if self._quality is None or time.monotonic() - self._measured > _LOOK_S:
                self._quality = measure(self._look())
                self._measured = time.monotonic()
            return self._quality

    def forget(self) -> None:
        """The field has changed: the next who looks gets a new picture."""
        with self._lock:
            self._taken = self._measured = float("-inf")

    def _encoded(self, image: Image) -> bytes:
        if not self._jpeg:
            self._jpeg = jpeg(image)
        return self._jpeg

    def _look(self) -> Image:
        if self._image is None or time.monotonic() - self._taken > self._fresh_s:
            self._image, self._jpeg = None, b""
            try:
                self._image = self._microscope.preview()
            except CameraError as error:
                raise camera_failed(error) from error
            self._taken = time.monotonic()
        return self._image


def jpeg(image: Image) -> bytes:
    """JPEG for the eye.

    Args:
        image: uint8, H×W×3, RGB.
    """
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise RuntimeError(f"OpenCV could not encode a preview of {image.shape}")
    return data.tobytes()
