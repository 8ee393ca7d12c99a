"""Focus stacks whose sharpest picture is known, and the measure that ours is held against."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from imaging.simulator import Optics, SlideKind, Smear
from imaging.types import Image

KINDS: tuple[SlideKind, ...] = ("Normal", "ALL", "AML")


@dataclass(frozen=True)
class Stack:
    """Pictures of one field and how far each is from the best: µm of defocus, or pixels of blur."""

    images: list[Image]
    away: list[float]

    @property
    def sharpest(self) -> int:
        return int(np.argmin(self.away))

    def cost(self, chosen: int) -> float:
        """How much farther from focus the chosen picture is than the best one."""
        return self.away[chosen] - self.away[self.sharpest]


def variance_of_laplacian(grey: npt.NDArray[np.uint8]) -> float:
    """Pech-Pacheco et al. 2000, as everybody writes it: `cv2.Laplacian(grey, CV_64F).var()`.

    The variance is OpenCV's, which takes half of numpy's time: the rival is taken at its best.
    """
    return float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_64F))[1].item() ** 2)


def of_colour(image: Image) -> float:
    """The same of a colour picture."""
    return variance_of_laplacian(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8))


def simulated(
    seed: int,
    size: tuple[int, int] = (1280, 960),
    noise: float | None = None,
    flicker: float = 0.0,
) -> Stack:
    """5 to 9 heights, 0.2 to 0.6 µm apart, the best somewhere among them; each its own noise.

    Args:
        seed: of slide, place and heights.
        size: of the pictures, in pixels.
        noise: grey levels; None draws 0.6 to 3.
        flicker: part by which the lamp differs from picture to picture.
    """
    rng = np.random.default_rng([seed, 3])
    count, step = int(rng.integers(5, 10)), rng.uniform(0.2, 0.6)
    heights = (np.arange(count) - rng.integers(1, count - 1) + rng.uniform(-0.5, 0.5)) * step
    level = float(rng.uniform(0.6, 3.0)) if noise is None else noise
    smear = Smear(1000 + seed, KINDS[seed % 3])
    x, y = (float(v) for v in rng.uniform(0, 3000, 2))
    images = []
    for frame, height in enumerate(heights):
        lamp = 1 + flicker * float(rng.uniform(-1, 1))
        optics = Optics(defocus_um=float(height), noise=level, exposure=lamp, frame=frame)
        images.append(smear.field(x, y, *size, optics).image)
    return Stack(images, [abs(float(height)) for height in heights])


def blurred(image: Image, seed: int, noise: float = 1.5) -> Stack:
    """5 to 9 copies of a real field, blurred in equal steps of 0.4 to 0.8 pixels, with fresh noise.

    One of them is not blurred at all.
    """
    rng = np.random.default_rng([seed, 5])
    count, step = int(rng.integers(5, 10)), rng.uniform(0.4, 0.8)
    away = [abs(number) * step for number in np.arange(count) - rng.integers(1, count - 1)]
    return Stack([_blurred(image, sigma, noise, rng) for sigma in away], away)


def _blurred(image: Image, sigma: float, noise: float, rng: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image
    top, left = rng.integers(0, _MARGIN, 2)
    rows, columns = image.shape[:2]
    grain = _grain(rows, columns)[top : top + rows, left : left + columns]
    return np.asarray(cv2.addWeighted(soft, 1, grain, noise / _UNIT, 0, dtype=cv2.CV_8U), np.uint8)


_MARGIN, _UNIT = 97, 24.0


@cache
def _grain(rows: int, columns: int) -> npt.NDArray[np.int8]:
    """Noise of a standard deviation of `_UNIT`, larger than a picture: each takes its own part."""
    shape = (rows + _MARGIN, columns + _MARGIN, 3)
    noise = np.random.default_rng(9).standard_normal(shape, np.float32) * np.float32(_UNIT)
    return np.clip(noise, -127, 127).astype(np.int8)
