"""A scan from the desk, its focus and calibration, with the simulator's stage."""

import time
from datetime import UTC, datetime

import pytest
from desks import desk_at, desk_settings
from rig import until

from edge.cameras.simulator import SimulatorCamera
from edge.desk import Busy
from edge.refusal import CaptureRefused
from edge.scan.progress import ScanProgress
from edge.stage.base import Place
from wire.codec import decode_frame
from wire.messages import FrameResult, FrameTimings, ModelRef, Receipt

SLIDE = "s0123456789abcdef0123"
FIELDS = {"area_um": (147.0, 73.0), "refocus_every": 0}
"""Three by two of them, of the simulator's size."""


@pytest.fixture
def settings(tmp_path):
    return desk_settings(tmp_path / "station", scan=FIELDS)


@pytest.fixture
def desk(settings):
    with desk_at(settings, stage=True) as opened:
        opened.start_token(SLIDE, "page")
        yield opened


def note_of(settings):
    return settings.data_dir / "scans" / f"{SLIDE}.json"


def ended(desk):
    until(lambda: desk.state.activity == "idle", 60, "the scan has ended")
    return desk.state.scan


def result(frame):
    """A result that finds an ALL cell in each place."""
    return FrameResult(
        capture_id=frame.capture_id, site="home", device="scope-1", slide=frame.slide, label="ALL",
        explanation="", counts={"ALL": len(frame.cells)}, cells=[],
        model=ModelRef("test", "1", "0" * 64), captured_at=frame.captured_at,
        classified_at=frame.captured_at, image_key="", image_sha256=frame.sha256,
        width=frame.width, height=frame.height, quality=None, finder="",
        timings_ms=FrameTimings(0.0, 0.0, 0.0),
    )  # fmt: skip


def test_a_scan_of_the_whole_area_saves_each_field_once_and_counts(desk):
    desk.start_scan("page", 0)
    assert desk.state.activity == "scanning"
    scan = ended(desk)
    assert (scan.running, scan.finished, scan.fields, scan.all_fields) == (False, True, 6, 6)
    frames = [decode_frame(desk.spool.payload(one)) for one in desk.spool.waiting(20)]
    assert len(frames) + scan.refused == 6
    assert scan.cells == sum(len(frame.cells) for frame in frames) > 0
    assert {line.by for line in desk.state.lines} == {"scan"}
    hooks = desk.hooks()
    for frame in frames:
        hooks.result(result(frame))
        hooks.result(result(frame))  # a broker may deliver it twice
    assert desk.state.scan.counts == {"ALL": scan.cells}


def test_a_scan_ends_when_enough_cells_are_counted(desk):
    desk.start_scan("page", 1)
    scan = ended(desk)
    assert scan.finished
    assert scan.cells >= 1
    assert scan.fields < 6


def test_nothing_else_is_done_during_a_scan_and_it_stops_when_told(desk):
    desk.start_scan("page", 0)
    with pytest.raises(Busy) as busy:
        desk.capture("button")
    assert "Stop the scan" in busy.value.remedy
    with pytest.raises(Busy):
        desk.end_slide("page")
    with pytest.raises(Busy):
        desk.start_scan("remote", 5)
    assert desk.preview().shape == (480, 640, 3)
    desk.stop_scan("button")
    scan = ended(desk)
    assert not scan.finished
    assert scan.fields < 6


def test_a_stopped_scan_goes_on_after_a_restart_and_takes_no_field_twice(settings):
    with desk_at(settings, stage=True) as desk:
        desk.start_token(SLIDE, "page")
        desk.start_scan("page", 0)
        until(lambda: desk.state.scan.fields >= 2, 60, "two fields")
    with desk_at(settings, stage=True) as desk:
        before = desk.state.scan
        assert (before.running, before.finished) == (False, False)
        assert 2 <= before.fields < 6
        desk.start_scan("button", 0)
        scan = ended(desk)
        assert (scan.finished, scan.fields) == (True, 6)
        assert len(desk.spool.waiting(20)) + scan.refused == 6


def test_a_field_saved_before_a_power_cut_but_not_noted_is_not_taken_again(settings):
    """The station dies between the two; its frame is sent and stored before the scan goes on."""
    with desk_at(settings, stage=True) as desk:
        desk.start_token(SLIDE, "page")
        plan = settings.scan.plan(desk.microscope.stage.place)
        progress = ScanProgress.begin(note_of(settings), SLIDE, plan, 0)
        reserved = progress.taking(desk.microscope.stage.place)
        frame = desk.capturer.capture(SLIDE, capture_id=reserved).frame
    with desk_at(settings, stage=True) as desk:
        assert (desk.state.scan.fields, desk.state.scan.cells) == (1, len(frame.cells))
        desk.spool.settle(Receipt(capture_id=reserved, outcome="stored", at=datetime.now(UTC)))
        desk.start_scan("page", 0)
        scan = ended(desk)
        assert (scan.finished, scan.fields) == (True, 6)
        frames = [decode_frame(desk.spool.payload(one)) for one in desk.spool.waiting(20)]
        assert len(frames) + scan.refused == 5
        assert scan.cells == sum(len(one.cells) for one in [frame, *frames])


def test_a_scan_of_another_slide_does_not_end_the_first_slides(desk, settings):
    desk.start_scan("page", 0)
    until(lambda: desk.state.scan.fields >= 1, 60, "a field")
    desk.stop_scan("page")
    first = ended(desk)
    desk.start_token("sffffffffffffffffffff", "page")
    assert desk.state.scan is None
    desk.start_scan("page", 1)
    assert ended(desk).finished
    assert desk.state.lines[0].slide == "sffffffffffffffffffff"
    desk.start_token(SLIDE, "page")
    assert desk.state.scan.fields == first.fields  # it is still there to be gone on with
    desk.start_scan("page", 0)
    assert (ended(desk).fields, desk.state.scan.finished) == (6, True)


def test_progress_that_was_damaged_is_said_and_not_just_begun_anew(settings):
    note_of(settings).parent.mkdir(parents=True)
    note_of(settings).write_bytes(b"half a no")
    with desk_at(settings, stage=True) as desk:
        assert [one.code for one in desk.state.troubles] == ["scan-not-noted"]
        assert str(settings.data_dir) not in str(desk.state)
        desk.start_token(SLIDE, "page")
        desk.start_scan("page", 1)
        assert desk.state.troubles == ()
        ended(desk)


def test_a_full_disk_stops_the_scan_and_says_why(desk):
    desk.spool._min_free_mb = 10**9
    desk.start_scan("page", 0)
    scan = ended(desk)
    assert not scan.finished
    assert "disk is full" in scan.problem
    assert scan.fields == 0  # it is taken when the scan goes on


def test_autofocus_finds_the_slide_and_the_view_follows(settings):
    camera = SimulatorCamera(7, "ALL", defocus=3.0)
    with desk_at(settings, camera, stage=True) as desk:
        camera.move_to(60, 60)
        blurred = desk.look().focus
        found = desk.autofocus("page")
        assert abs(found.z_um) < 0.5
        assert found.looked > 20
        until(lambda: desk.look().focus > 2 * blurred, 5, "the needle moves")


def test_a_stage_that_fails_is_a_refusal(desk):
    desk.microscope.stage.close()
    with pytest.raises(CaptureRefused) as refused:
        desk.autofocus("page")
    assert refused.value.reason == "stage-failed"
    assert desk.state.activity == "idle"


def test_a_calibration_makes_pictures_white_at_once_and_after_a_restart(settings):
    camera = SimulatorCamera(7, "ALL")
    with desk_at(settings, camera, stage=True) as desk:
        stage = desk.microscope.stage
        stage.move_to(stage.glass)
        before = desk.preview().reshape(-1, 3).mean(axis=0)
        try:
            correction = desk.calibrate("page")
        except CaptureRefused as refusal:
            pytest.fail(str(refusal))
        after = desk.preview().reshape(-1, 3).mean(axis=0)
        assert after.max() - after.min() < 0.5 * (before.max() - before.min())
        assert desk.microscope.correction is correction
    with desk_at(settings, SimulatorCamera(7, "ALL"), stage=True) as desk:
        desk.preview()
        assert desk.microscope.correction.made_at == correction.made_at


def test_a_stage_that_knows_clear_glass_goes_there_to_calibrate_and_comes_back(settings):
    with desk_at(settings, stage=True) as desk:
        assert desk.state.can.glass
        desk.microscope.stage.move_to(Place(60, 60, 0.5))
        with pytest.raises(CaptureRefused) as refused:
            desk.calibrate("page")  # cells are in view
        assert refused.value.reason == "calibration-not-empty"
        desk.calibrate("page", to_glass=True)
        assert desk.microscope.stage.place == Place(60, 60, 0.5)
        assert desk.calibration is not None


def test_a_hand_is_asked_where_no_stage_knows_clear_glass(settings):
    with desk_at(settings) as desk:
        assert not desk.state.can.glass
        with pytest.raises(CaptureRefused, match="by hand"):
            desk.calibrate("page", to_glass=True)


def test_a_scan_leaves_the_desk_closed_in_time(settings):
    with desk_at(settings, stage=True) as desk:
        desk.start_token(SLIDE, "page")
        desk.start_scan("page", 0)
        began = time.monotonic()
    assert time.monotonic() - began < 10
