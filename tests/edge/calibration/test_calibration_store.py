"""A calibration is kept per camera, whole or not at all, and a damaged file stops nothing."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from glass import calibrated, glass
from structlog.testing import capture_logs

from edge.calibration import CalibrationError
from edge.calibration.store import file_of, load, save

CAMERA = "opencv:/dev/video0"


@pytest.fixture(scope="module")
def correction():
    return calibrated()


def changed(file, **values):
    """The file with other values in it."""
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_what_was_saved_corrects_the_same_after_a_restart(tmp_path, correction):
    save(tmp_path, CAMERA, correction)
    loaded = load(tmp_path, CAMERA)
    assert loaded is not None
    assert (loaded.width, loaded.height, loaded.shots) == (640, 480, 4)
    assert loaded.made_at == correction.made_at
    picture = glass(number=5)
    assert (loaded.apply(picture) == correction.apply(picture)).all()


def test_a_camera_without_a_calibration_has_none(tmp_path, correction):
    heard = []
    save(tmp_path, CAMERA, correction)
    with capture_logs() as logs:
        assert load(tmp_path, "picamera2:0", heard.append) is None
    assert heard == logs == []


def test_each_camera_has_its_own_and_a_new_one_replaces_the_old(tmp_path, correction):
    later = calibrated(size=(320, 240))
    save(tmp_path, CAMERA, correction)
    save(tmp_path, "picamera2:0", correction)
    save(tmp_path, CAMERA, later)
    widths = {name: load(tmp_path, name).width for name in (CAMERA, "picamera2:0")}
    assert widths == {CAMERA: 320, "picamera2:0": 640}
    assert len(list((tmp_path / "calibration").iterdir())) == 2  # nothing half-written is left


def test_a_name_with_a_path_in_it_stays_in_the_folder(tmp_path, correction):
    file = save(tmp_path, "../../etc/x", correction)
    assert file.parent == tmp_path / "calibration"


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:200]),
        lambda file: file.write_bytes(b"\x00\xff" * 500),
        lambda file: changed(file, version=2),
        lambda file: changed(file, camera="picamera2:0"),
        lambda file: changed(file, field=[[[200.0] * 5] * 4] * 3),
        lambda file: changed(file, field=[[[0.0] * 5] * 5] * 3),
        lambda file: changed(file, field=[[[1e300] * 5] * 5] * 3),
        lambda file: changed(file, made_at="yesterday"),
        lambda file: changed(file, made_at="2026-03-01T09:00:00"),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=[
        "empty",
        "cut",
        "noise",
        "newer version",
        "another camera's",
        "a row too few",
        "no light",
        "too much light",
        "no date",
        "no time zone",
        "a folder",
    ],
)
def test_a_damaged_file_is_told_and_ignored(tmp_path, correction, damage):
    heard = []
    damage(save(tmp_path, CAMERA, correction))
    with capture_logs() as logs:
        assert load(tmp_path, CAMERA, heard.append) is None
    (sentence,) = heard
    assert "not corrected" in sentence
    assert str(tmp_path) not in sentence
    assert [log["event"] for log in logs] == ["calibration_unusable"]


def test_a_new_calibration_replaces_a_damaged_one(tmp_path, correction):
    save(tmp_path, CAMERA, correction).write_bytes(b"no json")
    save(tmp_path, CAMERA, correction)
    assert load(tmp_path, CAMERA) is not None


def test_a_disk_that_takes_nothing_refuses_and_keeps_the_old_one(tmp_path, correction):
    save(tmp_path, CAMERA, correction)
    file_of(tmp_path, CAMERA).with_suffix(".new").mkdir()  # stands in the way of the new file
    with pytest.raises(CalibrationError) as caught:
        save(tmp_path, CAMERA, calibrated(size=(320, 240)))
    assert caught.value.reason == "calibration-not-saved"
    assert str(tmp_path) not in caught.value.may_travel
    assert load(tmp_path, CAMERA).width == 640


def test_the_file_is_for_people_to_read_too(tmp_path, correction):
    kept = json.loads(save(tmp_path, CAMERA, correction).read_text())
    assert kept["camera"] == CAMERA
    assert datetime.fromisoformat(kept["made_at"]) <= datetime.now(UTC)
    assert np.shape(kept["field"]) == (3, 5, 5)
