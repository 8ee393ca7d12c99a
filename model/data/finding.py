"""Find cells for training by what finds them in the cloud, so that the cuts agree."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

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


class Finder(Protocol):
    """Gives the boxes of a picture's cells. Its `repr` says all that they depend on."""

    def __call__(self, image: Image, whole: bool) -> Sequence[Box | None]:
        """Boxes in pixels of the image; None is the picture itself, as it is.

        Args:
            image: uint8, H×W×3, RGB.
            whole: pictures are wanted whole, as in the paper.
        """
        ...

    def several(self, whole: bool) -> bool:
        """Whether a picture may have any number of cells, which then need numbers."""
        ...


@dataclass(frozen=True)
class Portrait:
    """A picture of one cell."""

    def __call__(self, image: Image, whole: bool) -> Sequence[Box | None]:
        """See `Finder`."""
        return [None] if whole else [central_box(image)]

    def several(self, whole: bool) -> bool:
        """See `Finder`."""
        del whole
        return False


PORTRAIT: Final = Portrait()


@dataclass(frozen=True)
class Field:
    """A field, every cell of which is wanted; or the field itself, where pictures go whole."""

    def __call__(self, image: Image, whole: bool) -> Sequence[Box | None]:
        """See `Finder`."""
        return [None] if whole else all_boxes(image)

    def several(self, whole: bool) -> bool:
        """See `Finder`."""
        return not whole
