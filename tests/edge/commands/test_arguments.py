import re

import pytest

from edge.commands.arguments import (
    TAKES,
    Burst,
    CameraControls,
    Nothing,
    OnSlide,
    Scan,
    TheSlide,
    read_arguments,
)
from edge.commands.names import DEFAULT_ALLOWED, NAMES
from edge.identity import TOKEN_PATTERN, slide_token
from edge.refusal import CaptureRefused

SLIDE = "s0123456789abcdef0123"


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("ping", {}, Nothing()),
        ("capture", {}, OnSlide(None)),
        ("capture", {"slide": SLIDE}, OnSlide(SLIDE)),
        ("start-slide", {"slide": SLIDE}, TheSlide(SLIDE)),
        ("burst", {}, Burst(count=5)),
        ("burst", {"count": 20, "slide": SLIDE}, Burst(SLIDE, 20)),
        ("start-scan", {"cells": 1}, Scan(None, 1)),
        ("set-camera", {"exposure_us": 8000}, CameraControls(exposure_us=8000)),
        ("set-camera", {"gain": 2}, CameraControls(gain=2.0)),
        ("set-camera", {"red_gain": 1.5, "blue_gain": 2}, CameraControls(None, None, 1.5, 2.0)),
    ],
)
def test_arguments_within_their_bounds_are_read(name, given, read):
    assert read_arguments(name, given) == read


def refused(name, given):
    with pytest.raises(CaptureRefused) as caught:
        read_arguments(name, given)
    return caught.value


@pytest.mark.parametrize(
    "slide",
    [
        "24-001234",
        "H2026-0471133",
        "Kanarienvogel",
        "s4f2a91",
        SLIDE.upper(),
        SLIDE + "0",
        SLIDE + "\n",
        " " + SLIDE,
        "",
        7,
        True,
    ],
)
@pytest.mark.parametrize("name", ["start-slide", "end-slide", "capture", "burst", "start-scan"])
def test_anything_but_a_slide_token_is_refused_and_not_repeated(name, slide):
    refusal = refused(name, {"slide": slide})
    assert refusal.reason == "slide-invalid"
    assert "never the number on the slide" in refusal.may_travel
    if str(slide).strip() and slide != 7:
        assert str(slide).strip() not in str(refusal)


@pytest.mark.parametrize("name", ["start-slide", "end-slide"])
def test_a_command_about_one_slide_must_name_it(name):
    assert refused(name, {}).reason == "slide-invalid"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("burst", {"count": 1}, "count must be a whole number, 2 to 20."),
        ("burst", {"count": 21}, "count must be a whole number, 2 to 20."),
        ("burst", {"count": "Kanarienvogel"}, "count must be a whole number, 2 to 20."),
        ("burst", {"count": True}, "count must be a whole number, 2 to 20."),
        ("burst", {"count": 2.5}, "count must be a whole number, 2 to 20."),
        ("start-scan", {"cells": 0}, "cells must be a whole number, 1 to 1000."),
        ("set-camera", {"exposure_us": 49}, "exposure_us must be"),
        ("set-camera", {"exposure_us": 500_001}, "exposure_us must be"),
        ("set-camera", {"gain": 0.5}, "gain must be 1 to 16."),
        ("set-camera", {"gain": 17}, "gain must be 1 to 16."),
        ("set-camera", {"red_gain": 9.0, "blue_gain": 1.0}, "red_gain must be 0.1 to 8."),
        ("set-camera", {"red_gain": 1.0}, "red_gain and blue_gain go together."),
        ("set-camera", {}, "Nothing is to be set."),
        ("set-camera", {"iso": 100}, "An argument is unknown."),
        ("ping", {"Kanarienvogel": 1}, "An argument is unknown. The command takes no arguments."),
        ("capture", {"count": 3}, "An argument is unknown. The command takes slide."),
    ],
)
def test_an_argument_out_of_bounds_is_refused_with_its_bounds_and_not_repeated(name, given, said):
    refusal = refused(name, given)
    assert refusal.reason == "command-invalid"
    assert said in refusal.may_travel
    assert "Kanarienvogel" not in str(refusal)


def test_every_command_has_its_arguments_and_the_default_ones_neither_move_nor_set_anything():
    assert set(TAKES) == set(NAMES)
    assert set(NAMES) - set(DEFAULT_ALLOWED) == {"autofocus", "set-camera", "start-scan"}


def test_a_token_made_at_the_station_looks_like_one():
    assert re.match(TOKEN_PATTERN, slide_token("24-001234", b"k" * 32))
