"""A press at the desk, and what is to be seen of it."""

import threading
import time

import cv2
import numpy as np
import pytest
from desks import desk_at, desk_settings
from structlog.testing import capture_logs

from edge.cameras.base import Adjustment, CameraError
from edge.cameras.folder import FolderCamera
from edge.cameras.simulator import SimulatorCamera
from edge.desk import Busy
from edge.refusal import CaptureRefused
from wire.codec import decode_frame

SLIDE = "s0123456789abcdef0123"


@pytest.fixture
def settings(tmp_path):
    return desk_settings(tmp_path / "station")


@pytest.fixture
def desk(settings):
    with desk_at(settings) as opened:
        opened.start_token(SLIDE, "page")
        yield opened


class Shaky:
    """A camera of whose pictures of one field the `sharp`-th is the only sharp one."""

    name = "shaky"

    def __init__(self, sharp):
        self.image = SimulatorCamera(7, "ALL").capture().image
        self.sharp, self.taken = sharp, 0

    def capture(self):
        from edge.cameras.base import Shot

        self.taken += 1
        blurred = cv2.GaussianBlur(self.image, (0, 0), 6)
        return Shot(self.image if self.taken == self.sharp else blurred)

    def close(self):
        pass


def refused(act):
    with pytest.raises(CaptureRefused) as refusal:
        act()
    return refusal.value


def test_a_press_is_saved_and_is_the_newest_line(desk):
    first, second = desk.capture("page"), desk.capture("button")
    assert desk.spool.waiting(10) == [first.capture_id, second.capture_id]
    assert [(line.capture_id, line.by) for line in desk.state.lines] == [
        (second.capture_id, "button"),
        (first.capture_id, "page"),
    ]
    assert (first.slide, first.saved, first.sent, first.stored) == (SLIDE, True, False, False)
    assert first.cells > 0
    assert 0.35 < first.quality["brightness"] < 0.93
    assert desk.state.waiting == 2


def test_without_a_slide_a_press_is_refused_whoever_presses(desk):
    desk.end_slide("page")
    refusal = refused(lambda: desk.capture("button"))
    assert refusal.reason == "no-slide"
    assert (desk.state.refusal.code, desk.state.refusal.by) == ("no-slide", "button")
    assert desk.state.lines == ()


def test_a_burst_keeps_the_sharpest_of_one_field_and_saves_it_alone(settings):
    camera = Shaky(sharp=3)
    with desk_at(settings, camera) as desk:
        desk.start_token(SLIDE, "page")
        line = desk.capture("page", count=4)
        assert camera.taken == 4
        (capture_id,) = desk.spool.waiting(10)
        assert capture_id == line.capture_id
        sharp = line.quality["focus"]
        camera.taken = 0
        assert refused(lambda: desk.capture("page", count=2)).reason == "out-of-focus"
        assert desk.state.lines[0].quality["focus"] < sharp


def test_a_burst_of_the_simulator_stays_on_its_field(settings):
    camera = SimulatorCamera(7, "ALL")
    with desk_at(settings.model_copy(update={"burst": 3}), camera) as desk:
        desk.start_token(SLIDE, "page")
        shown = desk.preview()
        line = desk.capture("page")
        taken = cv2.imdecode(np.frombuffer(desk.frame(line.capture_id), np.uint8), 1)[..., ::-1]
        taken = cv2.resize(taken, (640, 480), interpolation=cv2.INTER_AREA)
        assert np.abs(shown.astype(int) - taken.astype(int)).mean() < 6


def test_a_refused_picture_is_a_line_with_its_picture_its_reason_and_its_remedy(settings):
    with desk_at(settings, SimulatorCamera(7, "ALL", defocus=4.0)) as desk:
        desk.start_token(SLIDE, "page")
        assert refused(lambda: desk.capture("page")).reason == "out-of-focus"
        (line,) = desk.state.lines
        assert (line.saved, line.reason) == (False, "out-of-focus")
        assert "fine focus" in line.refused
        assert line.quality["focus"] < 0.24
        assert desk.frame(line.capture_id)[:2] == b"\xff\xd8"
        assert desk.spool.waiting(1) == []


def test_a_full_disk_refuses_the_press_and_keeps_what_was_saved(settings):
    with desk_at(settings) as desk:
        desk.start_token(SLIDE, "page")
        saved = desk.capture("page")
        desk.spool._min_free_mb = 10**9
        assert refused(lambda: desk.capture("page")).reason == "disk-full"
        assert desk.spool.waiting(10) == [saved.capture_id]
        assert [line.reason for line in desk.state.lines] == ["disk-full", ""]


def test_a_camera_away_is_a_refusal_a_problem_and_a_trouble_until_it_is_back(settings):
    camera = SimulatorCamera(7, "ALL")
    with desk_at(settings, camera) as desk:
        desk.start_token(SLIDE, "page")
        camera.close()
        assert refused(lambda: desk.capture("page")).reason == "camera-failed"
        assert refused(desk.snapshot).reason == "camera-failed"
        state = desk.state
        assert "closed" in state.camera_problem
        assert [trouble.code for trouble in state.troubles] == ["camera-failed"]
        camera._closed = False
        desk.capture("page")
        assert desk.state.camera_problem == ""
        assert desk.state.troubles == ()


def test_a_folder_at_its_end_is_a_refusal_and_names_no_file(settings, tmp_path):
    folder = tmp_path / "KANARIENVOGEL"
    folder.mkdir()
    image = SimulatorCamera(7, "ALL").capture().image
    cv2.imwrite(str(folder / "KANARIENVOGEL.png"), image[..., ::-1])
    with desk_at(settings, FolderCamera(folder)) as desk:
        desk.start_token(SLIDE, "page")
        desk.capture("page", count=3)
        refusal = refused(lambda: desk.capture("page"))
        assert refusal.reason == "camera-failed"
        assert "no further picture" in refusal.sentence
        assert "KANARIENVOGEL" not in str(desk.state)


def test_one_thing_at_a_time(desk):
    inside, go_on = threading.Event(), threading.Event()
    real = desk.microscope.capture

    def slow():
        inside.set()
        go_on.wait(10)
        return real()

    desk.microscope.capture = slow
    press = threading.Thread(target=desk.capture, args=("page",))
    press.start()
    assert inside.wait(10)
    assert desk.state.activity == "capturing"
    with pytest.raises(Busy) as busy:
        desk.capture("button")
    assert "taking a picture" in busy.value.sentence
    assert refused(lambda: desk.calibrate("page")).reason == "station-busy"
    go_on.set()
    press.join(10)
    assert desk.state.activity == "idle"
    assert len(desk.state.lines) == 1


def test_whoever_waits_hears_of_a_press_at_once_and_of_nothing_when_nothing_happens(desk):
    seen = desk.state.version
    began = time.monotonic()
    assert desk.wait(seen, 0.2).version == seen
    assert time.monotonic() - began >= 0.2
    threading.Timer(0.1, desk.capture, ("page",)).start()
    assert desk.wait(seen, 10).version > seen
    while not (state := desk.wait(seen, 10)).lines:
        seen = state.version
    assert state.lines[0].saved


def test_the_lines_are_there_after_a_restart_as_far_as_the_spool_holds_them(settings):
    with desk_at(settings) as desk:
        desk.start_token(SLIDE, "page")
        saved = [desk.capture("page") for _ in range(2)]
    with desk_at(settings) as desk:
        lines = desk.state.lines
        assert [line.capture_id for line in lines] == [saved[1].capture_id, saved[0].capture_id]
        assert {(line.by, line.saved, line.sent) for line in lines} == {("station", True, False)}
        assert lines[0].quality == saved[1].quality
        sent = decode_frame(desk.spool.payload(saved[0].capture_id))
        assert desk.frame(saved[0].capture_id) == sent.image


def test_all_who_look_within_a_frame_s_time_share_one_picture(settings):
    slow = settings.model_copy(update={"preview_fps": 0.5})
    with desk_at(slow) as desk:
        assert desk.preview() is desk.preview()
        assert desk.snapshot() is desk.snapshot()
        assert desk.look() is desk.look()
        before = desk.preview()
        desk.start_token(SLIDE, "page")
        desk.capture("page")
        assert desk.preview() is not before  # the field has changed


def test_adjusting_the_camera_and_what_it_does_not_take(desk):
    before = desk.look().brightness
    desk.adjust_camera(Adjustment(exposure_us=6_000), "remote")
    assert desk.look().brightness < 0.8 * before
    with capture_logs():
        refusal = refused(lambda: desk.adjust_camera(Adjustment(colour_gains=(1, 1)), "remote"))
    assert refusal.reason == "camera-not-adjusted"
    assert desk.state.camera_problem == ""


def test_autofocus_and_scan_need_a_stage(desk):
    assert refused(lambda: desk.autofocus("page")).reason == "no-stage"
    assert refused(lambda: desk.start_scan("page", 10)).reason == "no-stage"
    assert not desk.state.can.stage


def test_a_picture_of_cells_is_no_empty_field_to_calibrate_on(desk):
    refusal = refused(lambda: desk.calibrate("page"))
    assert refusal.reason.startswith("calibration-")
    assert desk.state.activity == "idle"


def test_a_camera_that_fails_while_it_is_calibrated_is_told_as_that(desk):
    def away(**_):
        raise CameraError("pulled out")

    desk.microscope.raw = away
    assert refused(lambda: desk.calibrate("page")).reason == "camera-failed"
