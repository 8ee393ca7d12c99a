"""The simulated microscope walks, drifts, focuses and knows the truth."""

import cv2
import numpy as np
import pytest

from edge.cameras.base import Camera, CameraError, TrueCell
from edge.cameras.simulator import COLUMNS, SimulatorCamera
from imaging.types import Image


def small(seed: int = 7, kind: str = "Normal", **options: float | bool) -> SimulatorCamera:
    return SimulatorCamera(seed, kind, width=640, height=480, **options)  # type: ignore[arg-type]  # tests pass wrong kinds too


def sharpness(image: Image) -> float:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 2), cv2.CV_32F).var())


def test_it_is_a_camera_named_by_its_seed() -> None:
    camera: Camera = SimulatorCamera(12)
    assert camera.name == "simulator:12"
    shot = camera.capture()
    assert shot.image.shape == (960, 1280, 3)
    assert shot.image.dtype == np.uint8


def test_two_cameras_of_one_seed_take_the_same_pictures() -> None:
    first, second = small(), small()
    for _ in range(3):
        one, other = first.capture(), second.capture()
        assert one.image.tobytes() == other.image.tobytes()
        assert one.metadata == other.metadata
        assert one.truth == other.truth


@pytest.mark.parametrize("kind", ["ALL", "AML", "Normal"])
def test_every_capture_shows_a_white_cell_and_no_field_twice(kind: str) -> None:
    camera = small(3, kind)
    places = set()
    for number in range(1, 9):
        shot = camera.capture()
        assert shot.truth
        assert all(isinstance(cell, TrueCell) for cell in shot.truth)
        assert {cell.label for cell in shot.truth} <= {kind, "Normal"}
        assert shot.metadata["kind"] == kind
        assert shot.metadata["frame"] == number
        places.add((shot.metadata["stage_x_um"], shot.metadata["stage_y_um"]))
    assert len(places) == 8


def test_the_stage_walks_a_serpentine() -> None:
    camera = small(3)
    places = [camera._place(step) for step in range(2 * COLUMNS + 1)]
    width, height = 640 / 26, 480 / 26
    assert places[1] == pytest.approx((width, 0))
    assert places[COLUMNS - 1][0] == places[COLUMNS][0]  # turns back below its end
    assert places[COLUMNS][1] == pytest.approx(height)
    assert places[2 * COLUMNS - 1] == pytest.approx((0, height))
    assert len(set(places)) == len(places)


def test_the_field_is_where_the_stage_was_moved() -> None:
    camera = small(drift=0)
    camera.move_to(100.0, 50.0)
    here = camera.capture()
    assert (here.metadata["stage_x_um"], here.metadata["stage_y_um"]) == (100.0, 50.0)
    assert camera.stage == (100.0, 50.0)
    camera.capture()
    assert camera.stage != (100.0, 50.0)  # and goes on from its serpentine


def test_a_stage_that_does_not_advance_stays_for_autofocus() -> None:
    camera = small(drift=0, advance=False)
    camera.move_to(100.0, 50.0)
    measured = {}
    for focus in (-1.0, -0.5, 0.0, 0.5, 1.0):
        camera.focus = focus
        shot = camera.capture()
        assert camera.stage == (100.0, 50.0)
        assert shot.metadata["focus_um"] == focus
        measured[focus] = sharpness(shot.image)
    assert max(measured, key=lambda focus: measured[focus]) == 0.0
    assert measured[0.5] > measured[1.0]


def test_a_camera_can_start_out_of_focus() -> None:
    blurred, sharp = small(defocus=1.5).capture(), small().capture()
    assert sharpness(blurred.image) < 0.3 * sharpness(sharp.image)
    assert blurred.metadata["defocus_um"] == pytest.approx(1.5, abs=0.06)


def test_stain_and_light_drift_slowly_and_not_at_all_on_demand() -> None:
    drifting, steady = small(), small(drift=0)
    strengths = [float(drifting.capture().metadata["stain_strength"]) for _ in range(10)]
    steps = np.diff(strengths)
    assert (steps != 0).all()
    assert np.abs(steps).max() < 0.005
    shots = [steady.capture() for _ in range(3)]
    assert {(s.metadata["stain_strength"], s.metadata["exposure"]) for s in shots} == {(1.0, 1.0)}


def test_another_slide_begins_at_its_beginning() -> None:
    camera = small()
    for _ in range(3):
        camera.capture()
    camera.change_slide(99, "ALL")
    shot = camera.capture()
    assert (shot.metadata["slide_seed"], shot.metadata["kind"]) == (99, "ALL")
    fresh = small(99, "ALL").capture()
    assert shot.metadata["stage_x_um"] == fresh.metadata["stage_x_um"]
    assert shot.truth == fresh.truth
    assert camera.name == "simulator:7"  # the camera is the same


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(CameraError, match=r"no such slide: .*0 or above, not -1"):
        small(-1)
    with pytest.raises(CameraError, match=r"no such slide: .*not 'CML'"):
        small(1, "CML")
    with pytest.raises(CameraError, match="0×480 pixels cannot be"):
        SimulatorCamera(width=0, height=480)


def test_a_closed_simulator_takes_no_picture_and_closes_twice() -> None:
    camera = small()
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match="closed"):
        camera.capture()
