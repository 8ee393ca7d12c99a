"""Keeps one correction per camera in the station's data folder."""

import contextlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
import numpy as np
import structlog

from edge.calibration.correction import Correction
from edge.calibration.error import CalibrationError
from edge.calibration.surface import TERMS

VERSION: Final = 1
"""Of the file."""

_log = structlog.get_logger("edge.calibration")

_Side = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
_Weight = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]
_Row = Annotated[list[_Weight], msgspec.Meta(min_length=TERMS, max_length=TERMS)]
_Channel = Annotated[list[_Row], msgspec.Meta(min_length=TERMS, max_length=TERMS)]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    camera: str
    made_at: Annotated[datetime, msgspec.Meta(tz=True)]
    width: _Side
    height: _Side
    shots: Annotated[int, msgspec.Meta(ge=1)]
    field: Annotated[list[_Channel], msgspec.Meta(min_length=3, max_length=3)]
    """Legendre coefficients of R, G and B, gray levels, see `surface`."""


def file_of(data_dir: Path, camera: str) -> Path:
    """Where the correction of a camera (its name, such as `picamera2:0`) lies."""
    return data_dir / "calibration" / f"{quote(camera, safe='')}.json"


def save(data_dir: Path, camera: str, correction: Correction) -> Path:
    """Keep a correction; an earlier one of the same camera is replaced, wholly or not at all.

    Raises:
        CalibrationError: it cannot be written; the earlier one still holds.
    """
    kept = _File(
        version=VERSION,
        camera=camera,
        made_at=correction.made_at,
        width=correction.width,
        height=correction.height,
        shots=correction.shots,
        field=correction.field.tolist(),
    )
    file = file_of(data_dir, camera)
    try:
        _replace(file, msgspec.json.format(msgspec.json.encode(kept), indent=1))
    except OSError as error:
        raise CalibrationError(
            "calibration-not-saved",
            "The calibration was made and cannot be saved; the earlier one, if any, still holds.",
            "Free the station's disk, or call whoever runs the station, then calibrate again.",
            f"The disk says: {error}.",
        ) from error
    _log.info("calibration_saved", camera=camera, level=round(correction.level, 1))
    return file


def load(
    data_dir: Path, camera: str, tell: Callable[[str], None] = lambda _sentence: None
) -> Correction | None:
    """The camera's correction; None where there is none, or none that can be used.

    Args:
        data_dir: the station's.
        camera: its name.
        tell: hears, in a sentence that holds no path, of a file that is there and cannot be used;
            the remedy is to calibrate again, which replaces it. The log hears of it too.
    """
    file = file_of(data_dir, camera)
    try:
        return _correction(file.read_bytes(), camera)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.error("calibration_unusable", camera=camera, file=str(file), cause=str(error))
        tell("The stored calibration cannot be read, so the pictures are not corrected.")
        return None


def _correction(data: bytes, camera: str) -> Correction:
    """Read a file's bytes.

    Raises:
        ValueError: they are no calibration of this camera and this version.
    """
    kept = msgspec.json.decode(data, type=_File)
    if kept.version != VERSION:
        raise ValueError(f"it is of version {kept.version}, not {VERSION}")
    if kept.camera != camera:
        raise ValueError(f"it is of another camera, {kept.camera!r}")
    correction = Correction(np.array(kept.field), kept.width, kept.height, kept.shots, kept.made_at)
    if not (correction.level <= 255 and correction.darkest >= 1):
        raise ValueError("its light is none that a camera can have seen")
    return correction


def _replace(file: Path, data: bytes) -> None:
    """Write beside the file, then rename: a power cut leaves the old one or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_suffix(".new")
    try:
        with beside.open("wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(file)
    except OSError:
        with contextlib.suppress(OSError):  # the first error is the one that is told
            beside.unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename too
    finally:
        os.close(folder)
