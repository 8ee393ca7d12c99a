"""A label that is held under the lens leaves the station neither as capture nor as snapshot."""

import pytest
from barcodes import LabelledField
from desks import desk_at, desk_settings
from structlog.testing import capture_logs

from edge.refusal import CaptureRefused
from imaging.quality import judge, measure

ACCESSION = "KANARIENVOGEL-24-001234"
SLIDE = "s0123456789abcdef0123"


@pytest.fixture
def settings(tmp_path):
    return desk_settings(tmp_path / "station")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ACCESSION, "Code128"),
        (ACCESSION, "DataMatrix"),
        (ACCESSION, "QRCode"),
        (f"{ACCESSION}\tBIRTH-1960-01-02", "DataMatrix"),
        (f"{ACCESSION} " + "x" * 60, "QRCode"),
    ],
    ids=["Code 128", "Data Matrix", "QR", "a code with a tab", "a long code"],
)
def test_a_press_with_a_label_in_view_saves_nothing_and_keeps_no_picture(settings, text, kind):
    camera = LabelledField(text, kind)
    assert judge(measure(camera.image)) is None  # the gate alone would let it pass
    with capture_logs() as logs, desk_at(settings, camera) as desk:
        desk.start_token(SLIDE, "page")
        with pytest.raises(CaptureRefused) as refused:
            desk.capture("page")
        assert refused.value.reason == "label-in-view"
        assert "out of view" in refused.value.remedy
        assert desk.spool.waiting(10) == []
        (line,) = desk.state.lines
        assert (line.reason, line.saved) == ("label-in-view", False)
        assert not desk.frame(line.capture_id)
        assert ACCESSION not in f"{refused.value}{desk.state}{logs}"


def test_a_snapshot_to_send_shows_no_label_and_the_page_s_own_preview_does(settings):
    camera = LabelledField(ACCESSION)
    with desk_at(settings, camera) as desk:
        with pytest.raises(CaptureRefused) as refused:
            desk.snapshot_to_send()
        assert refused.value.reason == "label-in-view"
        assert ACCESSION not in str(refused.value)
        assert desk.snapshot().startswith(b"\xff\xd8")


def test_once_the_label_is_away_snapshot_and_capture_are_as_before(settings):
    camera = LabelledField(ACCESSION)
    with desk_at(settings, camera) as desk:
        desk.start_token(SLIDE, "page")
        with pytest.raises(CaptureRefused):
            desk.capture("page")
        camera.take_away()
        assert desk.capture("page").saved
        assert desk.snapshot_to_send() == desk.snapshot()
