"""One slide at the desk: its number becomes a token, and only the token is kept."""

import cv2
import numpy as np
import pytest
import zxingcpp
from desks import desk_at, desk_settings

from edge.cameras.base import Shot
from edge.desk import Busy
from edge.identity import slide_key, slide_token
from edge.refusal import CaptureRefused

ACCESSION = "KANARIENVOGEL-24-001234"


@pytest.fixture
def settings(tmp_path):
    return desk_settings(tmp_path / "station")


@pytest.fixture
def desk(settings):
    with desk_at(settings) as opened:
        yield opened


class Label:
    """A camera that looks at labels."""

    name = "label"

    def __init__(self, *texts):
        rows = [np.full((40, 400), 255, np.uint8)]
        for text in texts:
            code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
            image = np.pad(np.array(code.to_image(scale=4)), 24, constant_values=255)
            rows.append(np.pad(image, ((0, 0), (0, 400 - image.shape[1])), constant_values=255))
        self.image = cv2.cvtColor(np.vstack(rows), cv2.COLOR_GRAY2RGB)

    def capture(self):
        return Shot(self.image)

    def preview(self):
        return self.image

    def close(self):
        pass


def files(folder):
    return [file for file in folder.rglob("*") if file.is_file()]


def test_the_number_becomes_the_token_and_is_in_no_file(desk, settings):
    token = desk.start_slide(f" {ACCESSION} ", "page")
    assert token == slide_token(ACCESSION, slide_key(settings.slide_key_file))
    assert desk.state.slide == token
    assert desk.state.slide_since is not None
    desk.capture("page")
    assert ACCESSION not in str(desk.state)
    for file in files(settings.data_dir):
        assert ACCESSION.encode() not in file.read_bytes(), file.name


def test_the_open_slide_survives_a_restart_and_an_ended_one_does_not(settings):
    with desk_at(settings) as desk:
        token = desk.start_slide(ACCESSION, "page")
        since = desk.state.slide_since
    with desk_at(settings) as desk:
        assert (desk.state.slide, desk.state.slide_since) == (token, since)
        desk.end_slide("button")
        assert desk.state.slide is None
    with desk_at(settings) as desk:
        assert desk.state.slide is None


@pytest.mark.parametrize("damage", [b"", b"{", b'{"slide": "frames", "since": 1}', b"\xff"])
def test_a_damaged_note_of_the_slide_is_no_open_slide(settings, damage):
    with desk_at(settings) as desk:
        desk.start_slide(ACCESSION, "page")
    (settings.data_dir / "slide.json").write_bytes(damage)
    with desk_at(settings) as desk:
        assert desk.state.slide is None


def test_a_slide_that_cannot_be_noted_is_open_all_the_same_and_that_is_said(desk, settings):
    (settings.data_dir / "slide.new").mkdir()
    token = desk.start_slide(ACCESSION, "page")
    assert desk.state.slide == token
    assert [trouble.code for trouble in desk.state.troubles] == ["slide-not-kept"]
    (settings.data_dir / "slide.new").rmdir()
    desk.start_slide("another", "page")
    assert desk.state.troubles == ()


def test_a_damaged_key_is_a_refusal_that_names_no_file(desk, settings):
    settings.slide_key_file.write_bytes(b"no key")
    with pytest.raises(CaptureRefused) as refused:
        desk.start_slide(ACCESSION, "page")
    assert refused.value.reason == "slide-key-unusable"
    assert str(settings.data_dir) not in str(desk.state.refusal)
    assert desk.state.slide is None


def test_a_new_slide_ends_the_one_before_and_the_same_goes_on(desk):
    first = desk.start_slide(ACCESSION, "page")
    since = desk.state.slide_since
    assert desk.start_slide(ACCESSION, "page") == first
    assert desk.state.slide_since == since
    second = desk.start_slide("another", "page")
    assert desk.state.slide == second != first


@pytest.mark.parametrize("number", ["", "   ", "\t\n"])
def test_an_empty_number_is_refused_and_the_refusal_shown(desk, number):
    with pytest.raises(CaptureRefused) as refused:
        desk.start_slide(number, "page")
    assert refused.value.reason == "slide-invalid"
    shown = desk.state.refusal
    assert (shown.code, shown.by) == ("slide-invalid", "page")
    desk.start_slide(ACCESSION, "page")
    assert desk.state.refusal is None


@pytest.mark.parametrize("token", ["", "a/b", "frames", "Anna Kanarienvogel"])
def test_a_token_that_may_not_travel_is_refused_without_repeating_it(desk, token):
    with pytest.raises(CaptureRefused) as refused:
        desk.start_token(token, "remote")
    assert refused.value.reason == "slide-invalid"
    assert "Anna" not in str(desk.state.refusal)


def test_a_hold_begins_the_slide_whose_barcode_is_in_view_and_the_next_ends_it(settings):
    with desk_at(settings, Label(ACCESSION)) as desk:
        token = desk.hold("button")
        assert token == slide_token(ACCESSION, slide_key(settings.slide_key_file))
        assert desk.state.slide == token
        assert desk.hold("button") is None
        assert desk.state.slide is None


@pytest.mark.parametrize(("texts", "code"), [([], "no-barcode"), (["A-1", "A-2"], "two-barcodes")])
def test_no_barcode_and_two_of_them_begin_no_slide(settings, texts, code):
    with desk_at(settings, Label(*texts)) as desk:
        with pytest.raises(CaptureRefused) as refused:
            desk.hold("button")
        assert refused.value.reason == desk.state.refusal.code == code
        assert "A-1" not in str(refused.value)
        assert desk.state.slide is None


def test_a_busy_desk_neither_begins_nor_ends_a_slide(desk):
    token = desk.start_slide(ACCESSION, "page")
    with desk._once.doing("focusing"):
        for act in (lambda: desk.end_slide("page"), lambda: desk.start_slide("other", "page")):
            with pytest.raises(Busy) as busy:
                act()
            assert busy.value.reason == "station-busy"
            assert "focusing" in busy.value.sentence
    assert desk.state.slide == token


def test_ending_without_an_open_slide_is_nothing(desk):
    before = desk.state.version
    desk.end_slide("page")
    assert desk.state.version == before
