"""Batches in which class does not follow source more than it must."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from model.data.cells import CellSet
from model.labels import UNKNOWN

Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]


class BalancedBatches:
    """Draws batches by a pure function of seed and step, so that a training can be taken up.

    Each pair of source and class is as likely as another; a cell comes as any of its variants.
    """

    def __init__(
        self, labelled: CellSet, unlabelled: CellSet, *, size: int, share: float, seed: int
    ) -> None:
        """See the class.

        Args:
            labelled: to draw from.
            unlabelled: for the source head, may be empty.
            size: cells of a batch.
            share: of unlabelled cells in a batch, where there are any.
            seed: of all draws.
        """
        self._labelled = labelled
        self._unlabelled = unlabelled
        self._few = round(share * size) if len(unlabelled) else 0
        self._size = size
        self._seed = seed
        self._chances = chances(labelled)

    def batch(self, step: int) -> Batch:
        """The batch of a step: uint8 N×h×w×3, and int32 N labels with UNKNOWN last."""
        draw = np.random.default_rng([self._seed, step])
        chosen = draw.choice(len(self._labelled), self._size - self._few, p=self._chances)
        others = draw.integers(0, max(1, len(self._unlabelled)), self._few)
        cells = [_variants(self._labelled, chosen, draw)]
        if self._few:
            cells.append(_variants(self._unlabelled, others, draw))
        labels = np.concatenate([self._labelled.labels[chosen], np.full(self._few, UNKNOWN)])
        return np.concatenate(cells), labels.astype(np.int32)

    def endless(self, first: int = 0) -> Iterator[Batch]:
        """The batches from step `first` on."""
        step = first
        while True:
            yield self.batch(step)
            step += 1


def chances(cells: CellSet) -> npt.NDArray[np.float64]:
    """Chance of each cell, N summing to 1: each pair of source and class is as likely as another.

    So within a source every class it shows is equally likely, and the source alone tells no more
    than which classes it has.
    """
    weights = np.zeros(len(cells))
    for source in np.unique(cells.sources):
        for label in np.unique(cells.labels[cells.sources == source]):
            inside = (cells.labels == label) & (cells.sources == source)
            weights[inside] = 1 / inside.sum()
    normed: npt.NDArray[np.float64] = weights / weights.sum()
    return normed


def _variants(
    cells: CellSet, chosen: npt.NDArray[np.int64], draw: np.random.Generator
) -> npt.NDArray[np.uint8]:
    which = draw.integers(0, cells.cells.shape[1], len(chosen))
    picked: npt.NDArray[np.uint8] = cells.cells[chosen, which]
    return picked
