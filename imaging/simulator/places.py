"""Windows and tiles of a slide: what lies where depends on the slide's seed and the tile alone."""

import numpy as np

from imaging.box import Box
from imaging.simulator.planes import OVERSAMPLING, PIXELS_PER_UM

Tile = tuple[int, int]
"""Column and row; negative ones exist too."""


def window_at(x: float, y: float, width: int, height: int) -> Box:
    """The field of width×height camera pixels at (x, y) µm, in drawn pixels.

    The stage stops at whole ones.
    """
    return Box(
        round(x * PIXELS_PER_UM),
        round(y * PIXELS_PER_UM),
        -(-width // OVERSAMPLING),
        -(-height // OVERSAMPLING),
    )


def holds(window: Box, margin: float, x: float, y: float) -> bool:
    """Whether (x, y) µm lies in the window or at most `margin` µm outside it."""
    left, top, right, bottom = _edges(window, margin)
    return left <= x <= right and top <= y <= bottom


def tiles(window: Box, margin: float, side: float) -> list[Tile]:
    """Tiles of `side` µm that the window and `margin` µm around it touch, row by row."""
    left, top, right, bottom = (int(np.floor(v / side)) for v in _edges(window, margin))
    return [(c, r) for r in range(top, bottom + 1) for c in range(left, right + 1)]


def tile_rng(seed: int, what: int, tile: Tile) -> np.random.Generator:
    """Random numbers of their own for each tile, slide and kind of thing (`what`)."""
    return np.random.default_rng([seed, what, tile[0] & 0xFFFFFFFF, tile[1] & 0xFFFFFFFF])


def _edges(window: Box, margin: float) -> tuple[float, float, float, float]:
    left, top = window.x / PIXELS_PER_UM, window.y / PIXELS_PER_UM
    right, bottom = left + window.w / PIXELS_PER_UM, top + window.h / PIXELS_PER_UM
    return left - margin, top - margin, right + margin, bottom + margin
