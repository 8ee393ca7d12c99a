"""White cells cut out of a field and resized to the model's input."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np

from imaging.box import Box
from imaging.types import Cells, Image

PREPROCESSING_ID: Final = "square-1.25-reflect-area/1"
"""Names exactly what `cut_cells` does. A bundle records the id it was trained with, and a worker
refuses one it does not know: change the code, change the id."""

MARGIN: Final = 1.25
"""Side of the square cut, in units of the box's longer side."""


def cut_cells(image: Image, boxes: Sequence[Box], height: int, width: int) -> Cells:
    """Cut a square around each box and resize it with INTER_AREA.

    The square's side is 1.25 × the box's longer side; where it passes the image's edge the
    image is mirrored, so that no black border tells an edge cell apart.

    Args:
        image: uint8, H×W×3, RGB.
        boxes: N boxes in pixels of `image`; each must lie at least partly inside it.
        height: of the model's input, in pixels.
        width: of the model's input, in pixels.

    Returns:
        uint8, N×height×width×3, RGB.

    Raises:
        ValueError: a box lies outside the image.
    """
    cells = np.empty((len(boxes), height, width, 3), np.uint8)
    for cell, box in zip(cells, boxes, strict=True):
        cv2.resize(_square(image, box), (width, height), dst=cell, interpolation=cv2.INTER_AREA)
    return cells


def square_of(box: Box) -> Box:
    """The square that is cut around a box, in pixels of the image; it may pass the edges."""
    side = max(2, round(MARGIN * max(box.w, box.h)))
    return Box(round(box.x + box.w / 2 - side / 2), round(box.y + box.h / 2 - side / 2), side, side)


def _square(image: Image, box: Box) -> Image:
    rows, columns = image.shape[:2]
    if box.w < 1 or box.h < 1 or not _touches(box, rows, columns):
        raise ValueError(f"{box} lies outside the image of {columns}×{rows} pixels")
    left, top, side, _ = square_of(box)
    if left >= 0 and top >= 0 and left + side <= columns and top + side <= rows:
        return image[top : top + side, left : left + side]
    y, x = _reach(top, side, rows), _reach(left, side, columns)
    part = cv2.copyMakeBorder(
        image[y.first : y.last, x.first : x.last],
        y.before, y.after, x.before, x.after, cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    return np.asarray(part[y.skip : y.skip + side, x.skip : x.skip + side], np.uint8)


def _touches(box: Box, rows: int, columns: int) -> bool:
    return box.x < columns and box.y < rows and box.x + box.w > 0 and box.y + box.h > 0


class _Reach(NamedTuple):
    """Along one axis: what of the image a square needs, and how much is mirrored around it."""

    first: int
    last: int
    before: int
    after: int
    skip: int


def _reach(start: int, side: int, size: int) -> _Reach:
    """For the pixels start … start+side−1 of an axis that has 0 … size−1.

    Those outside are mirrored at 0 and size−1, as often as needed, so what mirrors into them
    is needed too.
    """
    end = start + side
    first = max(0, min(start, 2 * size - 1 - end))
    last = min(size, max(end, 1 - start))
    return _Reach(first, last, max(0, -start), max(0, end - size), max(0, start) - first)
