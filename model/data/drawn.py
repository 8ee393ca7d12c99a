"""A folder of drawn cells, laid out for `folder:`, for those who have no images at hand."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import cv2

from imaging.simulator import KINDS, CellKind, render_cell
from model.data.cells import Advance
from model.errors import ModelError
from model.labels import LABELS

GROUP: Final = r"^(s\d+)_"
"""Where the slide is in a file's name: `folder:DIR?group=` and this keep slides on one side."""


def draw_folder(folder: Path, cells: int, seed: int, advance: Advance) -> int:
    """Write `cells` pictures of one white cell each, as `folder/CLASS/sSLIDE_KIND.png`.

    Classes take turns, and so do the kinds of cell in each. Every cell lies on a slide of its own.

    Args:
        folder: to make; must not hold anything.
        cells: 1 or more.
        seed: of the first slide; the same seed draws the same pictures.
        advance: is told how many are drawn and how many there will be.

    Returns:
        How many were written.

    Raises:
        ModelError: the folder holds something, or cannot be written to.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ModelError(f"{folder} is not empty: name a new folder")
    for number, kind in enumerate(islice(_kinds(), cells)):
        _write(folder, kind, seed + number)
        advance(number + 1, cells)
    return cells


def _kinds() -> Iterator[CellKind]:
    """A kind of each class in turn, without end."""
    of_class = [cycle([k for k in KINDS if KINDS[k].label == label]) for label in LABELS]
    for kinds in cycle(of_class):
        yield next(kinds)


def _write(folder: Path, kind: CellKind, slide: int) -> None:
    drawn = render_cell(kind, slide)
    path = folder / drawn.label / f"s{slide:06}_{kind}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(drawn.image, cv2.COLOR_RGB2BGR)):
        raise ModelError(f"{path} cannot be written")
