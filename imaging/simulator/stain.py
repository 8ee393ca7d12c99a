"""Romanowsky stains: what each substance takes from the light."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Colour = tuple[float, float, float]

# Absorbances are ln(background / colour), measured by k-means on real images: BCCD fields
# (Wright-Giemsa, white balance to grey) and PBC cells (CellaVision, May-Grünwald-Giemsa, cream).
# Rows: hemoglobin, chromatin, basophilia, eosin, each at density 1.
_BCCD: Final = (
    (0.115, 0.29, 0.22),
    (0.53, 0.86, 0.02),
    (0.31, 0.27, 0.02),
    (0.08, 0.30, 0.05),
)
_BCCD_BACKGROUND: Final = (199.0, 201.0, 196.0)
_CELLAVISION: Final = (
    (0.22, 0.34, 0.22),
    (1.05, 1.70, 0.40),
    (0.62, 0.62, 0.18),
    (0.16, 0.30, 0.14),
)
_CELLAVISION_BACKGROUND: Final = (253.0, 227.0, 201.0)


@dataclass(frozen=True)
class Stain:
    """A batch of stain and the light behind it."""

    absorbance: tuple[Colour, Colour, Colour, Colour]
    """Of R, G and B (natural logarithm) by each `Substance` at density 1."""
    background: Colour
    """Colour of bare glass in perfect light, R, G, B, 0 to 255."""

    def drifted(self, strength: float, hue: float) -> "Stain":
        """The same stain stronger (`strength` above 1) or redder (`hue` above 0, −1 to 1)."""
        turn = np.array([1 - 0.35 * hue, 1.0, 1 + 0.35 * hue])
        return Stain(_rows(np.array(self.absorbance) * strength * turn), self.background)


def bccd() -> Stain:
    """The stain and light of the BCCD fields."""
    return Stain(_BCCD, _BCCD_BACKGROUND)


def seeded(seed: int, spread: float = 0.35) -> Stain:
    """A laboratory's stain: between BCCD's and CellaVision's, with its own strength and tint.

    Args:
        seed: 0 or above.
        spread: 0 gives BCCD's own; 1 every stain between both, and as strong as they vary.
    """
    rng = np.random.default_rng([seed, 41])
    blend = spread * rng.uniform()
    matrix = (1 - blend) * np.array(_BCCD) + blend * np.array(_CELLAVISION)
    light = (1 - blend) * np.array(_BCCD_BACKGROUND) + blend * np.array(_CELLAVISION_BACKGROUND)
    matrix *= np.exp(0.14 * spread * rng.normal(size=(4, 1)))
    matrix *= np.exp(0.05 * spread * rng.normal(size=(1, 3)))
    light = np.clip(light + 5 * spread * rng.normal(size=3) + 10 * spread * rng.normal(), 150, 254)
    return Stain(_rows(matrix), (float(light[0]), float(light[1]), float(light[2])))


def _rows(matrix: npt.NDArray[np.float64]) -> tuple[Colour, Colour, Colour, Colour]:
    a, b, c, d = ((float(r), float(g), float(b)) for r, g, b in matrix)
    return a, b, c, d
