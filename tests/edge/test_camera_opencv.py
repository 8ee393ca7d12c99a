"""The OpenCV camera, with a video file as its device: every frame tells its own number."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cameras.base import CameraError
from edge.cameras.opencv import STALE_FRAMES, OpenCVCamera
from imaging.types import Image

FRAMES = 40
WIDTH, HEIGHT = 128, 96


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty frames: the left half is red, the right half's gray is 6 × the frame's number."""
    path = str(tmp_path_factory.mktemp("video") / "fields.avi")
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(path, cv2.CAP_OPENCV_MJPEG, fourcc, 30.0, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(FRAMES):
        frame = np.full((HEIGHT, WIDTH, 3), 6 * number, np.uint8)
        frame[:, : WIDTH // 2] = (0, 0, 220)  # BGR
        writer.write(frame)
    writer.release()
    return path


def number_of(image: Image) -> int:
    return round(float(image[:, WIDTH * 3 // 4 :].mean()) / 6)


def test_a_picture_is_rgb_of_the_video_size(video: str) -> None:
    camera = OpenCVCamera(video)
    image = camera.capture().image
    camera.close()
    assert image.dtype == np.uint8
    assert image.shape == (HEIGHT, WIDTH, 3)
    red, green, blue = image[:, : WIDTH // 4].reshape(-1, 3).mean(axis=0)
    assert red > 200
    assert max(green, blue) < 30


def test_frames_queued_before_the_call_are_thrown_away(video: str) -> None:
    camera = OpenCVCamera(video, settle_frames=2, stale_frames=3)
    first = number_of(camera.capture().image)
    second = number_of(camera.capture().image)
    camera.close()
    looked_at_when_opened = 1
    assert first == 2 + looked_at_when_opened + 3
    assert second == first + 1 + 3


def test_by_default_more_frames_are_thrown_away_than_opencv_queues(video: str) -> None:
    camera = OpenCVCamera(video, settle_frames=0)
    first, second = (number_of(camera.capture().image) for _ in range(2))
    camera.close()
    assert second - first == STALE_FRAMES + 1 > 4


def test_a_camera_that_stops_is_an_error_and_the_next_capture_opens_it_again(video: str) -> None:
    """The video's end stands for a plug pulled out, its reopening for the plug pushed in."""
    camera = OpenCVCamera(video, settle_frames=FRAMES - 3, stale_frames=1)
    before = camera.capture()
    with pytest.raises(CameraError, match=r"gave no frame: check its plug"):
        camera.capture()
    assert np.array_equal(camera.capture().image, before.image)
    camera.close()


def test_a_device_that_is_not_there_says_what_to_check(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere.avi")
    with pytest.raises(CameraError, match=rf"no camera at {re.escape(nowhere)}: check"):
        OpenCVCamera(nowhere)


def test_a_camera_number_that_is_not_there_says_what_to_check() -> None:
    with pytest.raises(CameraError, match="no camera at 97: check that it is plugged in"):
        OpenCVCamera(97)


def test_a_device_without_frames_is_an_error_when_opened(video: str) -> None:
    with pytest.raises(CameraError, match="gave no frame"):
        OpenCVCamera(video, settle_frames=FRAMES)


def test_a_size_the_camera_does_not_have_is_refused_not_scaled(video: str) -> None:
    with pytest.raises(CameraError, match=rf"gives {WIDTH}×{HEIGHT} pixels, not the size asked"):
        OpenCVCamera(video, width=1280, height=960)


def test_a_size_the_camera_has_is_taken(video: str) -> None:
    camera = OpenCVCamera(video, width=WIDTH, height=HEIGHT)
    assert camera.capture().image.shape == (HEIGHT, WIDTH, 3)
    camera.close()


def test_the_name_that_travels_does_not_tell_a_path(video: str) -> None:
    camera = OpenCVCamera(video)
    camera.close()
    assert camera.name == "opencv:file"


def test_a_closed_camera_gives_nothing_and_closes_twice(video: str) -> None:
    camera = OpenCVCamera(video)
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match="closed"):
        camera.capture()
