"""Find cells for training by what finds them in the cloud, so that the cuts agree."""

import math
from typing import Final

from imaging.box import Box
from imaging.cells import find_white_cells
from imaging.types import Image

FALLBACK: Final = 0.5
"""Side of the centred box where nothing is found, in units of the image's shorter side."""

CENTRAL: Final = 0.2
"""How far from the middle the central cell's centre may lie, in the same units."""


def all_boxes(image: Image) -> list[Box]:
    """Every white cell of a field (uint8, H×W×3, RGB), as the cloud would find it."""
    return list(find_white_cells(image))


def central_box(image: Image) -> Box:
    """The white cell in the middle of a picture of one cell, or a centred box."""
    rows, columns = image.shape[:2]
    shorter = min(rows, columns)

    def from_middle(box: Box) -> float:
        dx = box.x + box.w / 2 - columns / 2
        dy = box.y + box.h / 2 - rows / 2
        return math.hypot(dx, dy)

    nearest = min(all_boxes(image), key=from_middle, default=None)
    if nearest is not None and from_middle(nearest) <= CENTRAL * shorter:
        return nearest
    side = round(FALLBACK * shorter)
    return Box((columns - side) // 2, (rows - side) // 2, side, side)
