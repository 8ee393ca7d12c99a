"""Light that changes slowly across a field, as a polynomial."""

from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Surface: TypeAlias = npt.NDArray[np.float64]
"""float64, TERMS×TERMS: Legendre coefficients, rows along y, columns along x; gray levels."""

Basis: TypeAlias = npt.NDArray[np.float64]
"""float64, N×TERMS: Legendre polynomials at N pixels of a row or column."""

Plane: TypeAlias = npt.NDArray[np.float32]
"""float32, H×W."""

TERMS: Final = 5
"""Up to the fourth power each way: enough for a condenser off its axis and a lens's cos⁴ fall-off,
too stiff to follow cells, however far out of focus."""

_ROUNDS: Final = 8
_SPREADS: Final = 2.0  # a residual beyond this many standard deviations is pulled in
_MAD: Final = 1.4826  # of a normal distribution: its standard deviation over its MAD


def fit(plane: npt.NDArray[np.floating]) -> Surface:
    """The surface nearest to a plane, by least squares with winsorised residuals.

    Specks of dust must not bend it: residuals beyond two standard deviations are pulled in to
    there and the fit is made again (Huber, Robust Statistics, 1981, section 7.8).

    Args:
        plane: H×W, gray levels; at least TERMS each way.
    """
    height, width = plane.shape
    down, across = (np.linalg.pinv(basis(size)) for size in (height, width))
    values = plane.astype(np.float64)
    surface: Surface = down @ values @ across.T
    for _ in range(_ROUNDS):
        smooth = evaluate(surface, height, width)
        away = plane - smooth
        reach = _SPREADS * _MAD * float(np.median(np.abs(away)))
        surface = down @ (smooth + np.clip(away, -reach, reach)) @ across.T
    return surface


def evaluate(surface: Surface, height: int, width: int) -> Plane:
    """The surface at the pixels of an image of any size.

    Returns:
        float32, height×width.
    """
    return at(surface, basis(height), basis(width))


def at(surface: Surface, down: Basis, across: Basis) -> Plane:
    """The surface at some rows and columns.

    Args:
        surface: the surface.
        down: rows of `basis` of the image's height.
        across: rows of `basis` of its width.

    Returns:
        float32, as many rows as `down` has and columns as `across` has.
    """
    rows = (down @ surface).astype(np.float32)
    return np.asarray(rows @ across.T.astype(np.float32), np.float32)


@lru_cache(8)
def basis(size: int) -> Basis:
    """Legendre polynomials at the centres of `size` pixels from −1 to 1."""
    centres = (2 * np.arange(size) + 1) / size - 1
    return np.asarray(np.polynomial.legendre.legvander(centres, TERMS - 1), np.float64)
