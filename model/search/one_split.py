"""The same cells in the same parts, cut for networks of several input sizes."""

from dataclasses import replace

import numpy as np

from model.config import TrainingConfig
from model.data.mixture import Mixture, together
from model.errors import ModelError
from model.training.study import Report, read, read_cells


class OneSplit:
    """Reads each size once; the split is the base's, whatever looks alike when it is smaller."""

    def __init__(self, base: TrainingConfig, report: Report) -> None:
        """Nothing is read yet."""
        self._base = base
        self._report = report
        self._read: dict[int, Mixture] = {}

    def at(self, size: int) -> Mixture:
        """The cells cut for an input of this side.

        Raises:
            ModelError: the data cannot be read, or have changed meanwhile.
        """
        if self._base.size not in self._read:
            self._read[self._base.size] = read(self._base, self._report)
        if size not in self._read:
            self._read[size] = self._again(size)
        return self._read[size]

    def _again(self, size: int) -> Mixture:
        first = self._read[self._base.size]
        config = self._base.model_copy(update={"size": size})
        cells = together(read_cells(config, self._report))
        if not np.array_equal(cells.keys, first.cells.keys):
            raise ModelError(f"read again for a size of {size}, the data have other cells")
        return replace(first, cells=cells)
