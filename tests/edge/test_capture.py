import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from edge.cameras.base import CameraExhausted
from edge.cameras.folder import FolderCamera
from edge.cameras.simulator import SimulatorCamera
from edge.capture import Capturer
from edge.identity import new_capture_id
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.spool import Spool
from imaging.cells import FINDER_ID, find_white_cells
from imaging.decode import decode
from wire.codec import decode_frame, encode_frame
from wire.messages import Exposed, Receipt

SLIDE = "s0123456789abcdef0123"
CANARY = "KANARIENVOGEL"
"""Stands for a patient's name, in whatever place one could lie."""


@pytest.fixture
def settings(tmp_path):
    return EdgeSettings(site="home", device="scope-1", data_dir=tmp_path / "station", min_free_mb=0)


@pytest.fixture
def spool(settings):
    opened = Spool(settings.spool_file)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def field():
    """A field of a simulated slide."""
    return SimulatorCamera(7, "ALL").capture().image


def png(image):
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def overlap(one, other):
    """Intersection over union of two boxes."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = one, other
    width = min(ax + aw, bx + bw) - max(ax, bx)
    height = min(ay + ah, by + bh) - max(ay, by)
    common = max(0, width) * max(0, height)
    return common / (aw * ah + bw * bh - common)


def boxes(frame):
    return [(cell.x, cell.y, cell.w, cell.h) for cell in frame.cells]


def test_a_good_field_is_saved_and_decodes_to_the_message(settings, spool):
    capture = Capturer(settings, SimulatorCamera(7, "ALL"), spool).capture(SLIDE)
    assert spool.waiting(10) == [capture.frame.capture_id]
    sent = decode_frame(spool.payload(capture.frame.capture_id))
    assert sent == capture.frame
    assert (sent.site, sent.device, sent.slide) == ("home", "scope-1", SLIDE)
    assert sent.camera == "simulator:7"
    assert sent.sha256 == hashlib.sha256(sent.image).hexdigest()
    assert len(sent.image) <= settings.image_budget_bytes
    assert decode(sent.image).shape == (sent.height, sent.width, 3)
    assert sent.quality.focus > 0.2
    assert sent.finder == FINDER_ID
    assert len(sent.cells) >= len(capture.shot.truth) > 0
    stages = ["capture", "measure", "label", "find", "encode", "save"]
    assert list(capture.milliseconds) == stages


def test_a_reserved_id_tells_whether_its_capture_was_saved(settings, spool):
    capturer, reserved = Capturer(settings, SimulatorCamera(7, "ALL"), spool), new_capture_id()
    assert capturer.saved(reserved) is None
    frame = capturer.capture(SLIDE, capture_id=reserved).frame
    assert frame.capture_id == reserved
    assert capturer.saved(reserved) == len(frame.cells) > 0
    with pytest.raises(CaptureRefused, match="Not saved"):
        capturer.capture(SLIDE, capture_id=reserved)  # an id is used once
    spool.settle(Receipt(capture_id=reserved, outcome="stored", at=datetime.now(UTC)))
    assert capturer.saved(reserved) == 0  # it was saved; its cells are the cloud's to know
    spool.close()
    with pytest.raises(CaptureRefused, match="cannot tell"):
        capturer.saved(reserved)


def test_the_cells_lie_where_the_simulator_drew_them(settings, spool):
    capture = Capturer(settings, SimulatorCamera(7, "ALL"), spool).capture(SLIDE)
    scale = capture.frame.width / capture.shot.image.shape[1]
    for cell in capture.shot.truth:
        drawn = tuple(value * scale for value in cell.box)
        assert max(overlap(drawn, found) for found in boxes(capture.frame)) > 0.5


def test_boxes_are_scaled_into_an_image_that_was_shrunk_for_its_budget(settings, spool, field):
    small = settings.model_copy(update={"image_budget_bytes": 24 * 1024})
    capture = Capturer(small, SimulatorCamera(7, "ALL"), spool).capture(SLIDE)
    sent = capture.frame
    assert sent.width < 1280
    assert len(sent.image) <= 24 * 1024
    image = decode(sent.image)
    assert image.shape == (sent.height, sent.width, 3)
    scale = sent.width / 1280
    expected = [tuple(value * scale for value in box) for box in find_white_cells(field)]
    assert len(expected) == len(sent.cells)
    for found, wanted in zip(boxes(sent), expected, strict=True):
        assert overlap(found, wanted) > 0.95
        x, y, w, h = found
        assert 0 <= x < x + w <= sent.width
        assert 0 <= y < y + h <= sent.height
        nucleus, whole = image[y : y + h, x : x + w], image
        assert nucleus[..., 0].mean() < whole[..., 0].mean() - 10  # red light is missing there


def test_a_field_out_of_focus_is_refused_with_code_and_remedy(settings, spool):
    capturer = Capturer(settings, SimulatorCamera(7, "ALL", defocus=3.0), spool)
    with capture_logs() as logs, pytest.raises(CaptureRefused) as caught:
        capturer.capture(SLIDE)
    assert caught.value.reason == "out-of-focus"
    assert "out of focus" in str(caught.value)
    assert "fine focus" in str(caught.value)
    assert spool.waiting(10) == []
    assert [(log["event"], log["reason"]) for log in logs] == [("capture_refused", "out-of-focus")]


def test_after_a_refusal_and_focusing_the_next_capture_is_saved(settings, spool):
    camera = SimulatorCamera(7, "ALL", defocus=3.0)
    capturer = Capturer(settings, camera, spool)
    with pytest.raises(CaptureRefused):
        capturer.capture(SLIDE)
    camera.focus = 0.0
    saved = capturer.capture(SLIDE)
    assert spool.waiting(10) == [saved.frame.capture_id]


def test_a_camera_that_fails_is_a_refusal_and_the_next_picture_is_taken(
    settings, spool, field, tmp_path
):
    (tmp_path / "1.png").write_bytes(b"no image")
    (tmp_path / "2.png").write_bytes(png(field))
    capturer = Capturer(settings, FolderCamera(tmp_path), spool)
    with pytest.raises(CaptureRefused) as caught:
        capturer.capture(SLIDE)
    assert caught.value.reason == "camera-failed"
    assert "file 1 of the folder" in str(caught.value)  # its name may be a patient's
    assert capturer.capture(SLIDE).frame.camera == "folder"
    with pytest.raises(CameraExhausted):
        capturer.capture(SLIDE)


def test_a_field_that_fits_no_budget_is_refused(settings, spool, tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1600, 3), np.uint8)
    stripes = np.zeros_like(noise)
    stripes[:, ::2] = (200, 60, 120)
    (tmp_path / "noise.png").write_bytes(png(noise // 2 + stripes // 2))
    tight = settings.model_copy(update={"image_budget_bytes": 1024})
    with pytest.raises(CaptureRefused) as caught:
        Capturer(tight, FolderCamera(tmp_path), spool).capture(SLIDE)
    assert caught.value.reason == "image-over-budget"
    assert "image_budget_bytes" in str(caught.value)


def test_a_full_disk_refuses_the_capture_and_keeps_the_earlier_ones(settings, spool):
    capturer = Capturer(settings, SimulatorCamera(7), spool)
    first = capturer.capture(SLIDE)
    (pages,) = spool._db.execute("PRAGMA page_count").fetchone()
    spool._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite says what a full disk says
    with pytest.raises(CaptureRefused) as caught:
        capturer.capture(SLIDE)
    assert caught.value.reason == "disk-full"
    assert "What was saved before is safe" in str(caught.value)
    assert "free the disk" in str(caught.value)
    assert spool.waiting(10) == [first.frame.capture_id]
    assert decode_frame(spool.payload(first.frame.capture_id)) == first.frame


def test_a_disk_below_its_reserve_refuses_likewise(settings):
    spool = Spool(settings.spool_file, min_free_mb=10**9)
    with pytest.raises(CaptureRefused) as caught:
        Capturer(settings, SimulatorCamera(7), spool).capture(SLIDE)
    assert caught.value.reason == "disk-full"
    assert "1000000000 MB kept in reserve" in str(caught.value)
    spool.close()


def test_a_disk_that_was_unplugged_refuses_the_capture(settings, spool):
    spool.file = settings.data_dir / "unplugged" / "spool.db"
    with pytest.raises(CaptureRefused) as caught:
        Capturer(settings, SimulatorCamera(7), spool).capture(SLIDE)
    assert caught.value.reason == "spool-failed"


def test_neither_ground_truth_nor_a_file_s_name_or_metadata_is_in_the_message(
    settings, spool, field, tmp_path
):
    folder = tmp_path / CANARY
    folder.mkdir()
    exif = Image.Exif()
    exif[0x010E] = CANARY  # ImageDescription
    buffer = io.BytesIO()
    Image.fromarray(field).save(buffer, "JPEG", quality=95, exif=exif, comment=CANARY)
    assert CANARY.encode() in buffer.getvalue()
    (folder / f"{CANARY}.jpg").write_bytes(buffer.getvalue())
    with capture_logs() as logs:
        Capturer(settings, FolderCamera(folder), spool).capture(SLIDE)
        simulated = Capturer(settings, SimulatorCamera(7, "ALL"), spool).capture(SLIDE)
    payloads = [spool.payload(capture_id) for capture_id in spool.waiting(10)]
    assert len(payloads) == 2
    for payload in payloads:
        assert CANARY.encode() not in payload
    assert CANARY not in str(logs)
    assert {log["event"] for log in logs} == {"capture_saved"}
    kinds = {cell.kind for cell in simulated.shot.truth} | {"ALL", "slide_seed", "stage_x_um"}
    for kind in kinds:
        assert kind.encode() not in payloads[1].replace(simulated.frame.image, b"")


def test_a_failed_camera_tells_a_file_by_its_number_and_never_by_its_name(
    settings, spool, tmp_path
):
    folder = tmp_path / CANARY
    folder.mkdir()
    (folder / f"{CANARY}.png").write_bytes(b"no image")
    with pytest.raises(CaptureRefused) as caught:
        Capturer(settings, FolderCamera(folder), spool).capture(SLIDE)
    assert "file 1 of the folder" in str(caught.value)
    assert CANARY not in str(caught.value)  # that is what is logged
    assert CANARY not in caught.value.may_travel
    assert caught.value.may_travel.endswith("Check the camera, then capture again.")


def test_how_a_camera_took_the_field_travels_and_where_a_stage_stood_does_not(settings, spool):
    told = {
        "exposure_us": 8000,
        "colour_gain_red": 1.9,
        "stage_x_um": 12.0,
        "file": f"{CANARY}.png",
    }
    shot = replace(SimulatorCamera(7).capture(), metadata=told)
    frame = Capturer(settings, SimulatorCamera(7), spool).capture("s1", lambda: shot).frame
    assert frame.exposed == Exposed(exposure_us=8000.0, colour_gain_red=1.9)
    assert CANARY.encode() not in encode_frame(frame)


def test_a_camera_that_says_nothing_of_its_exposure_sends_none(settings, spool):
    frame = Capturer(settings, SimulatorCamera(7), spool).capture("s1").frame
    assert frame.exposed is None
