"""A smear: which cell lies where, decided by the slide's seed and the place alone."""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from imaging.box import Box
from imaging.simulator import platelets, red_cells
from imaging.simulator.kinds import KINDS, CellKind, SlideKind
from imaging.simulator.optics import Optics, expose
from imaging.simulator.planes import OVERSAMPLING, PIXELS_PER_UM
from imaging.simulator.scene import (
    Field,
    PlacedPlatelet,
    PlacedRed,
    PlacedWhite,
    paint,
    truth,
)
from imaging.simulator.stain import Stain, seeded
from imaging.simulator.white_cells import white_cell

_WHITE_TILE: Final = 16.0
_RED_TILE: Final = 8.2
_PLATELET_TILE: Final = 22.0
"""Sides of the tiles in µm; one candidate each. What lies in a tile depends on slide and tile
only, so every view of it shows the same."""

_REACH: Final = 9.5
"""No cell reaches farther from its centre, in µm."""

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
"""Probability of a candidate in a white-cell tile."""


class _Candidate(NamedTuple):
    """A white cell that stays unless a stronger one needs its place; lengths in µm."""

    x: float
    y: float
    kind: CellKind
    diameter: float
    rank: float
    tile: tuple[int, int]


class Smear:
    """A stained slide that can be looked at anywhere.

    Args:
        seed: of the slide, 0 or above.
        kind: whose smear it is. `ALL` and `AML` mix 40 to 90 % blasts (decided by the seed) into
            normal cells.
        stain: of the slide; without one, a laboratory near BCCD's is drawn from the seed.

    Raises:
        ValueError: `seed` is negative.
    """

    def __init__(self, seed: int, kind: SlideKind = "Normal", stain: Stain | None = None) -> None:
        if seed < 0:
            raise ValueError(f"a slide's seed must be 0 or above, not {seed}")
        self.seed = seed
        self.kind: SlideKind = kind
        self.stain = stain or seeded(seed)
        rng = np.random.default_rng([seed, 1])
        self.blast_share: float = float(rng.uniform(0.4, 0.9)) if kind in _BLAST else 0.0
        """Share of blasts among the white cells that the slide is made of, 0 to 1."""
        self._blast_size = float(np.exp(rng.normal(0, 0.04)))
        self._waves = rng.uniform(0, 2 * np.pi, 6)
        self._wave_numbers = rng.uniform(0.05, 0.13, 6) * rng.choice([-1, 1], 6)
        self._candidate = lru_cache(2048)(self._new_candidate)
        self._red_tile = lru_cache(4096)(self._new_reds)
        self._white = lru_cache(64)(self._new_white)

    def field(
        self,
        x: float,
        y: float,
        width: int = 1280,
        height: int = 960,
        optics: Optics | None = None,
    ) -> Field:
        """Look at the slide.

        Args:
            x: stage position of the field's left edge, in µm.
            y: stage position of the field's upper edge, in µm.
            width: in camera pixels, 26 to the µm.
            height: in camera pixels, 26 to the µm.
            optics: lamp, lens and camera; without them, good ones.

        Returns:
            The picture and its white cells. The same arguments give the same bytes.

        Raises:
            ValueError: `width` or `height` is below 1.
        """
        if width < 1 or height < 1:
            raise ValueError(f"a field needs at least 1×1 pixels, not {width}×{height}")
        window = _window(x, y, width, height)
        cells = self._whites(window, 3 * _REACH)
        return self._photograph(cells, window, width, height, optics or Optics())

    def portrait(
        self, kind: CellKind, number: int, size: int = 640, optics: Optics | None = None
    ) -> Field:
        """A square field somewhere on the slide with a cell of a wished kind in its middle.

        Args:
            kind: of the cell; any kind, whatever slide this is.
            number: 0 or above: which of the endless such portraits.
            size: side of the field, in camera pixels.
            optics: lamp, lens and camera; without them, good ones.

        Returns:
            The picture and its white cells, the wished one first.
        """
        rng = np.random.default_rng([self.seed, 6, number])
        x, y = (float(v) for v in rng.uniform(0, 1e5, 2))
        middle = size / OVERSAMPLING / PIXELS_PER_UM / 2
        window = _window(x - middle, y - middle, size, size)
        posed = self._candidate_of(rng, kind, x, y, (number, 1 << 30))
        others = [c for c in self._whites(window, 3 * _REACH) if not _collide(c, posed)]
        return self._photograph([posed, *others], window, size, size, optics or Optics())

    def has_white_cell(self, x: float, y: float, width: int = 1280, height: int = 960) -> bool:
        """Whether the centre of a white cell lies in the field at (x, y), arguments as `field`."""
        return bool(self._whites(_window(x, y, width, height), 0.0))

    def _photograph(
        self, cells: list[_Candidate], window: Box, width: int, height: int, optics: Optics
    ) -> Field:
        whites = [self._white(cell) for cell in cells if _shows(cell, window)]
        stack = paint(self._reds(window, cells), self._platelets(window), whites, window)
        seed = (self.seed, window.x & 0xFFFFFFFF, window.y & 0xFFFFFFFF)
        image = expose(stack, self.stain, optics, width, height, seed)
        return Field(image, tuple(truth(whites, window, width, height)))

    def _rng(self, what: int, column: int, row: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, what, column & 0xFFFFFFFF, row & 0xFFFFFFFF])

    def _whites(self, window: Box, margin: float) -> list[_Candidate]:
        """White cells with their centre in the window or at most `margin` µm outside it."""
        left, top, right, bottom = _edges(window, margin)
        found = []
        for tile in _tiles(window, margin, _WHITE_TILE):
            cell = self._candidate(*tile)
            if cell is None or not (left <= cell.x <= right and top <= cell.y <= bottom):
                continue
            if self._stays(cell):
                found.append(cell)
        return found

    def _stays(self, cell: _Candidate) -> bool:
        """No stronger candidate needs the place: a hard-core process (Matérn's second kind)."""
        column, row = cell.tile
        for down in (-2, -1, 0, 1, 2):
            for right in (-2, -1, 0, 1, 2):
                other = self._candidate(column + right, row + down)
                if other is None or other.rank <= cell.rank:
                    continue
                if _collide(cell, other):
                    return False
        return True

    def _new_candidate(self, column: int, row: int) -> _Candidate | None:
        rng = self._rng(2, column, row)
        if rng.uniform() >= _DENSITY[self.kind]:
            return None
        x, y = (np.array([column, row]) + rng.uniform(0, 1, 2)) * _WHITE_TILE
        kind = self._new_kind(rng)
        return self._candidate_of(rng, kind, float(x), float(y), (column, row))

    def _candidate_of(
        self, rng: np.random.Generator, kind: CellKind, x: float, y: float, tile: tuple[int, int]
    ) -> _Candidate:
        mean, spread = KINDS[kind].diameter_um
        if KINDS[kind].label != "Normal":
            mean *= self._blast_size
        diameter = float(np.clip(rng.normal(mean, spread), mean - 2 * spread, mean + 2 * spread))
        return _Candidate(x, y, kind, diameter, rng.uniform(), tile)

    def _new_kind(self, rng: np.random.Generator) -> CellKind:
        if rng.uniform() < self.blast_share:
            return _BLAST[self.kind]
        names = list(_DIFFERENTIAL)
        return names[int(rng.choice(len(names), p=list(_DIFFERENTIAL.values())))]

    def _new_white(self, cell: _Candidate) -> PlacedWhite:
        kind = KINDS[cell.kind]
        column, row = cell.tile
        seed = (self.seed, 3, column & 0xFFFFFFFF, row & 0xFFFFFFFF)
        drawn = white_cell(kind, cell.diameter, seed)
        x, y = round(cell.x * PIXELS_PER_UM), round(cell.y * PIXELS_PER_UM)
        return PlacedWhite(x, y, kind.name, kind.label, drawn)

    def _reds(self, window: Box, whites: list[_Candidate]) -> list[PlacedRed]:
        reds = []
        for column, row in _tiles(window, 1.6 * _REACH, _RED_TILE):
            for red in self._red_tile(column, row):
                placed = _beside(red, whites)
                if placed is not None and not self._stacked(red, column, row):
                    reds.append(placed)
        return reds

    def _stacked(self, red: PlacedRed, column: int, row: int) -> bool:
        """Whether a darker red cell lies on most of this one."""
        room = (0.55 * red_cells.DIAMETER_UM * PIXELS_PER_UM) ** 2
        return any(
            other.hemoglobin > red.hemoglobin
            and (other.x - red.x) ** 2 + (other.y - red.y) ** 2 < room
            for right in (-1, 0, 1)
            for down in (-1, 0, 1)
            for other in self._red_tile(column + right, row + down)
        )

    def _new_reds(self, column: int, row: int) -> list[PlacedRed]:
        rng = self._rng(4, column, row)
        count = int(rng.uniform() < self._crowding(column, row)) + int(rng.uniform() < 0.15)
        reds = []
        for _ in range(count):
            x, y = (np.array([column + 0.5 * (row % 2), row]) + rng.uniform(0.05, 0.95, 2)) * (
                _RED_TILE * PIXELS_PER_UM
            )
            reds.append(
                PlacedRed(
                    round(x),
                    round(y),
                    int(rng.integers(red_cells.VARIANTS)),
                    int(rng.integers(8)),
                    float(rng.uniform(0.7, 1.15)),
                    0.12 if rng.uniform() < 0.02 else 0.0,
                )
            )
        return reds

    def _crowding(self, column: int, row: int) -> float:
        """Probability of a red cell in a tile: it drifts over some 100 µm."""
        k, p = self._wave_numbers * _RED_TILE, self._waves
        waves = np.cos(k[:3] * column + k[3:] * row + p[:3])
        return float(np.clip(0.94 + 0.14 * waves.sum(), 0.35, 1.0))

    def _platelets(self, window: Box) -> list[PlacedPlatelet]:
        found = []
        for tile in _tiles(window, 3.0, _PLATELET_TILE):
            rng = self._rng(5, *tile)
            if rng.uniform() < (0.75 if self.kind == "Normal" else 0.3):
                x, y = (np.array(tile) + rng.uniform(0, 1, 2)) * _PLATELET_TILE * PIXELS_PER_UM
                variant = int(rng.integers(platelets.VARIANTS))
                found.append(PlacedPlatelet(round(x), round(y), variant))
        return found


def _shows(cell: _Candidate, window: Box) -> bool:
    left, top, right, bottom = _edges(window, 0.65 * cell.diameter)
    return left <= cell.x <= right and top <= cell.y <= bottom


def _collide(a: _Candidate, b: _Candidate) -> bool:
    return bool(np.hypot(a.x - b.x, a.y - b.y) < 0.5 * (a.diameter + b.diameter))


def _beside(red: PlacedRed, whites: list[_Candidate]) -> PlacedRed | None:
    """The red cell pushed aside by white cells, or None where there is no room for it."""
    x, y = red.x / PIXELS_PER_UM, red.y / PIXELS_PER_UM
    for white in whites:
        room = white.diameter / 2 + 0.42 * red_cells.DIAMETER_UM
        dx, dy = x - white.x, y - white.y
        away = float(np.hypot(dx, dy))
        if away >= room:
            continue
        if away < 0.6 * room:
            return None
        x, y = white.x + dx * room / away, white.y + dy * room / away
    return red._replace(x=round(x * PIXELS_PER_UM), y=round(y * PIXELS_PER_UM))


def _window(x: float, y: float, width: int, height: int) -> Box:
    """The field in drawn pixels; the stage stops at whole ones."""
    return Box(
        round(x * PIXELS_PER_UM),
        round(y * PIXELS_PER_UM),
        -(-width // OVERSAMPLING),
        -(-height // OVERSAMPLING),
    )


def _edges(window: Box, margin: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in µm, `margin` µm outside the window."""
    left, top = window.x / PIXELS_PER_UM, window.y / PIXELS_PER_UM
    right, bottom = left + window.w / PIXELS_PER_UM, top + window.h / PIXELS_PER_UM
    return left - margin, top - margin, right + margin, bottom + margin


def _tiles(window: Box, margin: float, side: float) -> list[tuple[int, int]]:
    """Tiles (column, row) that the window and a margin of `margin` µm touch, in one order."""
    left, top, right, bottom = (int(np.floor(v / side)) for v in _edges(window, margin))
    return [(c, r) for r in range(top, bottom + 1) for c in range(left, right + 1)]
