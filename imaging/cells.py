"""White cells found in a field by their stain and size.

Nuclei are found by colour, cytoplasm is whatever near a nucleus is neither glass nor red cell,
and lobes that share a body become one cell. docs/decisions/004 gives the reasons and the figures.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from imaging.bodies import bodies
from imaging.box import Box
from imaging.red_cells import red_cell_diameter
from imaging.stain import Mask, Plane, optical_density, purple, separate
from imaging.types import Image

FINDER_ID: Final = "stain-ruler/1"
"""Names exactly what `find_white_cells` does: change the code, change the id."""

MAX_CELLS: Final = 512

_FIRST_SIDE: Final = 320  # pixels, longer side of the first working image
_LARGEST_SIDE: Final = 1920
_SMALLEST_RED_CELL: Final = 36.0  # pixels of a working image; below, a larger one is made
_WANTED_RED_CELL: Final = 48.0
_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class _View:
    """A working image: its densities, nuclei at first guess, and red-cell diameter in pixels."""

    density: Plane
    purple: Mask
    diameter: float
    scale: float
    """Working pixels per pixel of the field."""


def find_white_cells(image: Image) -> list[Box]:
    """Find white cells; platelets are left out, cells cut by the edge are kept.

    Args:
        image: uint8, H×W×3, RGB; a field or a single cell's surroundings.

    Returns:
        Boxes of whole cells, cytoplasm included, inside the image; sorted from top to bottom,
        then left to right; the largest 512 where there are more.
    """
    view = _view(image)
    stain = separate(view.density, view.purple, 0.3 * view.diameter)
    if stain is None:
        return []
    found = [_in_field(box, view.scale, image) for box in bodies(stain, view.diameter)]
    largest = sorted(found, key=lambda box: (-box.w * box.h, box))[:MAX_CELLS]
    return sorted(largest, key=lambda box: (box.y, box.x, box.h, box.w))


def _view(image: Image) -> _View:
    """Look at the field at a scale where a red cell has 36 pixels or more, if it has them."""
    full = max(image.shape[:2])
    side = float(min(_FIRST_SIDE, full))
    for attempt in range(_ATTEMPTS):
        working = _resized(image, side / full)
        density = optical_density(working)
        guess = purple(density)
        diameter = red_cell_diameter(density, guess)
        limit = min(full, _LARGEST_SIDE)
        if diameter >= _SMALLEST_RED_CELL or side >= limit or attempt == _ATTEMPTS - 1:
            break
        side = min(side * _WANTED_RED_CELL / diameter, limit)
    return _View(density, guess, diameter, side / full)


def _resized(image: Image, scale: float) -> Image:
    if scale == 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _in_field(box: Box, scale: float, image: Image) -> Box:
    left, top = int(box.x / scale), int(box.y / scale)
    right = min(image.shape[1], int(np.ceil((box.x + box.w) / scale)))
    bottom = min(image.shape[0], int(np.ceil((box.y + box.h) / scale)))
    return Box(left, top, right - left, bottom - top)
