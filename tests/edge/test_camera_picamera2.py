"""The Raspberry Pi camera against a FAKE picamera2 module, put into `sys.modules`.

There is no camera here. The fake's methods have the names and parameters of picamera2 0.3.38 and
keep the habits that matter: BGR memory under the name RGB888, a queue with stale frames, requests
that must be released, gains that drift until they are fixed. The issue on the capture station
checks the signatures against the real wheel.
"""

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from edge.cameras.base import CameraError
from edge.cameras.picamera2 import PiCamera
from imaging.types import Image

MODULE_CONTROLS = {
    "ExposureTime": (1, 66_666, 20_000),
    "AnalogueGain": (1.0, 16.0, 1.0),
    "AwbEnable": (False, True, None),
    "ColourGains": (0.0, 32.0, None),
    "FrameDurationLimits": (100, 1_000_000, None),
}


class FakeRequest:
    """A completed request: its buffer is only there until it is released."""

    def __init__(self, metadata: dict[str, Any], frame: Image) -> None:
        self.metadata = metadata
        self.frame = frame
        self.released = False

    def make_array(self, name: str) -> Image:
        assert not self.released
        if name != "main":
            raise RuntimeError(f"Stream {name!r} is not defined")
        return np.copy(self.frame)

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
        self.fixed: dict[str, Any] = {}
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
        size = {"format": "BGR888", "size": (64, 48)}
        return {"main": size | main, "raw": raw, "controls": controls, "buffers": buffer_count}

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

    def capture_metadata(self, wait: object = None, signal_function: object = None) -> Any:
        # Signature as the real one's.
        return self._next(fresh=True).get_metadata()

    @contextlib.contextmanager
    def captured_request(self, wait: object = None, flush: object = None) -> Iterator[FakeRequest]:
        if self.fault is not None:
            raise self.fault
        request = self._next(fresh=flush is True)
        self.requests.append(request)
        try:
            yield request
        finally:
            request.release()

    def cancel_all_and_flush(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        self.started = False
        self.closed = True

    def _next(self, *, fresh: bool) -> FakeRequest:
        assert self.started
        self.frames += 1
        drift = 0 if "AwbEnable" in self.fixed else self.frames
        metadata: dict[str, Any] = {
            "ExposureTime": self.fixed.get("ExposureTime", 8000 + 10 * self.frames),
            "AnalogueGain": self.fixed.get("AnalogueGain", 1.0 + 0.01 * self.frames),
            "DigitalGain": 1.0,
            "Lux": 412.5,
            "SensorTimestamp": 1_000_000 * self.frames,
            "ScalerCrop": (0, 0, 4056, 3040),
            "AfState": None,
        }
        if not FakePicamera2.mono:
            gains = self.fixed.get("ColourGains", (2.0 + 0.01 * drift, 1.5))
            metadata["ColourGains"] = gains
        return FakeRequest(metadata, _smear(self.configuration["main"], stale=not fresh))


def _smear(main: dict[str, Any], *, stale: bool) -> Image:
    """A frame of RGB (240, 200, 120) as libcamera lays it out; black when it is stale."""
    width, height = main["size"]
    rgb = (0, 0, 0) if stale else (240, 200, 120)
    memory = rgb[::-1] if main["format"] == "RGB888" else rgb
    return np.full((height, width, 3), memory, np.uint8)


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakePicamera2]:
    module = types.ModuleType("picamera2")
    module.Picamera2 = FakePicamera2  # type: ignore[attr-defined]  # a module made on the spot
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(FakePicamera2, "made", [], raising=False)
    return FakePicamera2


def opened(**settings: Any) -> tuple[PiCamera, FakePicamera2]:  # passed through
    camera = PiCamera(settle_s=0.01, **settings)
    return camera, FakePicamera2.made[-1]


def test_blue_green_red_memory_comes_out_as_rgb() -> None:
    camera, device = opened()
    image = camera.capture().image
    assert device.configuration["main"]["format"] == "RGB888"
    assert image.dtype == np.uint8
    assert image.shape == (48, 64, 3)
    assert image[0, 0].tolist() == [240, 200, 120]


def test_the_frame_is_newer_than_the_press() -> None:
    camera, _ = opened()
    assert camera.capture().image.max() > 0  # the fake's stale frames are black


def test_every_request_is_released() -> None:
    camera, device = opened()
    for _ in range(3):
        camera.capture()
    assert [request.released for request in device.requests] == [True] * 3


def test_exposure_and_gains_are_held_at_what_the_camera_found() -> None:
    camera, _ = opened()
    shots = [camera.capture().metadata for _ in range(4)]
    for name in ("exposure_us", "analogue_gain", "colour_gain_red", "colour_gain_blue"):
        assert len({shot[name] for shot in shots}) == 1, name
    assert len({shot["sensor_timestamp_ns"] for shot in shots}) == 4


def test_exposure_and_gains_that_are_set_are_taken() -> None:
    camera, _ = opened(exposure_us=12_000, analogue_gain=2.5, colour_gains=(1.8, 1.4))
    metadata = camera.capture().metadata
    assert metadata["exposure_us"] == 12_000
    assert metadata["analogue_gain"] == 2.5
    assert (metadata["colour_gain_red"], metadata["colour_gain_blue"]) == (1.8, 1.4)


def test_metadata_are_plain_figures_with_units() -> None:
    camera, _ = opened()
    metadata = camera.capture().metadata
    assert set(metadata) == {
        "exposure_us",
        "analogue_gain",
        "digital_gain",
        "lux",
        "sensor_timestamp_ns",
        "colour_gain_red",
        "colour_gain_blue",
    }
    assert all(type(value) in (int, float) for value in metadata.values())


def test_a_monochrome_module_is_opened_without_colour_gains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakePicamera2, "mono", True)
    camera, device = opened()
    assert "colour_gain_red" not in camera.capture().metadata
    assert "AwbEnable" not in device.fixed


def test_a_size_is_asked_of_the_camera() -> None:
    camera, _ = opened(size=(128, 96))
    assert camera.capture().image.shape == (96, 128, 3)


def test_without_picamera2_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "picamera2")
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(
        CameraError, match=r"apt install python3-picamera2.*--system-site-packages"
    ) as caught:
        PiCamera()
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_picamera2_that_does_not_load_is_told_from_an_absent_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", types.ModuleType("picamera2"))
    with pytest.raises(CameraError, match="is installed but does not load"):
        PiCamera()


def test_a_camera_that_is_not_there_says_how_many_are() -> None:
    with pytest.raises(CameraError, match=r"no camera 1, 1 found: check the ribbon cable"):
        PiCamera(1)


def test_a_camera_that_another_program_has_says_what_to_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakePicamera2, "opening_fails", True)
    with pytest.raises(CameraError, match=r"picamera2:0 failed: Camera __init__.*other program"):
        PiCamera()


def test_a_usb_camera_is_sent_to_the_opencv_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(MODULE_CONTROLS, "ExposureTime")
    with pytest.raises(CameraError, match="use the opencv camera"):
        PiCamera(settle_s=0)
    assert FakePicamera2.made[-1].closed


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (TimeoutError(), "gave no frame within 10 s: check the ribbon cable"),
        (RuntimeError("camera frontend has timed out"), "failed: camera frontend has timed out"),
    ],
)
def test_a_camera_that_stops_is_given_back_and_the_next_capture_opens_it_again(
    fault: Exception, sentence: str
) -> None:
    camera, first = opened()
    first.fault = fault
    with pytest.raises(CameraError, match=sentence):
        camera.capture()
    assert first.cancelled
    assert first.closed
    assert camera.capture().image.max() > 0
    assert FakePicamera2.made[-1] is not first


def test_closing_gives_the_camera_back_once() -> None:
    camera, device = opened()
    camera.close()
    camera.close()
    assert device.closed
    with pytest.raises(CameraError, match="closed"):
        camera.capture()


def test_the_name_that_travels_is_backend_and_number() -> None:
    camera, _ = opened()
    assert camera.name == "picamera2:0"
