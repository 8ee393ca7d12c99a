"""Where the red cells of a slide lie: a carpet of uneven thickness around the white cells."""

from collections.abc import Sequence
from functools import lru_cache
from math import hypot
from typing import Final

import numpy as np

from imaging.box import Box
from imaging.simulator.places import Tile, tile_rng, tiles
from imaging.simulator.planes import PIXELS_PER_UM
from imaging.simulator.red_cells import DIAMETER_UM, VARIANTS
from imaging.simulator.scene import PlacedRed
from imaging.simulator.white_layout import Spot

_TILE: Final = 8.2
"""Side of a tile in µm; one red cell in most, two in some."""

_MARGIN: Final = 16.0
"""A red cell this far (µm) outside a window may be pushed into it by white cells."""

_PER_UM: Final = float(PIXELS_PER_UM)


class RedLayout:
    """Red cells strewn over an endless slide.

    Args:
        seed: of the slide, 0 or above.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 7])
        self._seed = seed
        self._waves = rng.uniform(0, 2 * np.pi, 3)
        self._numbers = rng.uniform(0.05, 0.13, (2, 3)) * rng.choice([-1, 1], (2, 3))
        self._strength = float(rng.normal(0.93, 0.04))
        self._tile = lru_cache(4096)(self._new_tile)

    def around(self, window: Box, whites: Sequence[Spot]) -> list[PlacedRed]:
        """Red cells of the window, and some outside it, pushed aside by the white cells."""
        reds = []
        for tile in tiles(window, _MARGIN, _TILE):
            for red in self._tile(tile):
                placed = _beside(red, whites)
                if placed is not None and not self._stacked(red, tile):
                    reds.append(placed)
        return reds

    def _stacked(self, red: PlacedRed, tile: Tile) -> bool:
        """Whether a darker red cell lies on most of this one."""
        room = (0.55 * DIAMETER_UM * _PER_UM) ** 2
        return any(
            other.hemoglobin > red.hemoglobin
            and (other.x - red.x) ** 2 + (other.y - red.y) ** 2 < room
            for right in (-1, 0, 1)
            for down in (-1, 0, 1)
            for other in self._tile((tile[0] + right, tile[1] + down))
        )

    def _new_tile(self, tile: Tile) -> list[PlacedRed]:
        rng = tile_rng(self._seed, 4, tile)
        count = int(rng.uniform() < self._crowding(tile)) + int(rng.uniform() < 0.15)
        return [self._red(rng, tile) for _ in range(count)]

    def _red(self, rng: np.random.Generator, tile: Tile) -> PlacedRed:
        # Every second row stands half a tile aside, as discs pack.
        column = tile[0] + 0.5 * (tile[1] % 2)
        x, y = (np.array([column, tile[1]]) + rng.uniform(0.05, 0.95, 2)) * _TILE * _PER_UM
        return PlacedRed(
            round(x),
            round(y),
            variant=int(rng.integers(VARIANTS)),
            orientation=int(rng.integers(8)),
            hemoglobin=self._strength * float(rng.uniform(0.76, 1.24)),
            basophilia=0.12 if rng.uniform() < 0.02 else 0.0,
        )

    def _crowding(self, tile: Tile) -> float:
        """Probability of a red cell in a tile: it drifts over some 100 µm."""
        across, down = self._numbers * _TILE
        waves = np.cos(across * tile[0] + down * tile[1] + self._waves)
        return float(np.clip(0.92 + 0.14 * waves.sum(), 0.35, 1.0))


def _beside(red: PlacedRed, whites: Sequence[Spot]) -> PlacedRed | None:
    """The red cell pushed aside by white cells, or None where there is no room for it."""
    x, y = red.x / _PER_UM, red.y / _PER_UM
    for white in whites:
        room = white.diameter / 2 + 0.42 * DIAMETER_UM
        dx, dy = x - white.x, y - white.y
        away = hypot(dx, dy)
        if away >= room:
            continue
        if away < 0.6 * room:
            return None
        x, y = white.x + dx * room / away, white.y + dy * room / away
    return red._replace(x=round(x * _PER_UM), y=round(y * _PER_UM))
