"""What a camera shows between two captures: never a field too many."""

import cv2
import numpy as np
import pytest

from edge.cameras.base import Adjustment, CameraError, CameraExhausted, Previews, Repeats
from edge.cameras.folder import FolderCamera
from edge.cameras.late import LateCamera
from edge.cameras.opencv import OpenCVCamera
from edge.cameras.simulator import EXPOSURE_US, SimulatorCamera


def alike(*both):
    """Whether two pictures show the same, but for noise."""
    size = (160, 120)
    first, second = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in both)
    return float(np.abs(first.astype(int) - second.astype(int)).mean()) < 3


@pytest.fixture
def folder(tmp_path):
    """Three pictures of three colours, the second of them broken."""
    for number, colour in enumerate(((200, 60, 60), (60, 200, 60), (60, 60, 200)), 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((768, 1024, 3), colour, np.uint8))
    (tmp_path / "2.png").write_bytes(b"no picture")
    return tmp_path


@pytest.fixture
def video(tmp_path):
    """Ten frames, each lighter than the one before."""
    file = str(tmp_path / "field.avi")
    writer = cv2.VideoWriter(file, cv2.VideoWriter_fourcc(*"MJPG"), 10, (1280, 960))
    for number in range(10):
        writer.write(np.full((960, 1280, 3), 20 * number + 20, np.uint8))
    writer.release()
    return file


def test_the_simulator_shows_the_field_that_it_takes_next_however_often_one_looks():
    camera = SimulatorCamera(7, "ALL")
    for _ in range(2):
        shown = [camera.preview() for _ in range(3)]
        assert shown[0].shape == (480, 640, 3)
        assert shown[0].tobytes() != shown[1].tobytes()  # the sensor's noise
        taken = camera.capture().image
        assert all(alike(one, taken) for one in shown)


def test_looking_changes_no_capture_of_the_simulator():
    looked_at, alone = (
        SimulatorCamera(3, width=640, height=480),
        SimulatorCamera(3, width=640, height=480),
    )
    for _ in range(3):
        looked_at.preview()
        assert looked_at.capture().image.tobytes() == alone.capture().image.tobytes()


def test_the_preview_follows_stage_focus_and_exposure():
    camera = SimulatorCamera(7, width=640, height=480, advance=False)
    before = camera.preview()
    camera.move_to(300, 200)
    moved = camera.preview()
    assert not alike(before, moved)
    camera.focus = 4.0
    assert cv2.Laplacian(camera.preview(), cv2.CV_64F).var() < (
        cv2.Laplacian(moved, cv2.CV_64F).var()
    )
    camera.adjust(Adjustment(exposure_us=EXPOSURE_US // 2))
    assert camera.preview().mean() < 0.6 * moved.mean()


def test_a_field_photographed_again_is_the_same_field():
    camera = SimulatorCamera(7, "ALL", width=640, height=480)
    first, again, other = camera.capture(), camera.again(), camera.capture()
    place = [(shot.metadata["stage_x_um"], shot.metadata["stage_y_um"]) for shot in (first, again)]
    assert place[0] == place[1]
    assert alike(first.image, again.image)
    assert not alike(first.image, other.image)


def test_the_simulator_refuses_colour_gains_and_stays_as_it_is():
    camera = SimulatorCamera(7, width=640, height=480)
    with pytest.raises(CameraError, match="no colour gains"):
        camera.adjust(Adjustment(exposure_us=1, colour_gains=(2.0, 1.0)))
    assert camera.preview().mean() > 150


def test_a_folder_shows_the_file_that_comes_next_and_uses_none_up(folder):
    camera = FolderCamera(folder)
    assert camera.preview().shape == (480, 640, 3)
    assert alike(camera.preview(), camera.capture().image)
    with pytest.raises(CameraError):
        camera.preview()  # the broken one, again and again, until it was captured
    with pytest.raises(CameraError):
        camera.capture()
    assert alike(camera.preview(), camera.capture().image)
    with pytest.raises(CameraExhausted):
        camera.preview()


def test_a_burst_uses_up_one_file_of_a_folder(folder):
    camera = FolderCamera(folder)
    with pytest.raises(CameraError, match="capture first"):
        camera.again()
    first = camera.capture()
    assert camera.again() is first
    with pytest.raises(CameraError):
        camera.capture()
    with pytest.raises(CameraError):
        camera.again()  # of the broken one there is none


def test_a_folder_tells_the_page_of_no_file(folder):
    camera = FolderCamera(folder)
    camera.capture()
    with pytest.raises(CameraError) as failed:
        camera.capture()
    assert "2.png" not in failed.value.told
    assert "file 2" in failed.value.told
    with pytest.raises(CameraError) as missing:
        FolderCamera(folder / "KANARIENVOGEL")
    assert "KANARIENVOGEL" not in missing.value.told


def test_a_video_file_stays_at_the_frame_that_was_shown(video):
    camera = OpenCVCamera(video, settle_frames=0, stale_frames=0)
    shown = [camera.preview() for _ in range(3)]
    assert {one.tobytes() for one in shown} == {shown[0].tobytes()}
    assert alike(shown[0], camera.capture().image)
    assert not alike(shown[0], camera.preview())


def test_a_late_camera_shows_what_its_camera_shows(folder):
    camera = LateCamera(f"folder:{folder}")
    assert isinstance(camera, Previews)
    assert isinstance(camera, Repeats)
    assert alike(camera.preview(), camera.capture().image)
    assert camera.again().image.shape == (768, 1024, 3)
    with pytest.raises(CameraError, match="cannot be set from here"):
        camera.adjust(Adjustment(gain=2.0))
