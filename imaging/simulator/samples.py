"""Single white cells in any number, for training."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from imaging.box import Box
from imaging.simulator.kinds import KINDS, CellKind, SlideKind
from imaging.simulator.optics import Optics
from imaging.simulator.slide import Smear
from imaging.simulator.stain import seeded
from imaging.types import Image

SMALLEST: Final = 400
"""Side of a picture, in camera pixels, that holds more than half of any cell."""

_SLIDES: Final[tuple[SlideKind, ...]] = ("ALL", "AML", "Normal")


class RenderedCell(NamedTuple):
    """A picture with one known white cell in its middle."""

    image: Image
    """uint8, size×size×3, RGB: cut from it with `imaging.crop.cut_cells`, as from a field."""
    box: Box
    """Of the cell, in pixels of `image`."""
    kind: CellKind
    label: SlideKind
    nuclear_share: float
    """Nuclear area per area of the whole cell, 0 to 1."""


def render_cell(kind: CellKind, seed: int, size: int = 640) -> RenderedCell:
    """Draw one white cell on its own slide, with that slide's stain, light and focus.

    Stains range from BCCD's to CellaVision's and beyond; focus, exposure and noise stay within
    what the quality gate lets pass.

    Args:
        kind: of the cell, a key of `KINDS`.
        seed: 0 or above; the same seed draws the same bytes.
        size: side of the picture in camera pixels, 26 to the µm; at least SMALLEST. Below 640
            the largest cells do not fit.

    Returns:
        The picture and what is on it.

    Raises:
        KeyError: `kind` is not in `KINDS`.
        ValueError: `seed` is negative, or `size` too small.
    """
    if size < SMALLEST:
        raise ValueError(f"a cell needs a picture of {SMALLEST} pixels or more, not {size}")
    label = KINDS[kind].label
    rng = np.random.default_rng([seed, 11])
    # A normal cell lies on slides of all three: its surroundings must not tell its label.
    slide: SlideKind = _SLIDES[int(rng.integers(3))] if label == "Normal" else label
    smear = Smear(seed, slide, stain=seeded(seed, spread=1.0))
    field = smear.portrait(kind, seed, size, _some_optics(rng))
    return RenderedCell(field.image, *field.cells[0])


def iter_cells(
    seed: int, count_per_kind: int, kinds: Sequence[CellKind] | None = None, size: int = 640
) -> Iterator[RenderedCell]:
    """Draw `count_per_kind` cells of each kind, the kinds in turn, every cell on its own slide.

    Args:
        seed: 0 or above. Cells of different seeds differ; the same seed gives the same cells.
        count_per_kind: number of cells of each kind.
        kinds: which; all of `KINDS` without it.
        size: side of each picture in camera pixels (see `render_cell`).

    Yields:
        The cells, about 17 a second on one core.
    """
    for number in range(count_per_kind):
        for position, kind in enumerate(kinds or KINDS):
            own = np.random.SeedSequence([seed, number, position]).generate_state(1)
            yield render_cell(kind, int(own[0]), size)


def _some_optics(rng: np.random.Generator) -> Optics:
    return Optics(
        defocus_um=abs(float(rng.normal(0, 0.12))),
        exposure=float(rng.uniform(0.82, 1.1)),
        vignetting=float(rng.uniform(0, 0.12)),
        tilt=(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03))),
        noise=float(rng.uniform(0.6, 3.0)),
        dust=int(rng.integers(0, 3)),
        dust_seed=int(rng.integers(1 << 30)),
    )
