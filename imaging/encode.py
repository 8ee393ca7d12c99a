"""A field as JPEG within a byte budget, at the best quality that fits."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from imaging.types import Image

QUALITIES: Final = (60, 92)
"""Lowest and highest JPEG quality used. Below 60 chromatin blurs; above 92 only bytes grow."""

SCALES: Final = (1.0, 0.75, 0.5, 0.375, 0.25, 0.125)
MIN_SIDE: Final = 64
_TRIES: Final = 4
_SLOPE: Final = -0.65
"""d log(bytes) / d log(quantiser step), a first guess measured on smear fields."""
_AIM: Final = 0.97
"""Part of the budget that a prediction aims at: a near miss above it would cost an encode."""


class EncodeError(ValueError):
    """No JPEG of this image fits the budget. The message says how far off it is."""


@dataclass(frozen=True)
class Encoded:
    """A JPEG of a field.

    Attributes:
        data: the file.
        width: in pixels.
        height: in pixels.
        quality: JPEG quality, 60 to 92.
        scale: what the image was shrunk by, in (0, 1]; boxes must be scaled alike.
    """

    data: bytes
    width: int
    height: int
    quality: int
    scale: float


def encode_within(image: Image, budget: int = 120 * 1024) -> Encoded:
    """Encode an image as JPEG (4:2:0) of at most `budget` bytes.

    Full size is kept as long as quality 60 fits; else the image is shrunk stepwise with
    INTER_AREA. At most four encodes a size: the quality is predicted, not searched through, and
    may stay one or two steps below the very best.

    Args:
        image: uint8, H×W×3, RGB.
        budget: in bytes.

    Raises:
        EncodeError: not even an eighth of the size at quality 60 fits.
    """
    pixels = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)
    smallest = 0
    for scale in SCALES:
        shrunk = _shrink(pixels, scale)
        if min(shrunk.shape[:2]) < MIN_SIDE and scale < 1:
            break
        found = _best(shrunk, budget)
        if isinstance(found, tuple):
            quality, data = found
            return Encoded(data, shrunk.shape[1], shrunk.shape[0], quality, scale)
        smallest = found
    raise EncodeError(
        f"the {image.shape[1]}×{image.shape[0]} field needs {smallest} bytes at its smallest, "
        f"{budget} are allowed: raise the image budget"
    )


def _shrink(image: Image, scale: float) -> Image:
    if scale == 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _best(pixels: Image, budget: int) -> tuple[int, bytes] | int:
    """Best quality that fits and its file, or the size of the lowest quality's file."""
    low, high = QUALITIES
    fits: tuple[int, bytes] | None = None
    before: tuple[int, int] | None = None
    quality, slope, size = high, _SLOPE, 0
    for attempt in range(_TRIES):
        data = _jpeg(pixels, quality)
        size = len(data)
        if size <= budget:
            fits, low = (quality, data), quality + 1
        else:
            high = quality - 1
        if low > high:
            break
        slope = _slope(before, (quality, size), slope)
        before = (quality, size)
        quality = min(max(_predicted(before, slope, budget), low), high)
        if fits is None and attempt == _TRIES - 2:
            quality = QUALITIES[0]
    return size if fits is None else fits


def _step(quality: int) -> float:
    """Quantiser step of a quality of 50 or more, as libjpeg scales it (jpeg_quality_scaling)."""
    return max(1.0, 200.0 - 2.0 * quality)


def _slope(before: tuple[int, int] | None, now: tuple[int, int], guess: float) -> float:
    if before is None or before[0] == now[0] or before[1] == now[1]:
        return guess
    slope = math.log(now[1] / before[1]) / math.log(_step(now[0]) / _step(before[0]))
    return min(slope, -0.2)


def _predicted(known: tuple[int, int], slope: float, budget: int) -> int:
    quality, size = known
    step = _step(quality) * math.pow(size / (budget * _AIM), -1 / slope)
    return math.floor((200.0 - step) / 2.0)


def _jpeg(pixels: Image, quality: int) -> bytes:
    done, buffer = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise EncodeError(f"OpenCV could not encode {pixels.shape} as JPEG")
    return buffer.tobytes()
