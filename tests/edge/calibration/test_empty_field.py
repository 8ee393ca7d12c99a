"""Only pictures of an empty, well-lit field make a calibration; all others are told why not."""

from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from glass import CROOKED, WARM, calibrated, glass, shots

from edge.calibration import CalibrationError
from edge.calibration.make import LEAST_SHOTS, from_empty_field
from edge.cameras.base import Shot
from edge.refusal import CaptureRefused
from imaging.simulator import Optics, Smear


def refusal(pictures):
    with pytest.raises(CalibrationError) as caught:
        from_empty_field(pictures)
    assert isinstance(caught.value, CaptureRefused)
    assert "alibrate again" in str(caught.value)  # the remedy ends so
    return caught.value.reason


def fields(kind="ALL", optics=CROOKED):
    smear = Smear(3, kind, WARM)
    return [
        Shot(smear.field(100, 100, 640, 480, replace(optics, frame=number)).image)
        for number in range(LEAST_SHOTS)
    ]


def under_light(level):
    """Glass whose brightest channel is at `level`, without noise."""
    lamp = replace(WARM, background=(level, 0.92 * level, 0.8 * level))
    return shots(Optics(vignetting=0, tilt=(0, 0), dust=0, noise=0.0), lamp)


def test_it_remembers_when_and_of_what_it_was_made():
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    correction = from_empty_field(iter(shots(count=5)), now=now)
    assert (correction.width, correction.height, correction.shots) == (640, 480, 5)
    assert correction.made_at == now
    red, green, blue = correction.colour
    assert red > green > blue  # a warm lamp
    assert 0.5 < correction.evenness < 0.85


@pytest.mark.parametrize("kind", ["ALL", "AML", "Normal"])
@pytest.mark.parametrize("defocus", [0.0, 2.0, 5.0])
def test_a_smear_is_not_empty_even_out_of_focus(kind, defocus):
    assert refusal(fields(kind, replace(CROOKED, defocus_um=defocus))) == "calibration-not-empty"


def test_one_white_cell_s_worth_of_something_is_not_empty():
    pictures = shots()
    for shot in pictures:
        cv2.circle(shot.image, (200, 150), 90, (120, 70, 140), -1)
    assert refusal(pictures) == "calibration-not-empty"


def test_dust_on_the_sensor_is_no_cell_and_leaves_no_mark():
    dusty = calibrated(replace(CROOKED, dust=3))
    clean = glass(number=99)
    after = cv2.resize(dusty.apply(clean), (8, 6), interpolation=cv2.INTER_AREA).astype(float)
    assert after.max() / after.min() < 1.02


def test_a_speck_that_moves_with_the_slide_drops_out():
    pictures = shots(count=5)
    for number, shot in enumerate(pictures):
        cv2.circle(shot.image, (80 + 110 * number, 240), 20, (60, 60, 60), -1)
    field = from_empty_field(pictures).field
    assert np.abs(field - from_empty_field(shots(count=5)).field).max() < 0.5


def test_light_at_the_top_of_the_scale_is_refused():
    assert refusal(shots(replace(CROOKED, exposure=1.3))) == "calibration-clipped"


def test_light_that_leaves_no_room_for_the_gate_is_refused():
    assert refusal(under_light(245.0)) == "calibration-too-bright"
    assert from_empty_field(under_light(230.0)).level == pytest.approx(230, abs=1)


def test_too_little_light_is_refused():
    assert refusal(under_light(120.0)) == "calibration-too-dark"
    assert from_empty_field(under_light(135.0)).level == pytest.approx(135, abs=1)


def test_a_condenser_far_off_its_axis_is_refused():
    assert refusal(shots(replace(CROOKED, vignetting=0.5, tilt=(0.1, 0.1)))) == "calibration-uneven"


def test_a_coloured_filter_is_refused():
    green = replace(WARM, background=(70.0, 205.0, 90.0))
    assert refusal(shots(stain=green)) == "calibration-tinted"


def test_light_that_changes_meanwhile_is_refused():
    pictures = [Shot(glass(replace(CROOKED, exposure=1 - 0.02 * n))) for n in range(5)]
    assert refusal(pictures) == "calibration-unsteady"


def test_pictures_of_two_sizes_are_refused():
    assert refusal([*shots(), Shot(glass(size=(320, 240)))]) == "calibration-unsteady"


def test_too_few_pictures_are_the_program_s_fault():
    with pytest.raises(ValueError, match="3 pictures or more, not 2"):
        from_empty_field(shots(count=2))
