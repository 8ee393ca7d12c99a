"""How large a red cell is in a field: the ruler that every smear brings along.

A red cell measures 7 to 8 micrometres whatever the objective and the camera, so sizes of white
cells and platelets are stated in red-cell diameters.
"""

from typing import Final

import cv2
import numpy as np

from imaging.stain import Mask, Plane

USUAL: Final = 0.17
"""Red-cell diameter over the field's longer side, where too few red cells are seen to measure."""

_TISSUE: Final = 0.06  # density of green; low, so that the pale centre of a red cell counts
_ROUND: Final = 0.6  # circularity from which a hole is a pale centre and not glass between cells
_SPECK: Final = 30  # pixels; smaller holes are noise
_SMALLEST: Final = 8.0  # pixels, diameter
_ENOUGH: Final = 3
_PERCENTILE: Final = 72.0
"""Of the diameters: cut and tilted cells read too small, piled ones too large, and more are cut."""


def red_cell_diameter(density: Plane, purple: Mask) -> float | None:
    """Measure red cells as the largest circles that fit into the tissue.

    Args:
        density: float32, H×W×3, of `imaging.stain.optical_density`.
        purple: a first guess at the nuclei, which are left out.

    Returns:
        In pixels; None where fewer than three whole red cells are seen.
    """
    tissue = _filled(np.asarray(density[..., 1] > _TISSUE, np.uint8))
    radius = cv2.distanceTransform(tissue, cv2.DIST_L2, 5)
    nuclei = cv2.morphologyEx(purple, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    nuclei = cv2.dilate(nuclei, np.ones((9, 9), np.uint8))
    peak = cv2.dilate(radius, np.ones((9, 9), np.uint8))
    centres = (radius >= peak - 1e-3) & (radius > _SMALLEST / 2) & (nuclei == 0)
    _, _, _, middles = cv2.connectedComponentsWithStats(centres.astype(np.uint8))
    columns, rows = np.rint(middles[1:]).astype(np.intp).T
    found = radius[rows, columns]
    height, width = tissue.shape
    whole = (
        (columns > found)
        & (rows > found)
        & (columns < width - found)
        & (rows < height - found)
        & (found > _SMALLEST / 2)
    )
    if whole.sum() < _ENOUGH:
        return None
    return float(2 * np.percentile(found[whole], _PERCENTILE))


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
