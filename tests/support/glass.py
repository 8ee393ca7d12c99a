"""Bare glass under the simulated microscope, as a calibration needs it."""

from dataclasses import replace

import numpy as np

from edge.calibration import Correction
from edge.calibration.make import from_empty_field
from edge.cameras.base import Shot
from imaging.simulator import Optics
from imaging.simulator.optics import expose
from imaging.simulator.planes import OVERSAMPLING, Substance
from imaging.simulator.stain import Stain, bccd
from imaging.types import Image

CROOKED = Optics(vignetting=0.2, tilt=(0.06, -0.04), dust=0)
"""A condenser off its axis and a lens that loses a fifth of the light in the corners."""

WARM = replace(bccd(), background=(215.0, 196.0, 168.0))
"""BCCD's stain under a halogen lamp."""


def glass(
    optics: Optics = CROOKED,
    stain: Stain = WARM,
    size: tuple[int, int] = (640, 480),
    number: int = 0,
) -> Image:
    """A picture of a field without a slide; two of different numbers differ by their noise."""
    width, height = size
    cells = (-(-height // OVERSAMPLING), -(-width // OVERSAMPLING))
    nothing = np.zeros((Substance.COUNT, *cells), np.float32)
    return expose(nothing, stain, replace(optics, frame=number), width, height, (number,))


def shots(
    optics: Optics = CROOKED,
    stain: Stain = WARM,
    size: tuple[int, int] = (640, 480),
    count: int = 4,
) -> list[Shot]:
    """Several such pictures."""
    return [Shot(glass(optics, stain, size, number)) for number in range(count)]


def calibrated(
    optics: Optics = CROOKED, stain: Stain = WARM, size: tuple[int, int] = (640, 480)
) -> Correction:
    """A correction made of them."""
    return from_empty_field(shots(optics, stain, size))


class GlassCamera:
    """A camera over clear glass, a new picture each time."""

    name = "glass:1"

    def __init__(self, optics: Optics = CROOKED) -> None:
        self.optics = optics
        self._taken = 0

    def capture(self) -> Shot:
        """The next picture."""
        self._taken += 1
        return Shot(glass(self.optics, number=self._taken))

    def again(self) -> Shot:
        """Likewise: nothing moves."""
        return self.capture()

    def close(self) -> None:
        """Nothing is to be given back."""
