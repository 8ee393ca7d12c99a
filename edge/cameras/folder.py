"""A camera that replays the images of a folder."""

import re
from pathlib import Path
from typing import Final

from edge.cameras.base import CameraError, CameraExhausted, Shot
from edge.cameras.small import shrunk
from imaging.decode import DecodeError, decode
from imaging.types import Image

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})
MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""A larger file is refused unread: an uncompressed image of the most pixels that `imaging.decode`
takes is half of it."""


class FolderCamera:
    """Gives each image of a folder once, in the order a person would count them.

    Files that come into the folder later are not seen. A file that cannot be read fails its own
    capture; the next capture goes on to the next file.

    Args:
        folder: with JPEG, PNG, TIFF or BMP files; folders inside it are not entered.
        loop: begin again after the last file instead of ending.

    Raises:
        CameraError: the folder is missing or holds no image.
    """

    def __init__(self, folder: str | Path, *, loop: bool = False) -> None:
        # Never the path: a folder may be called after a patient, and the name travels.
        self.name = "folder"
        self._files = _images(Path(folder))
        self._loop = loop
        self._next = 0
        self._shown: tuple[Path, Image] | None = None
        self._last: Shot | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._files)

    def capture(self) -> Shot:
        """Decode the next file.

        Returns:
            A shot whose metadata is the file's name (`file`).

        Raises:
            CameraExhausted: every file was given.
            CameraError: this file cannot be read or decoded; the message names it.
        """
        file = self._upcoming()
        self._next = self._next % len(self._files) + 1
        self._last = None
        self._last = _shot(file, self._next)
        return self._last

    def again(self) -> Shot:
        """The file of the last capture once more: a burst uses up one file.

        Raises:
            CameraError: no file was given yet, or the last one could not be read.
        """
        if self._last is None:
            raise CameraError("there is no picture to repeat: capture first")
        return self._last

    def preview(self) -> Image:
        """The file that the next capture gives, at most 640 wide; it is not used up.

        Raises:
            CameraError: as `capture`.
        """
        file = self._upcoming()
        if self._shown is None or self._shown[0] != file:
            self._shown = (file, shrunk(_shot(file, self._next % len(self._files) + 1).image))
        return self._shown[1]

    def _upcoming(self) -> Path:
        if self._closed:
            raise CameraError("the folder camera is closed: open it again")
        if self._next == len(self._files) and not self._loop:
            raise CameraExhausted(f"all {len(self._files)} images of the folder were replayed")
        return self._files[self._next % len(self._files)]

    def close(self) -> None:
        """Give nothing further."""
        self._closed = True


def _images(folder: Path) -> list[Path]:
    try:
        files = [path for path in folder.iterdir() if _is_image(path)]
    except OSError as error:
        raise CameraError(
            f"cannot replay {folder}: {error.strerror}: name a folder",
            told="the folder to replay cannot be read: name a folder",
        ) from error
    if not files:
        raise CameraError(
            f"{folder} holds no JPEG, PNG, TIFF or BMP file: put the images there",
            told="the folder to replay holds no JPEG, PNG, TIFF or BMP file: put the images there",
        )
    return sorted(files, key=_counting_order)


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")  # such as the `._field.jpg` of macOS, no image
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()


def _counting_order(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Order `field2` before `field10`; names that differ only in zeros or case by their text."""
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [(int(p), "") if p.isdigit() and p.isascii() else (-1, p) for p in parts], path.name


def _shot(file: Path, number: int) -> Shot:
    """Read a file; what may stand in a log tells it by its number, counted from 1."""
    told = f"file {number} of the folder (as a person orders them)"
    try:
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            raise CameraError(
                f"{file.name} has {size} bytes, more than {MAX_FILE_BYTES}: scale or re-save it",
                told=f"{told} has more than {MAX_FILE_BYTES} bytes: scale or re-save it",
            )
        image = decode(file.read_bytes())
    except OSError as error:
        raise CameraError(
            f"cannot read {file.name}: {error.strerror}: check the file",
            told=f"{told} cannot be read ({error.strerror}): check it",
        ) from error
    except DecodeError as error:
        raise CameraError(
            f"{file.name}: {error} ({error.reason})", told=f"{told}: {error} ({error.reason})"
        ) from error
    return Shot(image, {"file": file.name})
