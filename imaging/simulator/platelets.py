"""Platelets: small pale-blue discs with a heap of violet granules."""

from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from imaging.box import Box
from imaging.simulator.places import tile_rng, tiles
from imaging.simulator.planes import PIXELS_PER_UM, Stack, Substance, blob, cover
from imaging.simulator.textures import cut

VARIANTS: Final = 24
_TILE: Final = 22.0
"""Side of a tile in µm; at most one platelet each."""
_SIDE: Final = 72
_SEED: Final = 2_500


@cache
def platelet(variant: int) -> Stack:
    """Densities of one platelet of 1.8 to 3.6 µm, float32, 4×72×72. Do not write into it."""
    rng = np.random.default_rng([_SEED, variant])
    radius = rng.uniform(0.9, 1.8) * PIXELS_PER_UM
    distance = blob(rng, _SIDE, radius, 0.09, 0.08) + 1.5 * cut(rng, 12.0, _SIDE)
    body = cover(distance, 2.5)
    heap = cover(distance + 0.28 * np.float32(radius), 4.0)
    granules = np.clip(0.65 + 0.45 * cut(rng, 5.0, _SIDE), 0.1, 1.6)
    stack = np.zeros((Substance.COUNT, _SIDE, _SIDE), np.float32)
    stack[Substance.BASOPHILIA] = 0.45 * body
    stack[Substance.EOSIN] = 0.35 * heap
    stack[Substance.CHROMATIN] = rng.uniform(0.4, 0.8) * heap * granules
    for plane in stack:
        cv2.GaussianBlur(plane, (0, 0), rng.uniform(0.6, 1.6), dst=plane)
    stack.setflags(write=False)
    return stack


class PlacedPlatelet(NamedTuple):
    """A platelet; `x` and `y` are its centre in drawn pixels from the slide's origin."""

    x: int
    y: int
    variant: int


def platelets_in(window: Box, seed: int, density: float) -> list[PlacedPlatelet]:
    """Platelets of the slide `seed` in a window; `density` is the probability of one in a tile."""
    found = []
    for tile in tiles(window, 3.0, _TILE):
        rng = tile_rng(seed, 5, tile)
        if rng.uniform() < density:
            x, y = (np.array(tile) + rng.uniform(0, 1, 2)) * _TILE * PIXELS_PER_UM
            found.append(PlacedPlatelet(round(x), round(y), int(rng.integers(VARIANTS))))
    return found
