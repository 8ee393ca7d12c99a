"""Cameras are opened by a word, and nothing is imported that was not asked for."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cameras import Camera, CameraError, open_camera


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "odd:name"
    folder.mkdir()
    assert cv2.imwrite(str(folder / "field.png"), np.zeros((96, 128, 3), np.uint8))
    return folder


def test_a_folder_is_opened_by_its_path_colons_and_all(image_folder: Path) -> None:
    camera: Camera = open_camera(f"folder:{image_folder}")
    assert camera.name == "folder"
    assert camera.capture().metadata["file"] == "field.png"
    camera.close()


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("simulator", "simulator:7"),
        ("simulator:3", "simulator:3"),
        ("simulator:7:ALL", "simulator:7"),
    ],
)
def test_a_simulator_is_opened_by_seed_and_kind_of_smear(spec: str, name: str) -> None:
    camera = open_camera(spec)
    assert camera.name == name
    shot = camera.capture()
    assert shot.truth is not None
    assert shot.metadata["kind"] == ("ALL" if spec.endswith(":ALL") else "Normal")
    camera.close()


@pytest.mark.parametrize("spec", ["", "webcam:0", "Folder:/x", "simulator7", ":0"])
def test_an_unknown_word_lists_what_there_is(spec: str) -> None:
    with pytest.raises(CameraError) as caught:
        open_camera(spec)
    assert repr(spec) in str(caught.value)
    for backend in ("simulator", "folder:PATH", "opencv:NUMBER", "picamera2"):
        assert backend in str(caught.value)


@pytest.mark.parametrize(
    "spec", ["simulator:x", "simulator:-1", "simulator:²", "simulator::ALL", "picamera2:one"]
)
def test_a_number_that_is_none_is_named(spec: str) -> None:
    with pytest.raises(CameraError, match="is not a number"):
        open_camera(spec)


def test_a_kind_of_smear_that_is_none_is_named() -> None:
    with pytest.raises(CameraError, match="'CML' in 'simulator:7:CML' is no kind of smear"):
        open_camera("simulator:7:CML")


def test_a_folder_without_a_path_is_refused() -> None:
    with pytest.raises(CameraError, match="write folder:PATH"):
        open_camera("folder:")


def test_an_opencv_camera_is_opened_by_number_and_by_path(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no camera at 97"):
        open_camera("opencv:97")
    with pytest.raises(CameraError, match="nowhere"):
        open_camera(f"opencv:{tmp_path / 'nowhere.avi'}")


def test_importing_the_cameras_imports_no_backend() -> None:
    program = (
        "import sys, edge.cameras; "
        "print(*(m for m in ('cv2', 'picamera2', 'libcamera', 'PIL', 'edge.cameras.opencv',"
        " 'edge.cameras.picamera2', 'edge.cameras.folder', 'edge.cameras.simulator')"
        " if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout.split() == []
