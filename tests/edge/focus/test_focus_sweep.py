"""Autofocus finds the sharpest height, or says that there is none and goes back."""

import threading

import numpy as np
import pytest

from edge.cameras.base import CameraError
from edge.cameras.simulator import SimulatorCamera
from edge.focus.sweep import FocusStopped, autofocus
from edge.refusal import CaptureRefused
from edge.stage.base import Place
from edge.stage.simulator import SimulatorStage
from imaging.types import Image


class Knob:
    """A stage that is at any height at once."""

    name = "test"

    def __init__(self) -> None:
        self.place = Place(50, 40, 0)

    def move_to(self, place: Place) -> None:
        self.place = place

    def close(self) -> None:
        pass


class Stripes:
    """Looks at stripes whose contrast falls with the distance from height 0, and counts."""

    def __init__(self, knob: Knob) -> None:
        self._knob = knob
        self._rng = np.random.default_rng(1)
        self.count = 0

    def __call__(self) -> Image:
        self.count += 1
        contrast = 60 / np.sqrt(1 + (2 * self._knob.place.z) ** 2)
        row = 128 + contrast * np.sign(np.sin(np.arange(240)))
        image = np.broadcast_to(row[None, :, None], (120, 240, 3))
        return np.clip(image + self._rng.normal(0, 1, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def stage() -> Knob:
    return Knob()


@pytest.mark.parametrize("height", [-1.7, 2.4])
def test_it_focuses_the_simulated_microscope(height):
    camera = SimulatorCamera(4, "ALL", width=480, height=360, drift=0)
    stage = SimulatorStage(camera)
    stage.move_to(Place(50, 40, height))
    found = autofocus(stage, lambda: camera.capture().image, 6)
    assert abs(found.z_um) <= 0.1
    assert stage.place == Place(50, 40, found.z_um)
    assert camera.focus == found.z_um


@pytest.mark.parametrize("height", [-7.3, -1.0, 0.02, 2.9, 9.6])
def test_it_comes_to_the_best_height_from_either_side(height, stage):
    stage.move_to(Place(50, 40, height))
    look = Stripes(stage)
    found = autofocus(stage, look)
    assert abs(found.z_um) <= 0.1
    assert stage.place == Place(50, 40, found.z_um)
    assert found.looked == look.count
    assert found.looked <= 21 + 8 + 10  # sweep, halvings, and the sweep once widened


@pytest.mark.parametrize("height", [14.0, -17.0, 25.0])
def test_a_sharpness_that_still_rises_at_the_end_is_followed(height, stage):
    stage.move_to(Place(50, 40, height))
    assert abs(autofocus(stage, Stripes(stage)).z_um) <= 0.1


def test_a_hill_that_never_ends_is_said_with_the_way_to_turn(stage):
    stage.move_to(Place(50, 40, 30))
    with pytest.raises(CaptureRefused, match="still rises at the end") as refusal:
        autofocus(stage, Stripes(stage), 8)
    assert refusal.value.reason == "focus-not-found"
    assert "by hand down" in refusal.value.remedy
    assert stage.place == Place(50, 40, 30)  # where it was


def test_where_nothing_has_an_edge_there_is_no_focus(stage):
    rng = np.random.default_rng(3)

    def glass() -> Image:
        return np.clip(rng.normal(200, 3, (360, 480, 3)), 0, 255).astype(np.uint8)

    stage.move_to(Place(50, 40, 3))
    with pytest.raises(CaptureRefused, match="No height is sharper") as refusal:
        autofocus(stage, glass)
    assert refusal.value.reason == "focus-not-found"
    assert "Move the slide to where cells lie" in refusal.value.remedy
    assert stage.place == Place(50, 40, 3)


def test_a_black_picture_is_no_focus_either(stage):
    with pytest.raises(CaptureRefused, match="No height is sharper"):
        autofocus(stage, lambda: np.zeros((36, 48, 3), np.uint8), 4)


def test_it_stops_between_two_pictures_and_goes_back(stage):
    stop = threading.Event()
    look = Stripes(stage)

    def until_the_third() -> Image:
        if look.count == 2:
            stop.set()
        return look()

    stage.move_to(Place(50, 40, 5))
    with pytest.raises(FocusStopped):
        autofocus(stage, until_the_third, stop=stop)
    assert look.count == 3
    assert stage.place == Place(50, 40, 5)


def test_a_camera_that_fails_is_the_callers_to_handle(stage):
    def look() -> Image:
        raise CameraError("unplugged")

    with pytest.raises(CameraError, match="unplugged"):
        autofocus(stage, look)


def test_a_finer_search_ends_finer_and_looks_more(stage):
    stage.move_to(Place(50, 40, 0.77))
    coarse = autofocus(stage, Stripes(stage), 4, fine_um=0.5)
    stage.move_to(Place(50, 40, 0.77))
    fine = autofocus(stage, Stripes(stage), 4, fine_um=0.05)
    assert abs(fine.z_um) <= 0.05
    assert fine.looked > coarse.looked
    assert fine.sharpness >= coarse.sharpness


def test_lengths_that_are_none_are_refused(stage):
    with pytest.raises(ValueError, match="above 0 µm"):
        autofocus(stage, Stripes(stage), 0)
    with pytest.raises(ValueError, match="above 0 µm"):
        autofocus(stage, Stripes(stage), coarse_um=-1)
