"""Bands say in a word and a needle's position what the gate will say to a capture."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.quality.bands import bands, is_sharp
from imaging.quality import Quality, judge, measure
from imaging.simulator import Optics, Smear
from imaging.verdict import Limits

PARTS = st.floats(0, 1)
QUALITIES = st.builds(
    Quality,
    focus=st.floats(0, 5) | st.just(Limits().focus),
    brightness=PARTS | st.sampled_from([Limits().darkest, Limits().brightest]),
    clipped=PARTS | st.just(Limits().clipped),
    cast=st.floats(0, 120) | st.just(Limits().cast),
    tissue=PARTS | st.just(Limits().tissue),
)
LIMITS = st.builds(
    Limits,
    focus=st.floats(0.05, 1),
    darkest=st.floats(0.1, 0.4),
    brightest=st.floats(0.5, 0.99),
    clipped=st.floats(0.01, 0.3),
    cast=st.floats(5, 40),
    tissue=st.floats(0.01, 0.2),
)
GOOD = Quality(focus=0.8, brightness=0.65, clipped=0.01, cast=3.0, tissue=0.4)


def band(name, **measures):
    changed = Quality(**(vars(GOOD) | measures))
    return next(one for one in bands(changed) if one.name == name)


@given(QUALITIES)
def test_all_bands_are_ok_exactly_when_the_gate_passes_the_field(quality):
    problem = judge(quality)
    assert all(one.ok for one in bands(quality)) == (problem is None)
    if problem is not None:
        assert next(one.code for one in bands(quality) if not one.ok) == problem.code


@given(QUALITIES, LIMITS)
def test_so_it_is_with_other_limits_too(quality, limits):
    shown = bands(quality, limits)
    assert all(one.ok for one in shown) == (judge(quality, limits) is None)


@given(QUALITIES)
def test_the_needle_stands_inside_the_good_part_exactly_when_ok(quality):
    for one in bands(quality):
        assert 0 <= one.position <= 1
        assert 0 <= one.low < one.high <= 1
        if one.ok:
            assert one.low <= one.position <= one.high
        else:
            assert not one.low < one.position < one.high
            assert one.code


@pytest.mark.parametrize(
    ("brightness", "word"), [(0.2, "too dark"), (0.6, "good"), (0.97, "too bright")]
)
def test_brightness_in_words(brightness, word):
    assert band("brightness", brightness=brightness).word == word


@pytest.mark.parametrize(("focus", "word"), [(0.1, "out of focus"), (0.3, "soft"), (0.9, "sharp")])
def test_focus_in_words(focus, word):
    assert band("focus", focus=focus).word == word


def test_the_other_measures_in_words():
    assert band("clipping", clipped=0.4).word == "detail lost"
    assert band("clipping", clipped=0.1).word == "some lost"
    assert band("cells", tissue=0.0).word == "no cells"
    assert band("cells", tissue=0.1).word == "few"
    assert band("colour", cast=30.0).word == "too tinted"
    assert band("colour", cast=15.0).word == "tinted"
    assert band("colour", cast=2.0).word == "neutral"


def test_a_sharper_field_moves_the_needle_right_and_a_doubling_always_as_far():
    places = [band("focus", focus=value).position for value in (0.1, 0.2, 0.4, 0.8)]
    steps = [second - first for first, second in pairwise(places)]
    assert steps == pytest.approx([steps[0]] * 3)
    assert steps[0] > 0.1


def test_a_measure_that_is_no_number_is_judged_as_the_gate_judges_it():
    broken = Quality(float("nan"), float("inf"), 0.0, 0.0, 0.5)
    assert all(one.ok for one in bands(broken)) == (judge(broken) is None)
    assert {one.position for one in bands(broken) if one.name in {"focus", "brightness"}} == {0.0}


def test_a_real_field_goes_from_sharp_to_out_of_focus_as_the_drive_turns():
    smear = Smear(3, "ALL")
    words = []
    for defocus in (0.0, 1.0, 4.0):
        image = smear.field(100, 100, 1280, 960, Optics(defocus_um=defocus)).image
        words.append(next(one.word for one in bands(measure(image)) if one.name == "focus"))
    assert words[0] == "sharp"
    assert words[-1] == "out of focus"


def test_only_a_field_with_cells_is_sharp():
    sharp = Quality(focus=0.9, brightness=0.7, clipped=0, cast=5, tissue=0.2)
    assert is_sharp(sharp)
    assert not is_sharp(replace(sharp, focus=0.01))
    assert not is_sharp(replace(sharp, tissue=0.0))  # dust on bare glass is sharp too
