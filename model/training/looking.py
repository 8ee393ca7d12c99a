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
    features: Numbers
    """N×channels, averaged over the image."""


def look(model: ACGAN, cells: Cells | CellSet, batch: int = AT_ONCE) -> Outputs:
    """What the model says of cells, uint8 N×h×w×3, or of the first variants of a set."""
    seen = [
        model(_pictures(cells, start, min(start + batch, len(cells))))
        for start in range(0, len(cells), batch)
    ]

    def column(name: str) -> Numbers:
        return np.concatenate([np.asarray(one[name], np.float64) for one in seen])

    return Outputs(column("logits"), column("source"), column("features"))


def _pictures(cells: Cells | CellSet, start: int, stop: int) -> Cells:
    pictures: Cells = (
        cells.cells[np.arange(start, stop), 0] if isinstance(cells, CellSet) else cells[start:stop]
    )
    return pictures
