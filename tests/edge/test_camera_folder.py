"""The folder camera gives every image once, in counting order, and names what it cannot read."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cameras.base import CameraError, CameraExhausted
from edge.cameras.folder import FolderCamera
from imaging.types import Image


def field(red: int) -> Image:
    image = np.zeros((96, 128, 3), np.uint8)
    image[:] = (red, 120, 200)
    return image


def save(path: Path, image: Image) -> None:
    assert cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def names_given(camera: FolderCamera, count: int) -> list[object]:
    return [camera.capture().metadata["file"] for _ in range(count)]


def test_files_come_in_the_order_a_person_counts_them(tmp_path: Path) -> None:
    names = ["field10.png", "field2.png", "Field1.png", "field02.png", "b.png", "a1b3.png"]
    for name in names:
        save(tmp_path / name, field(10))
    given = names_given(FolderCamera(tmp_path), len(names))
    assert given == ["a1b3.png", "b.png", "Field1.png", "field02.png", "field2.png", "field10.png"]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".tif", ".PNG", ".jpg", ".jpeg"])
def test_each_format_comes_out_as_rgb(suffix: str, tmp_path: Path) -> None:
    save(tmp_path / f"field{suffix}", field(30))
    shot = FolderCamera(tmp_path).capture()
    assert shot.image.dtype == np.uint8
    assert shot.image.shape == (96, 128, 3)
    assert np.abs(shot.image.astype(int) - field(30)).max() <= 3  # JPEG is lossy
    assert shot.metadata == {"file": f"field{suffix}"}
    assert shot.truth is None


def test_other_files_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    save(tmp_path / "field.png", field(1))
    (tmp_path / "index.csv").write_text("path\n")
    (tmp_path / "._field.png").write_bytes(b"of another system")
    (tmp_path / "deeper.png").mkdir()
    assert len(FolderCamera(tmp_path)) == 1


def test_it_ends_after_the_last_file_and_stays_ended(tmp_path: Path) -> None:
    save(tmp_path / "field.png", field(1))
    camera = FolderCamera(tmp_path)
    camera.capture()
    for _ in range(2):
        with pytest.raises(CameraExhausted, match="all 1 images"):
            camera.capture()


def test_a_loop_begins_again(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path / f"{number}.png", field(number))
    camera = FolderCamera(tmp_path, loop=True)
    assert names_given(camera, 5) == ["1.png", "2.png", "1.png", "2.png", "1.png"]


def test_a_broken_file_is_named_and_the_next_capture_goes_on(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        noise = np.random.default_rng(number).integers(0, 255, (96, 128, 3), np.uint8)
        save(tmp_path / f"{number}.jpg", noise)
    whole = (tmp_path / "2.jpg").read_bytes()
    (tmp_path / "2.jpg").write_bytes(whole[: len(whole) // 2])
    camera = FolderCamera(tmp_path)
    assert camera.capture().metadata["file"] == "1.jpg"
    with pytest.raises(CameraError, match=r"^2\.jpg: .*\(image-truncated\)"):
        camera.capture()
    assert camera.capture().metadata["file"] == "3.jpg"


def test_what_a_log_may_tell_of_a_file_is_its_number_and_not_its_name(tmp_path: Path) -> None:
    save(tmp_path / "1 Doe.png", field(1))
    (tmp_path / "2 Doe.jpg").write_bytes(b"broken")
    save(tmp_path / "3 Doe.png", field(3))
    camera = FolderCamera(tmp_path)
    (tmp_path / "3 Doe.png").unlink()
    camera.capture()
    for number, what in ((2, "image-format"), (3, "No such file")):
        with pytest.raises(CameraError, match="Doe") as caught:
            camera.capture()
        assert f"file {number} of the folder" in caught.value.told
        assert what in caught.value.told
        assert "Doe" not in caught.value.told


def test_a_file_gone_since_opening_is_named_and_the_next_capture_goes_on(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path / f"{number}.png", field(number))
    camera = FolderCamera(tmp_path)
    (tmp_path / "1.png").unlink()
    with pytest.raises(CameraError, match=r"cannot read 1\.png: No such file"):
        camera.capture()
    assert camera.capture().metadata["file"] == "2.png"


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.bmp").open("wb") as file:
        file.truncate(300 * 1024 * 1024)  # sparse: takes no disk
    with pytest.raises(CameraError, match=r"huge\.bmp has \d+ bytes"):
        FolderCamera(tmp_path).capture()


def test_an_empty_folder_is_a_clear_error_when_opened(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="holds no JPEG, PNG, TIFF or BMP file"):
        FolderCamera(tmp_path)


def test_a_missing_folder_is_a_clear_error_when_opened(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match=r"cannot replay .*nowhere: No such file"):
        FolderCamera(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    save(tmp_path / "field.png", field(1))
    with pytest.raises(CameraError, match="Not a directory"):
        FolderCamera(tmp_path / "field.png")


def test_the_name_that_travels_does_not_tell_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "Jane Doe 1970-01-01"
    folder.mkdir()
    save(folder / "field.png", field(1))
    assert FolderCamera(folder).name == "folder"


def test_a_closed_camera_gives_nothing_and_closes_twice(tmp_path: Path) -> None:
    save(tmp_path / "field.png", field(1))
    camera = FolderCamera(tmp_path)
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match="closed"):
        camera.capture()


def test_real_fields_are_replayed(real_images: Path) -> None:
    camera = FolderCamera(real_images / "bccd" / "images")
    shots = [camera.capture() for _ in range(5)]
    assert {shot.image.shape for shot in shots} == {(480, 640, 3)}
    assert len({str(shot.metadata["file"]) for shot in shots}) == 5
