"""How large a red cell is in a field: the ruler that every smear brings along.

A red cell measures 7 to 8 micrometres whatever the objective and the camera, so sizes of white
cells and platelets are stated in red-cell diameters.
"""

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.stain import Mask, Plane

USUAL: Final = 0.17
"""Red-cell diameter over the field's longer side, where too few red cells are seen to measure."""

_TISSUE: Final = 0.08  # density of green; low, so that most pale centres count
_ROUND: Final = 0.6  # circularity from which a hole is a pale centre and not glass between cells
_SPECK: Final = 30  # pixels; smaller holes are noise
_SMALLEST: Final = 8.0  # pixels, diameter
_SHORT: Final = 1.15
"""Tilt and soft edges make the circle that fits this much smaller than the cell; measured against
the red-cell boxes of BCCD's even-numbered fields."""
_DOUBT: Final = 4.0
"""So many measured cells weigh as much as the usual diameter does."""


def red_cell_diameter(density: Plane, purple: Mask) -> float:
    """Measure red cells as the largest circles that fit into the tissue.

    The median is weighted by area, because specks and rims are many; where few cells are seen it
    leans on the usual diameter.

    Args:
        density: float32, H×W×3, of `imaging.stain.optical_density`.
        purple: a first guess at the nuclei, which are left out.

    Returns:
        In pixels.
    """
    usual = USUAL * float(max(purple.shape))
    radii = _radii(density, purple)
    if not len(radii):
        return usual
    ordered = np.sort(radii)
    share = np.cumsum(ordered**2)
    middle = float(ordered[np.searchsorted(share, share[-1] / 2)])
    weight = len(radii) / (len(radii) + _DOUBT)
    return math.pow(usual, 1 - weight) * math.pow(2 * _SHORT * middle, weight)


def _radii(density: Plane, purple: Mask) -> npt.NDArray[np.float32]:
    """Radii, in pixels, of the circles that fit into whole red cells."""
    tissue = _filled(np.asarray(density[..., 1] > _TISSUE, np.uint8))
    radius = cv2.distanceTransform(tissue, cv2.DIST_L2, 5)
    nuclei = cv2.morphologyEx(purple, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    nuclei = cv2.dilate(nuclei, np.ones((9, 9), np.uint8))
    peak = cv2.dilate(radius, np.ones((9, 9), np.uint8))
    centres = (radius >= peak - 1e-3) & (radius > _SMALLEST / 2) & (nuclei == 0)
    rows, columns = np.nonzero(centres)
    found = radius[rows, columns]
    height, width = tissue.shape
    whole = (
        (columns > found)
        & (rows > found)
        & (columns < width - found)
        & (rows < height - found)
        & (found > _SMALLEST / 2)
    )
    return np.asarray(found[whole], np.float32)


def _filled(tissue: Mask) -> Mask:
    """Fill the pale centres of red cells, but not the glass between them."""
    opened = cv2.morphologyEx(tissue, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours, tree = cv2.findContours(opened, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for index, contour in enumerate(contours):
        if tree[0, index, 3] >= 0 and _is_pale_centre(contour):
            cv2.drawContours(opened, contours, index, 1, cv2.FILLED)
    return np.asarray(opened, np.uint8)


def _is_pale_centre(contour: cv2.typing.MatLike) -> bool:
    area = cv2.contourArea(contour)
    around = cv2.arcLength(contour, True)
    return area < _SPECK or 4 * np.pi * area / around**2 > _ROUND
