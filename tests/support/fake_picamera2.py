"""A FAKE picamera2, for machines without a camera.

Its methods have the names and parameters of the real one; tests/edge/test_picamera2_signatures.py
holds them to it. It keeps the habits that matter: BGR memory under the name RGB888, planes whose
lines are longer than the picture, a queue with stale frames, controls that show some frames late,
requests that must be released, gains that drift until they are fixed.
"""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import numpy as np

from imaging.types import Image

MODULE_CONTROLS = {
    "ExposureTime": (1, 66_666, 20_000),
    "AnalogueGain": (1.0, 16.0, 1.0),
    "AwbEnable": (False, True, None),
    "ColourGains": (0.0, 32.0, None),
    "FrameDurationLimits": (100, 1_000_000, None),
}


LATE = 3
"""Frames after which a control that was set shows."""
SENSOR = (64, 48)
_STRIDE_STEP = 64


class FakeRequest:
    """A completed request: its buffers are only there until it is released."""

    def __init__(self, metadata: dict[str, Any], streams: dict[str, Image]) -> None:
        self.metadata = metadata
        self.streams = streams
        self.released = False

    def make_array(self, name: str) -> Image:
        assert not self.released
        if name not in self.streams:
            raise RuntimeError(f"Stream {name!r} is not defined")
        return np.copy(self.streams[name])

    def get_metadata(self) -> dict[str, Any]:
        assert not self.released
        return dict(self.metadata)

    def release(self) -> None:
        assert not self.released
        self.released = True


class FakePicamera2:
    """A camera whose clock moves one frame at a time; its figures are read by the tests."""

    present = 1
    made: list["FakePicamera2"]
    opening_fails = False
    mono = False

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [{"Model": "imx477", "Num": n} for n in range(FakePicamera2.present)]

    def __init__(
        self,
        camera_num: int = 0,
        verbose_console: object = None,
        tuning: object = None,
        allocator: object = None,
    ) -> None:
        if FakePicamera2.opening_fails:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.camera_num = camera_num
        self.camera_controls: dict[str, Any] = dict(MODULE_CONTROLS)
        if FakePicamera2.mono:
            del self.camera_controls["ColourGains"]
        self.configuration: dict[str, Any] = {}
        self.sensor_resolution = SENSOR
        self.fixed: dict[str, Any] = {}
        self.effective: dict[str, Any] = {}
        self.set_at = 0
        self.hangs = False
        self.cancelling = threading.Event()
        self.started = self.closed = self.cancelled = False
        self.frames = 0
        self.requests: list[FakeRequest] = []
        self.fault: Exception | None = None
        self.stale = 0
        FakePicamera2.made.append(self)

    def create_still_configuration(
        self,
        main: dict[str, Any] = {},  # noqa: B006  # the real one's signature
        lores: object = None,
        raw: object = {},  # the real one's signature
        transform: object = None,
        colour_space: object = None,
        buffer_count: int = 1,
        controls: dict[str, Any] = {},  # noqa: B006  # the real one's signature
        display: object = None,
        encode: object = None,
        queue: bool = True,
        sensor: object = {},  # the real one's signature
        use_case: str = "still",
    ) -> dict[str, Any]:
        size = {"format": "BGR888", "size": self.sensor_resolution}
        return {
            "main": size | main,
            "lores": lores,
            "raw": raw,
            "controls": dict(controls),
            "buffers": buffer_count,
        }

    def configure(self, camera_config: dict[str, Any]) -> None:
        assert not self.started
        self.configuration = camera_config
        self.set_controls(camera_config["controls"])

    def start(self, config: object = None, show_preview: object = False) -> None:
        assert self.configuration
        self.started = True

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name in controls:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.fixed |= controls
        self.set_at = self.frames

    def capture_metadata(self, wait: object = None, signal_function: object = None) -> Any:
        # Signature as the real one's.
        return self._next(fresh=True).get_metadata()

    @contextlib.contextmanager
    def captured_request(self, wait: object = None, flush: object = None) -> Iterator[FakeRequest]:
        if self.fault is not None:
            raise self.fault
        if self.hangs:
            self.cancelling.wait(wait)
            raise CancelledError if self.cancelled else TimeoutError
        request = self._next(fresh=flush is True)
        self.requests.append(request)
        try:
            yield request
        finally:
            request.release()

    def cancel_all_and_flush(self) -> None:
        self.cancelled = True
        self.cancelling.set()

    def close(self) -> None:
        self.started = False
        self.closed = True

    def _next(self, *, fresh: bool) -> FakeRequest:
        assert self.started
        self.frames += 1
        if self.frames > self.set_at + LATE or not self.effective:
            self.effective = dict(self.fixed)
        held = self.effective
        drift = 0 if "AwbEnable" in held else self.frames
        metadata: dict[str, Any] = {
            "ExposureTime": held.get("ExposureTime", 8000 + 10 * self.frames),
            "AnalogueGain": held.get("AnalogueGain", 1.0 + 0.01 * self.frames),
            "DigitalGain": 1.0,
            "Lux": 412.5,
            "SensorTimestamp": 1_000_000 * self.frames,
            "ScalerCrop": (0, 0, 4056, 3040),
            "AfState": None,
        }
        if not FakePicamera2.mono:
            gains = held.get("ColourGains", (2.0 + 0.01 * drift, 1.5))
            metadata["ColourGains"] = gains
        streams = {"main": _smear(self.configuration["main"], stale=not fresh)}
        if self.configuration["lores"] is not None:
            streams["lores"] = _planes(self.configuration["lores"])
        return FakeRequest(metadata, streams)


def _smear(main: dict[str, Any], *, stale: bool) -> Image:
    """A frame of RGB (240, 200, 120) as libcamera lays it out; black when it is stale."""
    width, height = main["size"]
    rgb = (0, 0, 0) if stale else (240, 200, 120)
    memory = rgb[::-1] if main["format"] == "RGB888" else rgb
    return np.full((height, width, 3), memory, np.uint8)


def _planes(lores: dict[str, Any]) -> Image:
    """The same colours left, pure white right, as YUV420 planes of sYCC (JFIF's formulas)."""
    assert lores["format"] == "YUV420"  # what a Pi 4 can do
    width, height = lores["size"]
    assert width % 2 == height % 2 == 0
    stride = -(-width // _STRIDE_STEP) * _STRIDE_STEP
    planes = np.full((height * 3 // 2, stride), 77, np.uint8)  # what pads a line is anything
    luma = planes[:height]
    luma[:, : width // 2], luma[:, width // 2 : width] = 203, 255
    chroma = planes[height:].reshape(2, height // 2, stride // 2)
    for plane, value in zip(chroma, (81, 154), strict=True):  # blue, then red
        plane[:, : width // 4], plane[:, width // 4 : width // 2] = value, 128
    return planes
