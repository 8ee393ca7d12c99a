"""Where the white cells of a slide lie, and of what kind they are."""

from functools import lru_cache
from math import hypot
from typing import Final, NamedTuple

import numpy as np

from imaging.box import Box
from imaging.simulator.kinds import KINDS, CellKind, SlideKind
from imaging.simulator.places import Tile, holds, tile_rng, tiles

REACH: Final = 11.0
"""No white cell reaches farther from its centre, in µm."""

_TILE: Final = 16.0
"""Side of a tile in µm; one candidate each, so that two at most two tiles apart may collide."""

_BLAST: Final[dict[SlideKind, CellKind]] = {"ALL": "lymphoblast", "AML": "myeloblast"}

_DIFFERENTIAL: Final[dict[CellKind, float]] = {
    "neutrophil": 0.58,
    "lymphocyte": 0.29,
    "monocyte": 0.08,
    "eosinophil": 0.035,
    "basophil": 0.015,
}
"""Shares of the normal white cells, within an adult's reference ranges."""

_DENSITY: Final[dict[SlideKind, float]] = {"ALL": 0.72, "AML": 0.62, "Normal": 0.3}
"""Probability of a candidate in a tile."""


class Spot(NamedTuple):
    """A white cell's place; lengths in µm."""

    x: float
    y: float
    kind: CellKind
    diameter: float
    rank: float
    """Of two cells that need the same place, the one of the higher rank stays."""
    seed: tuple[int, ...]
    """Of its drawing."""


def collide(a: Spot, b: Spot) -> bool:
    """Whether both need the same place."""
    return hypot(a.x - b.x, a.y - b.y) < 0.5 * (a.diameter + b.diameter)


class WhiteLayout:
    """White cells strewn over an endless slide.

    Args:
        seed: of the slide, 0 or above.
        kind: whose smear it is.

    Raises:
        ValueError: `seed` is negative, or `kind` is none.
    """

    def __init__(self, seed: int, kind: SlideKind) -> None:
        if seed < 0:
            raise ValueError(f"a slide's seed must be 0 or above, not {seed}")
        if kind not in _DENSITY:
            raise ValueError(f"a smear is one of {', '.join(_DENSITY)}, not {kind!r}")
        rng = np.random.default_rng([seed, 1])
        self.blast_share: float = float(rng.uniform(0.4, 0.9)) if kind in _BLAST else 0.0
        self._blast_size = float(np.exp(rng.normal(0, 0.04)))
        self._seed = seed
        self._kind: SlideKind = kind
        self._candidate = lru_cache(2048)(self._new_candidate)

    def within(self, window: Box, margin: float) -> list[Spot]:
        """White cells with their centre in the window or at most `margin` µm outside it.

        Their order is one for all windows.
        """
        found = []
        for tile in tiles(window, margin, _TILE):
            spot = self._candidate(tile)
            if spot and holds(window, margin, spot.x, spot.y) and self._stays(spot, tile):
                found.append(spot)
        return found

    def posed(self, rng: np.random.Generator, kind: CellKind, x: float, y: float) -> Spot:
        """A cell of a wished kind at a wished place, which nothing drives away."""
        seed = tuple(int(number) for number in rng.integers(1 << 31, size=3))
        return self._spot(rng, kind, (x, y), seed)._replace(rank=2.0)

    def _stays(self, spot: Spot, tile: Tile) -> bool:
        """No stronger candidate needs the place: a hard-core process (Matérn's second kind)."""
        for down in (-2, -1, 0, 1, 2):
            for right in (-2, -1, 0, 1, 2):
                other = self._candidate((tile[0] + right, tile[1] + down))
                if other and other.rank > spot.rank and collide(spot, other):
                    return False
        return True

    def _new_candidate(self, tile: Tile) -> Spot | None:
        rng = tile_rng(self._seed, 2, tile)
        if rng.uniform() >= _DENSITY[self._kind]:
            return None
        x, y = (np.array(tile) + rng.uniform(0, 1, 2)) * _TILE
        seed = (self._seed, 3, tile[0] & 0xFFFFFFFF, tile[1] & 0xFFFFFFFF)
        return self._spot(rng, self._new_kind(rng), (float(x), float(y)), seed)

    def _spot(
        self,
        rng: np.random.Generator,
        kind: CellKind,
        place: tuple[float, float],
        seed: tuple[int, ...],
    ) -> Spot:
        mean, spread = KINDS[kind].diameter_um
        if KINDS[kind].label != "Normal":
            mean *= self._blast_size
        diameter = float(np.clip(rng.normal(mean, spread), mean - 2 * spread, mean + 2 * spread))
        return Spot(*place, kind, diameter, rng.uniform(), seed)

    def _new_kind(self, rng: np.random.Generator) -> CellKind:
        if rng.uniform() < self.blast_share:
            return _BLAST[self._kind]
        names = list(_DIFFERENTIAL)
        return names[int(rng.choice(len(names), p=list(_DIFFERENTIAL.values())))]
