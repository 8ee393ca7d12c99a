"""Bare glass becomes white and even, and nothing that was lost is made up."""

from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from glass import CROOKED, WARM, calibrated, glass
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calibration import Correction
from edge.calibration.surface import TERMS, evaluate, fit
from imaging.cells import find_white_cells
from imaging.quality import judge, measure
from imaging.simulator import Optics, Smear


def chroma(image):
    """Of the mean colour, CIELAB: 0 is neutral, from about 2 the eye sees it beside white."""
    colour = image.reshape(-1, 3).mean(axis=0, dtype=np.float64) / 255
    _, a, b = cv2.cvtColor(colour[None, None].astype(np.float32), cv2.COLOR_RGB2Lab)[0, 0]
    return float(np.hypot(a, b))


def unevenness(image):
    """Brightest over darkest of 8×6 parts of the field, less 1."""
    small = cv2.resize(image, (8, 6), interpolation=cv2.INTER_AREA).astype(np.float64)
    light = small.mean(axis=2)
    return float(light.max() / light.min() - 1)


@pytest.mark.parametrize(
    ("optics", "stain"),
    [
        (CROOKED, WARM),
        (Optics(vignetting=0.3, tilt=(-0.05, 0.05), exposure=0.9, dust=0), WARM),
        (CROOKED, replace(WARM, background=(150.0, 190.0, 205.0))),
    ],
    ids=["warm lamp", "dark corners", "blue filter"],
)
def test_the_glass_becomes_white_and_even(optics, stain):
    before = glass(optics, stain, number=99)
    after = calibrated(optics, stain).apply(before)
    assert chroma(before) > 10
    assert unevenness(before) > 0.2
    assert chroma(after) < 0.5
    assert unevenness(after) < 0.02


@given(
    tilt=st.tuples(st.floats(-0.06, 0.06), st.floats(-0.06, 0.06)),
    vignetting=st.floats(0, 0.3),
    exposure=st.floats(0.85, 1.0),
    red=st.floats(160, 210),
    blue=st.floats(160, 210),
)
@settings(max_examples=12, deadline=None)
def test_whatever_the_lamp_is_like(tilt, vignetting, exposure, red, blue):
    optics = Optics(vignetting=vignetting, tilt=tilt, exposure=exposure, dust=0)
    stain = replace(WARM, background=(red, 190.0, blue))
    after = calibrated(optics, stain, (320, 240)).apply(glass(optics, stain, (320, 240), 99))
    assert chroma(after) < 0.7
    assert unevenness(after) < 0.02


def test_cells_keep_their_place_and_the_gate_is_better_pleased():
    field = Smear(3, "ALL", WARM).field(100, 100, optics=CROOKED)
    after = calibrated().apply(field.image)
    quality = measure(after)
    assert measure(field.image).cast > 12
    assert quality.cast < 1
    assert judge(quality) is None
    assert len(find_white_cells(after)) == len(find_white_cells(field.image)) > 0


def test_stain_hue_and_strength_are_not_mistaken_for_the_lamp():
    """Two stains under one lamp: their glass is equally white after, their cells still differ."""
    correction = calibrated()
    blue, red = (
        correction.apply(
            Smear(3, "Normal", WARM)
            .field(100, 100, 640, 480, replace(CROOKED, stain_hue=hue))
            .image
        )
        for hue in (-0.6, 0.6)
    )
    assert measure(blue).cast < 1
    assert measure(red).cast < 1
    assert red.reshape(-1, 3).mean(axis=0)[2] < blue.reshape(-1, 3).mean(axis=0)[2] - 5


def test_every_pixel_follows_the_formula_to_one_level():
    correction = calibrated()
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    light = np.stack([evaluate(channel, 480, 640) for channel in correction.field], axis=-1)
    wanted = np.minimum(image * (correction.level / light.astype(np.float64)), 255)
    assert np.abs(correction.apply(image) - wanted).max() <= 1.0


@given(st.integers(0, 2**32 - 1), st.sampled_from([(480, 640), (37, 50), (300, 100), (1, 1)]))
@settings(max_examples=25, deadline=None)
def test_no_pixel_is_darkened_white_stays_white_and_black_stays_black(seed, shape):
    correction = calibrated_once()
    image = np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)
    image[0, 0], image[-1, -1] = (255, 255, 255), (0, 0, 0)
    before = image.copy()
    after = correction.apply(image)
    assert (after >= image).all()
    assert (after[image == 255] == 255).all()
    assert (after[image == 0] == 0).all()
    assert (image == before).all()


def test_glare_that_the_sensor_clipped_gets_no_colour():
    """Gains below 1 would make it the lamp's complementary colour."""
    picture = glass()
    cv2.circle(picture, (320, 240), 40, (255, 255, 255), -1)
    after = calibrated().apply(picture)
    assert (after[230:250, 310:330] == 255).all()


@pytest.mark.parametrize("size", [(320, 240), (1280, 960), (1282, 960)])
def test_it_is_applied_at_other_sizes_than_it_was_made_at(size):
    after = calibrated(size=(640, 480)).apply(glass(size=size, number=99))
    assert after.shape == (size[1], size[0], 3)
    assert chroma(after) < 0.5
    assert unevenness(after) < 0.02


def test_a_picture_of_other_proportions_gets_its_white_but_no_flat_field():
    correction = calibrated(size=(640, 480))
    assert correction.fits(1280, 960)
    assert not correction.fits(640, 360)
    before = glass(size=(640, 360), number=99)
    after = correction.apply(before)
    assert chroma(after) < 1
    assert unevenness(after) == pytest.approx(unevenness(before), abs=0.03)


def test_a_view_into_a_larger_picture_is_corrected_like_a_copy():
    whole = np.random.default_rng(2).integers(0, 256, (480, 1280, 3), np.uint8)
    view = whole[:, ::2]
    correction = calibrated_once()
    assert (correction.apply(view) == correction.apply(view.copy())).all()


def test_a_perfect_field_changes_nothing():
    field = np.zeros((3, TERMS, TERMS))
    field[:, 0, 0] = 200.0
    correction = Correction(field, 64, 48, 8, datetime.now(UTC))
    image = np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8)
    assert (correction.apply(image) == image).all()
    assert (correction.level, correction.evenness, correction.darkest) == (200.0, 1.0, 200.0)


def test_dust_does_not_bend_the_surface():
    clean = np.full((120, 160), 180.0, np.float32)
    dusty = clean.copy()
    for x, y in ((30, 30), (100, 60), (140, 100), (60, 90)):
        cv2.circle(dusty, (x, y), 5, 120.0, -1)
    assert np.abs(evaluate(fit(dusty), 120, 160) - 180).max() < 0.5


_CORRECTIONS = []


def calibrated_once():
    """One for the examples of a property: making it takes longer than applying it."""
    if not _CORRECTIONS:
        _CORRECTIONS.append(calibrated())
    return _CORRECTIONS[0]
