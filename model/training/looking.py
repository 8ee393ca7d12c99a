"""What the model says of cells. Import only after `start_tensorflow`."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from imaging.types import Cells
from model.data.cells import CellSet
from model.evaluation.measures import Numbers
from model.training.acgan import ACGAN

AT_ONCE: Final = 256


@dataclass(frozen=True)
class Outputs:
    """What the averaged discriminator says of N cells, before the temperature."""

    logits: Numbers
    """N×labels."""
    source: Numbers
    """N logits: real above 0."""


def look(model: ACGAN, cells: Cells | CellSet, batch: int = AT_ONCE) -> Outputs:
    """What the model says of cells, uint8 N×h×w×3, or of the first variants of a set."""
    logits, source = [], []
    for start in range(0, len(cells), batch):
        seen = model(_pictures(cells, start, min(start + batch, len(cells))))
        logits.append(np.asarray(seen["logits"], np.float64))
        source.append(np.asarray(seen["source"], np.float64))
    return Outputs(np.concatenate(logits), np.concatenate(source))


def _pictures(cells: Cells | CellSet, start: int, stop: int) -> Cells:
    pictures: Cells = (
        cells.cells[np.arange(start, stop), 0] if isinstance(cells, CellSet) else cells[start:stop]
    )
    return pictures
