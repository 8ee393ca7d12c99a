"""A slide's number is read from the picture, of one code at a time, and told to nobody else."""

import logging
import time

import cv2
import numpy as np
import pytest
from barcodes import barcode, on_field
from structlog.testing import capture_logs

from edge.barcode import holds_code, read, texts
from imaging.simulator import Smear

NUMBER = "24-001234"
KINDS = ["Code128", "DataMatrix", "QRCode"]


@pytest.fixture(scope="module")
def field():
    """A preview of a simulated slide."""
    image = Smear(3, "ALL").field(100, 100).image
    return np.asarray(cv2.resize(image, (640, 480), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("degrees", [0, 7, 90, 180, 270])
@pytest.mark.parametrize("blur", [0.0, 1.0])
def test_a_code_is_read_turned_and_slightly_blurred(field, kind, degrees, blur):
    assert read(on_field(field, barcode(NUMBER, kind), degrees, blur)) == NUMBER


@pytest.mark.parametrize("kind", ["DataMatrix", "QRCode"])
@pytest.mark.parametrize("degrees", [23, 45, 130])
def test_a_square_code_is_read_at_any_angle(field, kind, degrees):
    assert read(on_field(field, barcode(NUMBER, kind, 4), degrees)) == NUMBER


@pytest.mark.parametrize("kind", ["DataMatrix", "QRCode"])
def test_a_code_engraved_light_on_dark_is_read(field, kind):
    assert read(on_field(field, 255 - barcode(NUMBER, kind))) == NUMBER


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_under_dim_warm_light_is_read(field, kind):
    dim = (on_field(field, barcode(NUMBER, kind)) * np.array([0.5, 0.4, 0.25])).astype(np.uint8)
    assert read(dim) == NUMBER


def test_a_code_in_a_capture_of_full_size_is_read(field):
    large = cv2.resize(on_field(field, barcode(NUMBER, "Code128")), (2592, 1944))
    assert read(np.asarray(large, np.uint8)) == NUMBER


@pytest.mark.parametrize("kind", ["ALL", "AML", "Normal"])
def test_cells_are_no_code(kind):
    for seed in range(1, 4):
        picture = Smear(seed, kind).field(100, 100, 640, 480).image
        assert read(picture) is None
        assert not holds_code(picture)


def test_blanks_around_the_number_are_left_out(field):
    assert read(on_field(field, barcode(f" {NUMBER}  ", "DataMatrix"))) == NUMBER


def test_two_different_codes_are_no_number_but_can_be_told(field):
    picture = on_field(field, barcode(NUMBER, "QRCode"), at=(-150, 0))
    picture = on_field(picture, barcode("24-009999", "QRCode"), at=(150, 0))
    assert read(picture) is None
    assert texts(picture) == [NUMBER, "24-009999"]


def test_the_same_number_in_two_codes_is_one_number(field):
    picture = on_field(field, barcode(NUMBER, "QRCode"), at=(-150, 0))
    picture = on_field(picture, barcode(NUMBER, "DataMatrix"), at=(150, 0))
    assert read(picture) == NUMBER


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A\tB", "DataMatrix"),
        (b"\x01\x02\x03\x04", "QRCode"),
        ("https://example.org/" + "x" * 60, "QRCode"),
        ("   ", "Code128"),
    ],
    ids=["a tab", "bytes", "a long address", "blanks"],
)
def test_what_can_be_no_slide_number_is_passed_over(field, text, kind):
    picture = on_field(field, barcode(text, kind))
    assert read(picture) is None
    assert holds_code(picture)  # a label all the same


def test_codes_of_groceries_and_parcels_are_not_asked_for(field):
    assert read(on_field(field, barcode("4006381333931", "EAN13"))) is None
    assert read(on_field(field, barcode(NUMBER, "PDF417", 2))) is None


def test_neither_logs_nor_outputs_hold_the_number(field, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        assert read(on_field(field, barcode(NUMBER, "Code128"))) == NUMBER
        assert texts(on_field(field, barcode("A\tB", "QRCode"))) == []
    out, err = capfd.readouterr()
    assert logs == []
    assert NUMBER not in caplog.text + out + err


def test_pictures_made_to_take_long_do_not():
    """Nothing but what a code's corners look like, thousands of times; about 0.1 s measured."""
    corner = np.full((9, 9), 255, np.uint8)
    corner[1:8, 1:8], corner[2:7, 2:7], corner[3:6, 3:6] = 0, 255, 0
    tiled = np.tile(corner, (220, 290))[:1944, :2592]
    noise = np.random.default_rng(1).integers(0, 256, (1944, 2592), np.uint8)
    for picture in (tiled, noise):
        began = time.thread_time()
        assert read(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)) is None
        assert time.thread_time() - began < 1.5
