"""What picamera2's frames, metadata and controls mean, in our words."""

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from edge.cameras.base import Adjustment
from edge.cameras.small import PREVIEW_WIDTH
from imaging.types import Image

_NUMBERS: Final = {
    "ExposureTime": "exposure_us",
    "AnalogueGain": "analogue_gain",
    "DigitalGain": "digital_gain",
    "Lux": "lux",
    "SensorTimestamp": "sensor_timestamp_ns",
}
"""libcamera's name of a figure, and ours with its unit."""


def small_size(size: tuple[int, int]) -> tuple[int, int]:
    """Size of the preview's stream: sides in proportion and even, as libcamera wants them."""
    width = min(PREVIEW_WIDTH, size[0])
    return width // 2 * 2, max(2, round(width * size[1] / size[0] / 2) * 2)


def rgb(planes: npt.NDArray[np.uint8], width: int, height: int) -> Image:
    """RGB of YUV420 planes, whose lines may be longer than the picture is wide.

    picamera2's still configuration asks for the colour space sYCC: full range, as in JPEG.
    OpenCV's own YUV420 conversions take studio range, and would clip the bright glass.
    """
    stride = planes.shape[1]
    chroma = planes[height:].reshape(-1, stride // 2)[:, : width // 2]
    blue, red = chroma[: height // 2], chroma[height // 2 : height]
    large = [cv2.resize(plane, (width, height)) for plane in (red, blue)]
    ycrcb = cv2.merge([planes[:height, :width], *large])
    return np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)


def controls_of(adjustment: Adjustment) -> dict[str, Any]:
    """The same as libcamera calls it; gains of colours end the automatic white balance."""
    given = {
        "ExposureTime": adjustment.exposure_us,
        "AnalogueGain": adjustment.gain,
        "ColourGains": adjustment.colour_gains,
    }
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if "ColourGains" in wanted:
        wanted["AwbEnable"] = False
    return wanted


def shows(metadata: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a frame was taken with these controls, within 2 %."""
    return all(
        np.allclose(metadata[name], value, rtol=0.02)
        for name, value in wanted.items()
        if name in metadata
    )


def held(metadata: Mapping[str, Any], controls: Mapping[str, Any]) -> dict[str, Any]:
    """Controls that hold what the camera has found.

    A fixed exposure time and gain switch auto-exposure off by themselves; libcamera from 0.5 on
    ignores `AeEnable` (raspberrypi/picamera2#1269).
    """
    found = {name: metadata[name] for name in ("ExposureTime", "AnalogueGain") if name in metadata}
    if "ColourGains" in metadata and "ColourGains" in controls:  # a monochrome sensor has none
        found |= {"AwbEnable": False, "ColourGains": tuple(metadata["ColourGains"])}
    return found


def plain(metadata: Mapping[str, Any]) -> dict[str, str | int | float]:
    """A frame's figures under our names, each with its unit, as far as they are known."""
    shown: dict[str, str | int | float] = {
        ours: metadata[theirs] for theirs, ours in _NUMBERS.items() if theirs in metadata
    }
    if "ColourGains" in metadata:
        red, blue = metadata["ColourGains"]
        shown |= {"colour_gain_red": float(red), "colour_gain_blue": float(blue)}
    return shown
