"""From densities to a picture: stain, lamp, lens and sensor."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np

from imaging.simulator.planes import OVERSAMPLING, PIXELS_PER_UM, Plane, Stack
from imaging.simulator.stain import Stain
from imaging.types import Image

_LENS_BLUR: Final = 1.3
"""Standard deviation of the lens's own blur in drawn pixels: 0.24 µm wide at half its height."""

_BLUR_PER_DEFOCUS: Final = 0.5
"""Standard deviation of the blur per defocus, both in µm: half the radius of the light cone
|z| · tan(asin(NA)) of a dry lens of NA 0.7."""

_GRAIN_SIDE: Final = 1400
_GRAIN_UNIT: Final = 24.0


@dataclass(frozen=True)
class Optics:
    """The state of lamp, lens and camera for one picture. The default is a good one."""

    defocus_um: float = 0.0
    """Distance from the plane of best focus, in µm; its sign makes no difference."""
    exposure: float = 1.0
    """Factor on all light; above about 1.25 the background clips."""
    vignetting: float = 0.05
    """Light lost in the corners, as a fraction."""
    tilt: tuple[float, float] = (0.015, -0.01)
    """Change of the light from the centre to the right and to the lower edge, as a fraction."""
    noise: float = 1.0
    """Standard deviation of the sensor's noise, in grey levels (0 to 255)."""
    dust: int = 1
    """Specks on the sensor's window: they stay where they are while the stage moves."""
    dust_seed: int = 0
    stain_strength: float = 1.0
    """Factor on all absorbances: 0.7 is pale, 1.3 dark."""
    stain_hue: float = 0.0
    """−1 bluer … 1 redder (the pH of the buffer moves it)."""
    frame: int = 0
    """Number of the picture: two pictures of one place differ by their noise only."""


def expose(
    stack: Stack, stain: Stain, optics: Optics, width: int, height: int, seed: tuple[int, ...]
) -> Image:
    """Photograph densities.

    Beer and Lambert: the light left is exp(−Σ density · absorbance). It is blurred after that,
    as light is, not the densities.

    Args:
        stack: float32, 4×H×W with H ≥ height / 2 and W ≥ width / 2.
        stain: what each substance absorbs.
        optics: lamp, lens and camera.
        width: of the picture, in camera pixels.
        height: of the picture, in camera pixels.
        seed: of the noise, numbers of 0 and above.

    Returns:
        uint8, height×width×3, RGB.
    """
    stain = stain.drifted(optics.stain_strength, optics.stain_hue)
    matrix = -np.array(stain.absorbance, np.float32).T
    light = cv2.exp(cv2.transform(cv2.merge(list(stack)), matrix))
    blur = float(np.hypot(_LENS_BLUR, _BLUR_PER_DEFOCUS * optics.defocus_um * PIXELS_PER_UM))
    light = cv2.GaussianBlur(light, (0, 0), blur, borderType=cv2.BORDER_REFLECT_101)
    lamp = _lamp(optics, *stack.shape[1:])
    colour = np.array(stain.background, np.float32) * np.float32(optics.exposure)
    light *= lamp[:, :, None] * colour
    small = cv2.convertScaleAbs(light)
    size = (small.shape[1] * OVERSAMPLING, small.shape[0] * OVERSAMPLING)
    picture = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    return _with_noise(picture[:height, :width], optics, seed)


def _lamp(optics: Optics, height: int, width: int) -> Plane:
    """Relative brightness of the empty field, float32, height×width."""
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    lamp = 1 - np.float32(optics.vignetting / 2) * (x * x + y * y)
    lamp += np.float32(optics.tilt[0]) * x + np.float32(optics.tilt[1]) * y
    rng = np.random.default_rng([optics.dust_seed, 53])
    for _ in range(optics.dust):
        _shade(lamp, rng)
    return np.asarray(lamp, np.float32)


def _shade(lamp: Plane, rng: np.random.Generator) -> None:
    """The soft shadow of a speck of dust, in place."""
    height, width = lamp.shape
    size = rng.uniform(6, 16)
    row, column = rng.uniform(0, height), rng.uniform(0, width)
    top, left = max(0, int(row - 3 * size)), max(0, int(column - 3 * size))
    patch = lamp[top : int(row + 3 * size), left : int(column + 3 * size)]
    y = np.arange(top, top + patch.shape[0], dtype=np.float32)[:, None] - np.float32(row)
    x = np.arange(left, left + patch.shape[1], dtype=np.float32) - np.float32(column)
    depth = np.float32(rng.uniform(0.03, 0.1))
    patch *= 1 - depth * np.exp(-(x * x + y * y) / np.float32(2 * size * size))


@cache
def _grain() -> np.ndarray[tuple[int, int, int], np.dtype[np.int8]]:
    """Sensor noise of standard deviation `_GRAIN_UNIT`, a little smoothed as by demosaicing."""
    rng = np.random.default_rng(67)
    noise = rng.standard_normal((_GRAIN_SIDE, _GRAIN_SIDE, 3), np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.6))
    noise = np.float32(0.7) * noise + np.float32(0.6) * noise.mean(axis=2, keepdims=True)
    scaled = noise * np.float32(_GRAIN_UNIT / noise.std())
    return np.asarray(np.clip(scaled, -127, 127), np.int8)


def _with_noise(picture: Image, optics: Optics, seed: tuple[int, ...]) -> Image:
    if optics.noise <= 0:
        return np.ascontiguousarray(picture)
    height, width = picture.shape[:2]
    grain = _grain()
    top, left = np.random.default_rng((*seed, optics.frame)).integers(0, 100, 2)
    repeats = (-(-(height + 100) // _GRAIN_SIDE), -(-(width + 100) // _GRAIN_SIDE))
    if repeats != (1, 1):
        grain = np.tile(grain, (*repeats, 1))
    window = grain[top : top + height, left : left + width]
    factor = optics.noise / _GRAIN_UNIT
    noisy = cv2.addWeighted(picture, 1.0, window, factor, 0.0, dtype=cv2.CV_8U)
    return np.asarray(noisy, np.uint8)
