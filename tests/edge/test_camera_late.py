import pytest

from edge.cameras.base import CameraError
from edge.cameras.late import LateCamera


def test_nothing_is_opened_before_the_first_capture(tmp_path):
    camera = LateCamera(f"folder:{tmp_path / 'not-yet'}")
    assert camera.name == "folder"
    camera.close()


def test_a_camera_that_was_not_there_is_tried_again(tmp_path):
    import shutil
    from pathlib import Path

    picture = Path(__file__).parent.parent / "data" / "messages" / "field.jpg"
    folder = tmp_path / "later"
    camera = LateCamera(f"folder:{folder}")
    with pytest.raises(CameraError):
        camera.capture()
    folder.mkdir()
    shutil.copy(picture, folder / "field.jpg")
    with pytest.raises(CameraError, match=r"field\.jpg|small"):
        camera.capture()  # opened now; this picture is too small, and the camera says so


def test_a_simulator_is_opened_and_named_at_its_first_picture():
    camera = LateCamera("simulator:7")
    assert camera.capture().image.shape == (960, 1280, 3)
    assert camera.name == "simulator:7"
    camera.close()


def test_an_unknown_camera_is_refused_at_once():
    with pytest.raises(CameraError, match="no camera is called"):
        LateCamera("telescope:1")
