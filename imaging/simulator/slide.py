"""A smear that can be looked at anywhere."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from imaging.box import Box
from imaging.simulator.kinds import KINDS, CellKind, SlideKind
from imaging.simulator.optics import Optics, expose
from imaging.simulator.places import holds, window_at
from imaging.simulator.planes import CAMERA_PIXELS_PER_UM, PIXELS_PER_UM
from imaging.simulator.platelets import platelets_in
from imaging.simulator.red_layout import RedLayout
from imaging.simulator.scene import Field, PlacedWhite, paint, truth
from imaging.simulator.stain import Stain, seeded
from imaging.simulator.white_cells import white_cell
from imaging.simulator.white_layout import REACH, Spot, WhiteLayout, collide

_INSET: Final = 4.5
"""A centre this far inside both edges (µm) leaves more than half of any cell inside."""

_NEIGHBOURS: Final = 3 * REACH
"""White cells up to this far outside a field (µm) push red cells about in it."""


SMEAR_BEGINS_UM: Final = -20_000.0
"""No cell's centre lies left of this x, in µm: bare glass, stained by nothing."""


class Smear:
    """A stained slide without end, but for its left edge, beyond which there is bare glass.

    Args:
        seed: of the slide, 0 or above.
        kind: whose smear it is. `ALL` and `AML` mix 40 to 90 % blasts (decided by the seed) into
            normal cells.
        stain: of the slide; without one, a laboratory near BCCD's is drawn from the seed.

    Raises:
        ValueError: `seed` is negative, or `kind` is none.
    """

    def __init__(self, seed: int, kind: SlideKind = "Normal", stain: Stain | None = None) -> None:
        self._whites = WhiteLayout(seed, kind)
        self._reds = RedLayout(seed)
        self._drawn = lru_cache(24)(_drawn)
        self.seed = seed
        self.kind: SlideKind = kind
        self.stain = stain or seeded(seed)

    @property
    def blast_share(self) -> float:
        """Share of blasts among the white cells that the slide is made of, 0 to 1."""
        return self._whites.blast_share

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
        window = window_at(x, y, width, height)
        spots = _on_smear(self._whites.within(window, _NEIGHBOURS))
        return self._photograph(spots, window, width, height, optics or Optics())

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
        middle = size / CAMERA_PIXELS_PER_UM / 2
        window = window_at(x - middle, y - middle, size, size)
        posed = self._whites.posed(rng, kind, x, y)
        others = [s for s in self._whites.within(window, _NEIGHBOURS) if not collide(s, posed)]
        return self._photograph([posed, *others], window, size, size, optics or Optics())

    def has_white_cell(self, x: float, y: float, width: int = 1280, height: int = 960) -> bool:
        """Whether a white cell's centre lies well inside the field at (x, y).

        Args:
            x: as in `field`.
            y: as in `field`.
            width: as in `field`.
            height: as in `field`.
        """
        inset = min(_INSET, min(width, height) / CAMERA_PIXELS_PER_UM / 4)
        return bool(_on_smear(self._whites.within(window_at(x, y, width, height), -inset)))

    def _photograph(
        self, spots: Sequence[Spot], window: Box, width: int, height: int, optics: Optics
    ) -> Field:
        whites = [self._drawn(s) for s in spots if holds(window, 0.7 * s.diameter, s.x, s.y)]
        small = platelets_in(window, self.seed, 0.75 if self.kind == "Normal" else 0.3)
        begins = SMEAR_BEGINS_UM * PIXELS_PER_UM
        small = [platelet for platelet in small if platelet.x >= begins]
        reds = [red for red in self._reds.around(window, spots) if red.x >= begins]
        stack = paint(reds, small, whites, window)
        seed = (self.seed, window.x & 0xFFFFFFFF, window.y & 0xFFFFFFFF)
        image = expose(stack, self.stain, optics, width, height, seed)
        return Field(image, tuple(truth(whites, window, width, height)))


def _on_smear(spots: Sequence[Spot]) -> list[Spot]:
    return [spot for spot in spots if spot.x >= SMEAR_BEGINS_UM]


def _drawn(spot: Spot) -> PlacedWhite:
    kind = KINDS[spot.kind]
    x, y = round(spot.x * PIXELS_PER_UM), round(spot.y * PIXELS_PER_UM)
    return PlacedWhite(x, y, kind.name, kind.label, white_cell(kind, spot.diameter, spot.seed))
