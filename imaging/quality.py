"""What a field looks like before anyone reads it: focus, exposure, colour, and whether cells show.

Everything is measured on a working image whose longer side is 640 pixels, so that a camera's
resolution does not move the figures; exposure is measured on untouched pixels, because averaging
would hide clipping. `imaging.verdict` says what is wrong with a field in a technician's words.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.stain import glass_colour
from imaging.types import Image
from imaging.verdict import Limits, Problem, judge

__all__ = ["Limits", "Problem", "Quality", "judge", "measure"]

WORKING_SIDE: Final = 640
"""Longer side, in pixels, of the image that focus is measured on."""

_SAMPLE_SIDE: Final = 160  # of the images that colour and exposure are measured on
_FOCUS_SIGMA: Final = 1.5  # pixels of the working image
_STAIN: Final = 0.08  # optical density by which a stained pixel's green exceeds its red
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_CLIP_LOW, _CLIP_HIGH = 1, 254


@dataclass(frozen=True)
class Quality:
    """Measures of a field; `wire.messages.Quality` has the same fields.

    Attributes:
        focus: 1000 × variance of the Laplacian of the Gaussian (sigma 1.5 pixels) of green, over
            the variance of green; dimensionless, 0 upwards. Sharp fields reach 0.3 to 1.5. It is
            the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), smoothed against
            noise and divided by the variance so that neither contrast nor exposure moves it.
        brightness: mean luma (ITU-R BT.601), 0 to 1.
        clipped: part of the pixels whose three channels are all at the top or all at the bottom
            of the scale, 0 to 1.
        cast: chroma of the background in CIELAB (D65), sqrt(a*² + b*²); 0 is neutral.
        tissue: part of the field that stained cells cover, 0 to 1; bare glass is near 0.
    """

    focus: float
    brightness: float
    clipped: float
    cast: float
    tissue: float


def measure(image: Image) -> Quality:
    """Measure a field.

    Args:
        image: uint8, H×W×3, RGB.
    """
    working = _shrunk(image, WORKING_SIDE)
    step = max(1, max(image.shape[:2]) // _SAMPLE_SIDE)
    pixels = image[::step, ::step].reshape(-1, 3)
    smooth = _shrunk(working, _SAMPLE_SIDE).reshape(-1, 3)
    background = glass_colour(smooth)
    return Quality(
        focus=_focus(working),
        brightness=float((pixels @ _LUMA).mean() / 255),
        clipped=_clipped(pixels),
        cast=_chroma(background),
        tissue=_tissue(smooth, background),
    )


def _shrunk(image: Image, side: int) -> Image:
    rows, columns = image.shape[:2]
    scale = side / max(rows, columns)
    if scale >= 1:
        return image
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _focus(image: Image) -> float:
    green = np.asarray(cv2.extractChannel(image, 1), np.uint8)
    smooth = cv2.GaussianBlur(green.astype(np.float32), (0, 0), _FOCUS_SIGMA)
    edges = np.asarray(cv2.Laplacian(smooth, cv2.CV_32F), np.float32)
    # One gray level squared keeps bare glass, whose variance is noise, from dividing by zero.
    return 1000 * _variance(edges) / (_variance(green) + 1.0)


def _variance(values: npt.NDArray[np.uint8 | np.float32]) -> float:
    return float(cv2.meanStdDev(values)[1].item() ** 2)


def _clipped(pixels: Image) -> float:
    flat = pixels.reshape(1, -1, 3)
    white = cv2.countNonZero(cv2.inRange(flat, (_CLIP_HIGH,) * 3, (255,) * 3))
    black = cv2.countNonZero(cv2.inRange(flat, (0,) * 3, (_CLIP_LOW,) * 3))
    return (white + black) / len(pixels)


def _chroma(colour: npt.NDArray[np.float64]) -> float:
    lab = cv2.cvtColor((colour[None, None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)
    return float(np.hypot(lab[0, 0, 1], lab[0, 0, 2]))


def _tissue(pixels: Image, background: npt.NDArray[np.float64]) -> float:
    """Part of pixels whose green is absorbed more than their red.

    Both hemoglobin and the Romanowsky dyes do so; a shadow or vignetting absorbs both alike.
    """
    density = -np.log(np.maximum(pixels, 4) / np.maximum(background, 4)).astype(np.float32)
    return float((density[:, 1] - density[:, 0] > _STAIN).mean())
