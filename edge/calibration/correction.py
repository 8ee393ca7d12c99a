"""Makes bare glass white and even."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.calibration.surface import Basis, Surface, at, basis, evaluate
from imaging.types import Image

_ROWS: Final = 32
"""Rows worked on at a time, so that what the first step writes is still in the processor's cache
when the second reads it."""
_SAMPLE: Final = 64  # pixels of each side among which brightest and darkest are looked for
_SAME_SHAPE: Final = 0.01  # relative difference of two pictures' proportions
_LEAST: Final = 1e-3  # keeps a field that is perfect already from dividing by zero

_Share: TypeAlias = tuple[npt.NDArray[np.uint8], float]
"""What is added to each pixel, as a part of it: uint8, H×W×3, and the part that one step is."""


@dataclass(frozen=True, eq=False)
class Correction:
    """White balance and flat field of one camera, from its empty field.

    With F the empty field and L its brightest level in any channel, a pixel I becomes

        I · L / F   (at most 255)

    which is the flat-field division of the empty field (white shading; see Leong et al., J Clin
    Pathol 2003, 56, 619) with one L for all places and channels, so that it balances white too. A
    camera's levels grow as a power of the light (its gamma), and the quotient of two levels is
    then that power of the light's quotient: the division holds without undoing the gamma, but
    for the darkest levels, where the tone curve is no power.

    F never exceeds L, so no pixel is darkened: one that the sensor clipped at white stays white
    in all three channels instead of taking on the lamp's complementary colour, and black stays
    black. What was lost to clipping is not made up.

    Attributes:
        field: float64, 3×TERMS×TERMS: the empty field of R, G and B, see `surface`.
        width: of the pictures it was made from, in pixels.
        height: likewise.
        shots: how many pictures it was made from.
        made_at: when, by the station's clock, with its time zone.
    """

    field: Surface
    width: int
    height: int
    shots: int
    made_at: datetime

    @property
    def level(self) -> float:
        """Gray level of bare glass after correction, in all channels: L."""
        return float(self._sampled().max())

    @property
    def darkest(self) -> float:
        """Gray level of the empty field where it is darkest, of the weakest channel."""
        return float(self._sampled().min())

    @property
    def colour(self) -> tuple[float, float, float]:
        """Mean R, G and B of the empty field before correction, gray levels."""
        red, green, blue = (float(value) for value in self.field[:, 0, 0])
        return red, green, blue

    @property
    def evenness(self) -> float:
        """Darkest over brightest part of the empty field, of the worst channel, 0 to 1."""
        light = self._sampled()
        return float((light.min(axis=(1, 2)) / light.max(axis=(1, 2))).min())

    def fits(self, width: int, height: int) -> bool:
        """Whether a picture of this size shows what the calibration saw.

        One of other proportions is another part of the sensor.
        """
        return abs(width * self.height / (height * self.width) - 1) <= _SAME_SHAPE

    def apply(self, image: Image) -> Image:
        """The picture with white balance and flat field put right.

        Of any size; where the picture `fits` not, only white balance is, evenly.

        Args:
            image: uint8, H×W×3, RGB, as the camera gave it; stays as it is.

        Returns:
            A new one, uint8, H×W×3, RGB; within one gray level of the formula above.
        """
        share, step = _added(self, image.shape[0], image.shape[1])
        corrected = np.empty(image.shape, np.uint8)
        for top in range(0, image.shape[0], _ROWS):
            rows = np.s_[top : top + _ROWS]
            cv2.multiply(image[rows], share[rows], corrected[rows], step)
            cv2.add(image[rows], corrected[rows], corrected[rows])
        return corrected

    def _sampled(self) -> npt.NDArray[np.float32]:
        return np.stack([evaluate(channel, _SAMPLE, _SAMPLE) for channel in self.field])


@lru_cache(2)  # two sizes: the preview's and the capture's
def _added(correction: Correction, height: int, width: int) -> _Share:
    """L / F − 1 in 255 steps of its largest: an error of at most half a step of a pixel's level."""
    field, level = correction.field, np.float32(correction.level)
    if not correction.fits(width, height):
        field = _flat(field)
    down, across = basis(height), basis(width)
    darkest = min(at(f, _sample(down), _sample(across)).min() for f in field)
    step = max(float(level / darkest) - 1, _LEAST) / 255
    share = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS):  # the whole in float32 would fill a Pi
        rows = np.s_[top : top + _ROWS]
        light = cv2.merge([at(f, down[rows], across) for f in field])
        share[rows] = np.clip(np.rint((level / light - 1) / np.float32(step)), 0, 255)
    return share, step


def _flat(field: Surface) -> Surface:
    """The same mean light everywhere: that of a Legendre series is its first coefficient."""
    flat = np.zeros_like(field)
    flat[:, 0, 0] = field[:, 0, 0]
    return flat


def _sample(basis_of: Basis) -> Basis:
    """Some of the pixels, with the first and the last."""
    chosen = np.linspace(0, len(basis_of) - 1, _SAMPLE).round().astype(np.intp)
    return np.asarray(basis_of[chosen], np.float64)
