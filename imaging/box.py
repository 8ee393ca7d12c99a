"""A white cell's bounding box."""

from typing import NamedTuple


class Box(NamedTuple):
    """Pixels of the image it was found in: left, top, width, height (integers)."""

    x: int
    y: int
    w: int
    h: int


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a.w * a.h + b.w * b.h - shared)
