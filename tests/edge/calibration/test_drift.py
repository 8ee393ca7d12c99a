"""A calibration that no longer holds is told, with what to do, and one that holds is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from glass import CROOKED, WARM, calibrated

from edge.calibration.drift import background, warning
from edge.cameras.simulator import SimulatorCamera
from imaging.simulator import Smear

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def correction():
    return replace(calibrated(), made_at=NOW)


def seen(correction, optics=CROOKED, stain=WARM, seed=3, kind="ALL", size=(640, 480)):
    """A corrected capture of a field with cells."""
    return correction.apply(Smear(seed, kind, stain).field(100, 100, *size, optics).image)


@pytest.mark.parametrize("kind", ["ALL", "AML", "Normal"])
def test_the_glass_between_the_cells_is_seen_white_and_even(correction, kind):
    for seed in range(1, 5):
        found = background(seen(correction, kind=kind, seed=seed))
        assert found is not None
        assert found.brightness == pytest.approx(correction.level, rel=0.02)
        assert found.cast < 1
        assert found.unevenness < 0.03


def test_while_all_is_as_it_was_nothing_is_said(correction):
    for seed in range(1, 5):
        assert warning(correction, seen(correction, seed=seed), NOW + timedelta(days=30)) == ""


@pytest.mark.parametrize(("exposure", "word"), [(0.85, "% darker"), (1.15, "% brighter")])
def test_another_brightness_is_told(correction, exposure, word):
    image = seen(correction, replace(CROOKED, exposure=exposure))
    told = warning(correction, image, NOW)
    assert word in told
    assert "Set the lamp as it was" in told


def test_another_colour_of_the_lamp_is_told(correction):
    bluer = replace(WARM, background=(205.0, 198.0, 190.0))
    told = warning(correction, seen(correction, stain=bluer), NOW)
    assert "tinted" in told
    assert "Calibrate again" in told


def test_a_condenser_that_was_moved_is_told(correction):
    told = warning(correction, seen(correction, replace(CROOKED, tilt=(-0.03, 0.03))), NOW)
    assert "uneven" in told
    assert "condenser" in told


def test_pictures_of_another_shape_are_told(correction):
    told = warning(correction, seen(correction, size=(640, 360)), NOW)
    assert "640×480, not 640×360" in told
    assert "Calibrate again" in told


def test_age_is_told_but_a_clock_that_is_behind_is_not_called_age(correction):
    image = seen(correction)
    assert "91 days old" in warning(correction, image, NOW + timedelta(days=91))
    assert "in the future" in warning(correction, image, NOW - timedelta(days=400))
    assert warning(correction, image, NOW - timedelta(hours=3)) == ""


def test_of_a_field_without_glass_only_age_is_told(correction):
    image = seen(correction)
    image[:, : image.shape[1] * 7 // 8] = image[:, : image.shape[1] * 7 // 8] // 2
    assert background(image[:, :5]) is None
    assert background(image) is None
    assert warning(correction, image, NOW) == ""


def test_the_simulator_s_drifts_are_corrected_and_raise_no_false_alarm():
    """Lamp, tilt and stain hue wander as a warm-up makes them; the calibration stays the first."""
    camera = SimulatorCamera(7, "ALL", width=640, height=480)
    smear = Smear(7, "ALL", WARM)
    correction = replace(calibrated(replace(camera._optics(1), dust=0)), made_at=NOW)
    for frame in range(1, 241, 30):
        field = smear.field(100, 100, 640, 480, replace(camera._optics(frame), dust=0))
        before, after = background(field.image), background(correction.apply(field.image))
        assert before is not None
        assert after is not None
        assert before.cast > 12
        assert after.cast < 2
        assert after.unevenness <= before.unevenness
        assert warning(correction, correction.apply(field.image), NOW) == ""
