"""The Raspberry Pi camera against a FAKE picamera2 module, put into `sys.modules`."""

import sys
import threading
import time
import types
from typing import Any

import numpy as np
import pytest
from fake_picamera2 import LATE, MODULE_CONTROLS, FakePicamera2

from edge.cameras.base import Adjustment, CameraError
from edge.cameras.picamera2 import PiCamera


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


def test_the_preview_is_the_small_stream_in_full_range_colours() -> None:
    camera, device = opened(size=(1000, 750))
    image = camera.preview()
    assert device.configuration["lores"] == {"format": "YUV420", "size": (640, 480)}
    assert image.dtype == np.uint8
    assert image.shape == (480, 640, 3)
    assert np.abs(image[10, 10].astype(int) - (240, 200, 120)).max() <= 2
    assert image[10, 630].tolist() == [255, 255, 255]  # bright glass is not clipped to less


def test_lines_longer_than_the_preview_are_cut() -> None:
    camera, _ = opened()  # 64 pixels to a line of 64; 50 to one of 64
    assert camera.preview().shape == (48, 64, 3)
    camera, _ = opened(size=(50, 30))
    image = camera.preview()
    assert image.shape == (30, 50, 3)
    assert image[5, 45].tolist() == [255, 255, 255]


def test_looking_waits_for_no_new_frame_and_releases_its_request() -> None:
    camera, device = opened()
    for _ in range(3):
        camera.preview()
    assert [request.released for request in device.requests] == [True] * 3
    assert [request.streams["main"].max() for request in device.requests] == [0, 0, 0]  # unflushed


def test_an_adjustment_holds_from_the_next_picture_on() -> None:
    camera, _ = opened()
    camera.adjust(Adjustment(exposure_us=20_000, gain=2.0, colour_gains=(1.9, 1.2)))
    metadata = camera.capture().metadata
    assert metadata["exposure_us"] == 20_000
    assert metadata["analogue_gain"] == 2.0
    assert (metadata["colour_gain_red"], metadata["colour_gain_blue"]) == (1.9, 1.2)


def test_an_adjustment_leaves_the_rest_and_survives_an_unplugged_camera() -> None:
    camera, first = opened()
    before = camera.capture().metadata
    camera.adjust(Adjustment(exposure_us=20_000))
    first.fault = TimeoutError()
    with pytest.raises(CameraError):
        camera.capture()
    after = camera.capture().metadata
    assert after["exposure_us"] == 20_000
    assert after["colour_gain_red"] == before["colour_gain_red"]


@pytest.mark.parametrize(
    "adjustment",
    [Adjustment(exposure_us=70_000), Adjustment(gain=0.5), Adjustment(colour_gains=(1.0, 40.0))],
)
def test_an_adjustment_out_of_range_is_refused_and_changes_nothing(adjustment: Adjustment) -> None:
    camera, device = opened()
    held = dict(device.fixed)
    with pytest.raises(CameraError, match="picamera2:0 takes a"):
        camera.adjust(adjustment)
    assert device.fixed == held


def test_an_adjustment_that_the_camera_does_not_keep_to_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera, device = opened()
    before = camera.capture().metadata
    accept = FakePicamera2.set_controls
    monkeypatch.setattr(  # a mode whose frames are shorter than that
        FakePicamera2,
        "set_controls",
        lambda self, controls: accept(
            self, controls | {"ExposureTime": min(controls.get("ExposureTime", 0), 30_000)}
        ),
    )
    with pytest.raises(CameraError, match="does not keep to"):
        camera.adjust(Adjustment(exposure_us=60_000))
    for _ in range(LATE + 1):
        after = camera.capture().metadata
    assert after["exposure_us"] == before["exposure_us"]
    assert not device.closed


def test_a_monochrome_module_has_no_colours_to_adjust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakePicamera2, "mono", True)
    camera, _ = opened()
    with pytest.raises(CameraError, match="has no ColourGains"):
        camera.adjust(Adjustment(colour_gains=(1.0, 1.0)))


def test_what_was_found_once_is_held_also_when_the_camera_is_opened_again() -> None:
    camera, first = opened()
    before = camera.capture().metadata
    first.fault = TimeoutError()
    with pytest.raises(CameraError):
        camera.preview()
    assert camera.capture().metadata["exposure_us"] == before["exposure_us"]
    assert FakePicamera2.made[-1] is not first


def test_closing_ends_the_wait_of_a_capture_that_hangs() -> None:
    camera, device = opened()
    device.hangs = True
    said: list[str] = []

    def wait_for_a_frame() -> None:
        try:
            camera.capture()
        except CameraError as error:
            said.append(str(error))

    waiting = threading.Thread(target=wait_for_a_frame)
    waiting.start()
    time.sleep(0.1)
    camera.close()
    waiting.join(2)
    assert said == ["picamera2:0 was closed"]
    assert len(FakePicamera2.made) == 1  # and nobody opened it again


def test_a_picamera2_of_an_old_system_says_what_to_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FakePicamera2, "cancel_all_and_flush")
    with pytest.raises(CameraError, match=r"older than 0\.3\.22: apt upgrade"):
        PiCamera()
